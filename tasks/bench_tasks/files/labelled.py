"""Labelled data that a user names: checked, split into train and test, and described."""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import compress
from typing import Final, NamedTuple

import numpy as np

from bench.card import ScoredUnits, TaskCard
from bench.column import Indices
from bench.config.data import OWN, DataSpec
from bench.domain import Raw
from bench.domains.options import DataOptions
from bench.domains.registered import domain_of
from bench.errors import DataError, nearest
from bench.runtime.cache import Cache
from bench.subsets.folds import deal_test_folds
from bench.subsets.groups import shared_groups
from bench.target import Target, combine_by
from bench.targets.value import number_of
from bench.task import Examples, Split, Task
from bench.written import Label, Labelling
from bench_tasks.files.labelling import USUAL, label_as
from bench_tasks.files.splitting import Labels, Mask, hold_out, hold_out_evenly, on_one_side_only, shown, units_of
from bench_tasks.files.units import count_units, refuse_divided, refuse_mixed

# What folders and columns call the parts of a data set.
PARTS: Final = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("test", "testing"), "test"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "val"),
}

EXAMPLES: Final = 3  # shown of what a remark is about

ALWAYS_USED: Final = frozenset(
    {
        *("title", "licence", "citation", "source", "skip_bad", "metric"),
        *("test_share", "split_seed", "group", "held_out", "score_by", "combine"),
    }
)


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Labelled examples as they were found. All columns are [n].

    `contents` are equal for examples that are copies of each other, `names` tell people which one is meant (a path, a
    row). `groups`, `parts` ("train" or "test") and `units`, which are scored as one and are called a `unit`, are empty
    where the data do not say; `split_as` is how they say which part.
    `settings` is what else decides what a backbone gets to see, `said` how that is told. `target` is what labels are.
    """

    raw: Raw
    labels: Sequence[Label]
    contents: Sequence[str]
    names: Sequence[str]
    groups: Sequence[str] = ()
    parts: Sequence[str] = ()
    units: Sequence[str] = ()
    unit: str = ""
    split_as: str = ""
    remarks: tuple[str, ...] = ()
    settings: tuple[object, ...] = ()
    said: str = ""
    target: str = USUAL


class _Parts(NamedTuple):
    """What each fold tests on, bool [folds, n], and how that was decided.

    `sides` [n] say the same in a word for each example: whether it is tested on, or of several folds in which one.
    """

    held_out: Mask
    sides: Sequence[object]
    how: str
    remarks: list[str]


class LabelledTask(Task):
    """Labelled examples that a user names; `held_out` [folds, n] are those that each fold tests on."""

    def __init__(self, card: TaskCard, target: Target, everything: Examples, held_out: Mask) -> None:
        self.card = card
        self.target = target
        self._everything = everything
        self._held_out = held_out

    def split(self, fold: int, cache: Cache) -> Split:
        held_out = self._held_out[fold % len(self._held_out)]
        return Split(
            train=self._everything.take(np.flatnonzero(~held_out)), test=self._everything.take(np.flatnonzero(held_out))
        )


def labelled_task(name: str, spec: DataSpec, found: Found, *, folds: int = 1) -> LabelledTask:
    """Return the task on what was found. Raises `DataError` if it cannot be learnt from or tested on.

    Data that come without a split are dealt into `folds`, so that every example is tested once; of one fold a share of
    them is held out. Data that come split, or of which the user says what is held out, have that split alone.
    """
    try:
        labelling = label_as(found.target, found.labels, domain_of(spec.family).noun.many)
        if spec.options.score_by:
            target = combine_by(labelling.target, spec.options.combine or "")
            found, labelling = _in_units(spec, found), replace(labelling, target=target)
    except DataError as error:
        raise DataError(f"{spec.address}: {error}") from error
    parts = _parts(spec, found, labelling, folds)
    everything = Examples(
        found.raw,
        {labelling.target.reads: labelling.column},
        groups=np.array(found.groups) if found.groups else None,
        names=np.array(found.names),
        units=np.array(found.units) if found.units else None,
    )
    card = TaskCard(
        name=name,
        title=spec.options.title or name,
        domain=domain_of(spec.family).name,
        description=_description(spec, found, labelling, parts),
        source=spec.options.source or spec.address,
        licence=spec.options.licence,
        citation=spec.options.citation,
        version=1,
        sha256=_content_sha256(spec, found, parts.sides, labelling),
        pinned=False,
        n_train=int((~parts.held_out).sum(axis=1).min()),
        folds=len(parts.held_out),
        remarks=(*found.remarks, *labelling.remarks, *parts.remarks, *_copies(spec, found, parts)),
        scored=_scored(spec, found, labelling, parts),
    )
    return LabelledTask(card, labelling.target, everything, parts.held_out)


def _in_units(spec: DataSpec, found: Found) -> Found:
    """Return what was found with its units as groups where it has no others, and without them if they are examples.

    Each example alone is scored alike with units and without. Raises `DataError` for a unit in two groups.
    """
    if len(set(found.units)) == len(found.units):
        noun = domain_of(spec.family).noun
        remark = f"every {found.unit} has a single {noun.one}, so that {noun.many} are scored, as without score_by"
        return replace(found, units=(), unit="", remarks=(*found.remarks, remark))
    refuse_divided(spec.address, found.units, found.groups)
    return replace(found, groups=found.groups or found.units)


def _scored(spec: DataSpec, found: Found, labelling: Labelling, parts: _Parts) -> ScoredUnits | None:
    """Return what is scored in place of examples, if anything is. Raises `DataError` for a unit of several labels."""
    if not found.units:
        return None
    tested = np.flatnonzero(parts.held_out.any(axis=0))
    units = np.array(found.units)[tested]
    refuse_mixed(spec.address, units.tolist(), labelling.column.take(tested), np.array(found.names)[tested].tolist())
    return count_units(found.unit, units, labelling.target)


def refuse_unused(spec: DataSpec, used: frozenset[str]) -> None:
    """Raise `DataError` for options that say something which does not apply to such data."""
    defaults = DataOptions()
    idle = [
        option
        for option in DataOptions.model_fields
        if option not in used | ALWAYS_USED | {OWN} and getattr(spec.options, option) != getattr(defaults, option)
    ]
    if idle:
        raise DataError(
            f"{spec.address}: {', '.join(idle)} does not apply to {spec.family} from {spec.kind}: leave it out "
            f"(what applies: {', '.join(sorted(used | ALWAYS_USED))})"
        )


def refuse_groups(spec: DataSpec) -> None:
    """Raise `DataError` for groups, or what is scored as one, asked of data that say nothing of them."""
    asked = {"group": spec.options.group, "score_by": spec.options.score_by}
    for option, said in asked.items():
        if said:
            raise DataError(f"{spec.address} says nothing of groups: leave {option} = {said!r} out")


def refuse_or_skip(spec: DataSpec, bad: Mapping[str, str], *, noun: str) -> tuple[str, ...]:
    """Return a remark on what was left out, `bad` saying what is wrong with each file or row (`noun`).

    Raises `DataError` with a list of them unless they may be left out (`skip_bad`).
    """
    if not bad:
        return ()
    wrong = [f"{name} {why}" for name, why in bad.items()]
    count = f"{len(bad):,} {noun}s" if len(bad) > 1 else f"one {noun}"
    if not spec.options.skip_bad:
        raise DataError(
            f"{spec.address} has {count} that cannot be used: {shown(wrong)}. Mend or remove what is bad, or leave it "
            "out with --skip-bad (skip_bad = true)"
        )
    return (f"{count} left out: {shown(wrong, at_most=EXAMPLES)}",)


def _parts(spec: DataSpec, found: Found, labelling: Labelling, folds: int) -> _Parts:
    options = spec.options
    if options.held_out and not (options.group or options.score_by):
        raise DataError(f"{spec.address}: held_out names groups to test on, so say what a group is (group)")
    if found.parts:
        if options.held_out:
            raise DataError(f"{spec.address} comes split, {found.split_as}: leave held_out out")
        held_out, how = np.array([part == "test" for part in found.parts]), found.split_as
        _refuse_groups_on_both_sides(spec, found, held_out)
    elif options.held_out:
        held_out, how = _held_out_groups(spec, found)
    else:
        return _made(spec, found, labelling, folds)
    return _Parts(held_out[None], held_out.tolist(), how, _labels_of_sides(spec, labelling, held_out))


def _refuse_groups_on_both_sides(spec: DataSpec, found: Found, held_out: Mask) -> None:
    both = shared_groups(compress(found.groups, ~held_out), compress(found.groups, held_out))
    if both:
        raise DataError(
            f"{spec.address} comes split, {found.split_as}, but {len(both):,} of its groups are on both sides: "
            f"{shown(both)}; move each to one side, or leave {'group' if spec.options.group else 'score_by'} out"
        )


def _held_out_groups(spec: DataSpec, found: Found) -> tuple[Mask, str]:
    """Return which examples are of the groups that are to be tested on, and how that is told."""
    wanted, known = spec.options.held_out, sorted(set(found.groups))
    unknown = [f"{group!r}{nearest(group, known)}" for group in wanted if group not in known]
    if unknown:
        raise DataError(f"{spec.address}: held_out has no such group: {', '.join(unknown)} (there are: {shown(known)})")
    if set(wanted) == set(known):
        raise DataError(f"{spec.address}: all groups are held out, so that there is nothing to learn from")
    held_out = np.array([group in wanted for group in found.groups])
    return held_out, f"those of {'the groups' if len(wanted) > 1 else 'group'} {' and '.join(wanted)}"


def _made(spec: DataSpec, found: Found, labelling: Labelling, folds: int) -> _Parts:
    """Return parts that keep groups on one side, and copies where groups allow: one held-out share, or several folds.

    Copies tie the groups they are in together. Where a text that everybody writes ties too many, groups alone count.
    """
    options = spec.options
    units = units_of(found.groups, found.contents)
    tied = not _ties_too_many(labelling, units, options.test_share)
    if found.groups and not tied:
        units = units_of(found.groups)
    _refuse_alone(spec, found, labelling, units)
    whole = ", whole groups of them" if found.groups else ""
    copies = len(found.labels) - len(set(found.contents))
    noun = domain_of(spec.family).noun.many
    remark = f"copies among the {noun}: {copies:,}, each on the same side of the split as what it copies"
    remarks = [remark] if copies and tied else []
    if folds > 1:
        tested_in = _deal(spec, found, labelling, units, folds)
        how = f"each tested on once, in {folds} folds{whole}"
        return _Parts(tested_in == np.arange(folds)[:, None], tested_in.tolist(), how, remarks)
    draw = hold_out if labelling.are_classes else hold_out_evenly
    held_out = draw(labelling.strata, units, share=options.test_share, seed=options.split_seed)
    of_each = " of each class" if labelling.are_classes else ""
    how = f"about {100 * options.test_share:g} %{of_each}{whole}, drawn with seed {options.split_seed}"
    remarks += _labels_of_sides(spec, labelling, held_out)
    return _Parts(held_out[None], held_out.tolist(), how, remarks)


def _ties_too_many(labelling: Labelling, units: Indices, share: float) -> bool:
    """Return whether a class is in one unit, or where there are none, whether a unit has more than is learnt from."""
    if labelling.are_classes:
        return bool(on_one_side_only(labelling.strata, units))
    return bool(np.bincount(units).max() > (1 - share) * len(units))


def _needed(labelling: Labelling) -> Labels:
    """Return the strata that all have to be on both sides of a split: classes, or one of all examples."""
    return labelling.strata if labelling.are_classes else np.zeros_like(labelling.strata)


def _refuse_alone(spec: DataSpec, found: Found, labelling: Labelling, units: Indices) -> None:
    """Raise `DataError` for what is in one unit, so that it cannot be both learnt from and tested on."""
    alone = on_one_side_only(_needed(labelling), units)
    if not alone:
        return
    what = "all examples in one group" if found.groups else "a single example, or copies of one,"
    if not labelling.are_classes:
        raise DataError(f"{spec.address}: data with {what} cannot be both learnt from and tested on")
    counts = np.bincount(labelling.strata)
    said = [f"{labelling.names[number]!r} ({counts[number]:,})" for number in alone]
    raise DataError(
        f"{spec.address}: classes with {what} cannot be both learnt from and tested on: {shown(said)}; add "
        f"examples, or leave the class out{_as_values(labelling.names)}"
    )


def _as_values(names: Sequence[str]) -> str:
    """Return what else classes may be of which most are numbers, as words that follow a refusal; else nothing."""
    others = [name for name in names if math.isnan(number_of(name))]
    if not 0 < 2 * len(others) < len(names):
        return ""
    return f'. If they are values (target = "value"), these are no numbers: {shown(list(map(repr, others)))}'


def _deal(spec: DataSpec, found: Found, labelling: Labelling, units: Indices, folds: int) -> Indices:
    """Return the fold in which each example is tested [n]; `units` [n] number what must not be in two of them.

    Strata that are no classes need not be in every fold: they are looked at only where all of them can be.
    """
    groups = units if len(np.unique(units)) < len(units) else None
    whole = replace(found, units=())  # folds are the same for whatever is scored
    content = _content_sha256(spec, whole, [None] * len(found.labels), labelling)  # that of no split
    strata = labelling.strata
    if not labelling.are_classes and (groups is not None or on_one_side_only(strata, units)):
        strata = np.zeros_like(strata)
    try:
        return deal_test_folds(strata, groups, folds, content)
    except DataError as error:
        raise DataError(f"{spec.address}: {error}") from error


def _labels_of_sides(spec: DataSpec, labelling: Labelling, held_out: Mask) -> list[str]:
    """Return remarks on labels that are not tested. Raises `DataError` for classes that cannot be learnt."""
    for side, held in (("to learn from", ~held_out), ("to test on", held_out)):
        if not held.any():
            raise DataError(f"{spec.address}: there are no {domain_of(spec.family).noun.many} {side}")
    if not labelling.are_classes:
        return []
    learnt, tested = (set(np.unique(labelling.strata[side]).tolist()) for side in (~held_out, held_out))
    if tested - learnt:
        raise DataError(
            f"{spec.address}: classes of the test split are not in the training split: "
            f"{shown(repr(labelling.names[number]) for number in sorted(tested - learnt))}; add examples there, or "
            "leave them out"
        )
    return [f"class {labelling.names[number]!r} has no example in the test split" for number in sorted(learnt - tested)]


def _copies(spec: DataSpec, found: Found, parts: _Parts) -> list[str]:
    """Return remarks on examples that are on both sides of a split, and on copies with different labels."""
    noun = domain_of(spec.family).noun.many
    shared = [said for held_out in parts.held_out for said in _also_learnt(found, held_out)]
    remarks = []
    if shared:
        remarks.append(
            f"of the {int(parts.held_out.sum()):,} {noun} to test on, {len(shared):,} can be learnt from, too: "
            f"{shown(shared, at_most=EXAMPLES)}"
        )
    first: dict[str, int] = {}
    contrary: dict[str, str] = {}
    for index, content in enumerate(found.contents):
        earlier = first.setdefault(content, index)
        if found.labels[earlier] != found.labels[index]:
            contrary.setdefault(content, f"{found.names[earlier]} and {found.names[index]}")
    if contrary:
        remarks.append(
            f"copies among the {noun} with different labels: {len(contrary):,}, such as "
            f"{shown(contrary.values(), at_most=EXAMPLES)}"
        )
    return remarks


def _also_learnt(found: Found, held_out: Mask) -> list[str]:
    """Return which of the examples to test on have a copy to learn from, and which."""
    trained: dict[str, int] = {}
    for index in np.flatnonzero(~held_out).tolist():
        trained.setdefault(found.contents[index], index)
    return [
        f"{found.names[index]} (as {found.names[trained[found.contents[index]]]})"
        for index in np.flatnonzero(held_out).tolist()
        if found.contents[index] in trained
    ]


def _description(spec: DataSpec, found: Found, labelling: Labelling, parts: _Parts) -> str:
    counts = f"{len(found.labels):,} {domain_of(spec.family).noun.many} {labelling.counted}"
    tested = int(parts.held_out.sum())
    sides = f"{len(found.labels) - tested:,} to learn from and {tested:,} to test on, "
    return f"{counts}: {sides if len(parts.held_out) == 1 else ''}{parts.how}.{found.said}"


def _content_sha256(spec: DataSpec, found: Found, sides: Sequence[object], labelling: Labelling) -> str:
    """Return the hash of all that decides a score: every example in its place with its label, and how it is read."""
    rows = list(zip(found.contents, found.labels, sides, strict=True))
    own = spec.options.own.model_dump(mode="json", exclude_defaults=True) if spec.options.own else {}
    said = [spec.family, found.settings, labelling.said, rows, *([own] if own else [])]
    if found.units:
        said.append([*found.units, labelling.target.combined_by])
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()
