"""Owns classification data that a user names: checked, split into train and test, and described."""

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from bench.card import TaskCard
from bench.config.data import DOMAINS, DataOptions, DataSpec
from bench.domain import Raw
from bench.errors import DataError, nearest
from bench.runtime.cache import Cache
from bench.target import Classes
from bench.task import Examples, Splits, Task
from bench_tasks.files.splitting import Labels, Mask, hold_out, on_one_side_only, shown, units_of

log = logging.getLogger(__name__)

NOUNS: Final = {
    "image_classification": "pictures",
    "audio_classification": "recordings",
    "text_classification": "texts",
}

# What folders and columns call the parts of a data set.
PARTS: Final = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("test", "testing"), "test"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "val"),
}

EXAMPLES: Final = 3  # shown of what a remark is about
CLASSES_SHOWN: Final = 10

ALWAYS_USED: Final = frozenset(
    {"title", "licence", "citation", "source", "test_share", "split_seed", "group", "held_out", "skip_bad"}
)


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Labelled examples as they were found. All columns are [n].

    `contents` are equal for examples that are copies of each other, `names` tell people which one is meant (a path, a
    row). `groups` and `parts` ("train" or "test") are empty where the data do not say; `split_as` is how they say it.
    `settings` is what else decides what a backbone gets to see, `said` how that is told.
    """

    raw: Raw
    labels: Sequence[str]
    contents: Sequence[str]
    names: Sequence[str]
    groups: Sequence[str] = ()
    parts: Sequence[str] = ()
    split_as: str = ""
    remarks: tuple[str, ...] = ()
    settings: tuple[object, ...] = ()
    said: str = ""


class _Split(NamedTuple):
    held_out: Mask
    how: str
    remarks: list[str]


class LabelledTask(Task):
    """Classification of examples that a user names; `groups` [n] are empty where none are known."""

    def __init__(
        self, card: TaskCard, everything: Examples, held_out: Mask, *, names: tuple[str, ...], groups: Sequence[str]
    ) -> None:
        self.card = card
        self.target = Classes(names)
        self._everything = everything
        self._held_out = held_out
        self._groups = groups

    def load(self, cache: Cache) -> Splits:
        sides = list(zip(self._groups, self._held_out.tolist(), strict=bool(self._groups)))
        return Splits(
            train=self._everything.take(np.flatnonzero(~self._held_out)),
            test=self._everything.take(np.flatnonzero(self._held_out)),
            train_groups=tuple(group for group, held_out in sides if not held_out),
            test_groups=tuple(group for group, held_out in sides if held_out),
        )


def labelled_task(name: str, spec: DataSpec, found: Found) -> LabelledTask:
    """Return the task on what was found. Raises `DataError` if it cannot be learnt from or tested on."""
    names = tuple(sorted(set(found.labels)))
    if len(names) < 2:
        held = f"all {len(found.labels):,} have the label {names[0]!r}" if names else "there are none"
        raise DataError(f"{spec.address}: at least two classes are expected among the {NOUNS[spec.family]}, but {held}")
    numbers = {label: number for number, label in enumerate(names)}
    labels = np.array([numbers[label] for label in found.labels], dtype=np.int64)
    alike = _labels_alike(names)
    for remark in alike:
        log.warning("%s: %s", spec.address, remark)
    split = _split(spec, found, labels, names)
    card = TaskCard(
        name=name,
        title=spec.options.title or name,
        domain=DOMAINS[spec.family],
        description=_description(spec, found, names, split),
        source=spec.options.source or spec.address,
        licence=spec.options.licence,
        citation=spec.options.citation,
        version=1,
        sha256=_content_sha256(spec, found, split.held_out, names),
        pinned=False,
        n_train=int((~split.held_out).sum()),
        remarks=(*found.remarks, *alike, *split.remarks, *_copies(spec, found, split.held_out)),
    )
    return LabelledTask(card, Examples(found.raw, labels), split.held_out, names=names, groups=found.groups)


def refuse_unused(spec: DataSpec, used: frozenset[str]) -> None:
    """Raise `DataError` for options that say something which does not apply to such data."""
    defaults = DataOptions()
    idle = [
        option
        for option in DataOptions.model_fields
        if option not in used | ALWAYS_USED and getattr(spec.options, option) != getattr(defaults, option)
    ]
    if idle:
        raise DataError(
            f"{spec.address}: {', '.join(idle)} does not apply to {spec.family} from {spec.kind}: leave it out "
            f"(what applies: {', '.join(sorted(used | ALWAYS_USED))})"
        )


def refuse_groups(spec: DataSpec) -> None:
    """Raise `DataError` for groups asked of data that say nothing of them."""
    if spec.options.group:
        raise DataError(f"{spec.address} says nothing of groups: leave group = {spec.options.group!r} out")


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


def _labels_alike(names: Sequence[str]) -> list[str]:
    """Return a remark for labels that differ only in case or in spaces around them."""
    alike: dict[str, list[str]] = {}
    for label in names:
        alike.setdefault(label.strip().casefold(), []).append(label)
    return [
        f"labels {' and '.join(map(repr, sorted(same)))} are probably one class"
        for same in alike.values()
        if len(same) > 1
    ]


def _split(spec: DataSpec, found: Found, labels: Labels, names: Sequence[str]) -> _Split:
    options = spec.options
    if options.held_out and not options.group:
        raise DataError(f"{spec.address}: held_out names groups to test on, so say what a group is (group)")
    if found.parts:
        if options.held_out:
            raise DataError(f"{spec.address} comes split, {found.split_as}: leave held_out out")
        split = _Split(np.array([part == "test" for part in found.parts]), found.split_as, [])
        _refuse_groups_on_both_sides(spec, found, split.held_out)
    elif options.held_out:
        split = _held_out_groups(spec, found)
    else:
        split = _made(spec, found, labels, names)
    return split._replace(remarks=[*split.remarks, *_classes_of_sides(spec, labels, names, split.held_out)])


def _refuse_groups_on_both_sides(spec: DataSpec, found: Found, held_out: Mask) -> None:
    sides: dict[str, set[bool]] = {}
    for group, side in zip(found.groups, held_out.tolist(), strict=bool(found.groups)):
        sides.setdefault(group, set()).add(side)
    both = sorted(group for group, side in sides.items() if len(side) > 1)
    if both:
        raise DataError(
            f"{spec.address} comes split, {found.split_as}, but {len(both):,} of its groups are on both sides: "
            f"{shown(both)}; move each to one side, or leave group out"
        )


def _held_out_groups(spec: DataSpec, found: Found) -> _Split:
    wanted, known = spec.options.held_out, sorted(set(found.groups))
    unknown = [f"{group!r}{nearest(group, known)}" for group in wanted if group not in known]
    if unknown:
        raise DataError(f"{spec.address}: held_out has no such group: {', '.join(unknown)} (there are: {shown(known)})")
    if set(wanted) == set(known):
        raise DataError(f"{spec.address}: all groups are held out, so that there is nothing to learn from")
    held_out = np.array([group in wanted for group in found.groups])
    return _Split(held_out, f"those of {'the groups' if len(wanted) > 1 else 'group'} {' and '.join(wanted)}", [])


def _made(spec: DataSpec, found: Found, labels: Labels, names: Sequence[str]) -> _Split:
    """Return a split that keeps groups on one side, and copies where groups allow.

    Copies tie the groups they are in together. Where a text that everybody writes ties too many, groups alone count.
    """
    options = spec.options
    units = units_of(found.groups, found.contents)
    tied = not on_one_side_only(labels, units)
    if found.groups and not tied:
        units = units_of(found.groups)
    alone = [names[number] for number in on_one_side_only(labels, units)]
    if alone:
        counts = np.bincount(labels)
        said = [f"{label!r} ({counts[names.index(label)]:,})" for label in alone]
        what = "all examples in one group" if found.groups else "a single example, or copies of one,"
        raise DataError(
            f"{spec.address}: classes with {what} cannot be both learnt from and tested on: {shown(said)}; add "
            "examples, or leave the class out"
        )
    held_out = hold_out(labels, units, share=options.test_share, seed=options.split_seed)
    whole = ", whole groups of them" if found.groups else ""
    how = f"about {100 * options.test_share:g} % of each class{whole}, drawn with seed {options.split_seed}"
    copies = len(labels) - len(set(found.contents))
    remark = f"copies among the {NOUNS[spec.family]}: {copies:,}, each on the same side of the split as what it copies"
    return _Split(held_out, how, [remark] if copies and tied else [])


def _classes_of_sides(spec: DataSpec, labels: Labels, names: Sequence[str], held_out: Mask) -> list[str]:
    """Return remarks on classes that are not tested. Raises `DataError` for those that cannot be learnt."""
    learnt, tested = (set(np.unique(labels[side]).tolist()) for side in (~held_out, held_out))
    for side, classes in (("to learn from", learnt), ("to test on", tested)):
        if not classes:
            raise DataError(f"{spec.address}: there are no {NOUNS[spec.family]} {side}")
    if tested - learnt:
        raise DataError(
            f"{spec.address}: classes of the test split are not in the training split: "
            f"{shown(repr(names[number]) for number in sorted(tested - learnt))}; add examples there, or leave them out"
        )
    return [f"class {names[number]!r} has no example in the test split" for number in sorted(learnt - tested)]


def _copies(spec: DataSpec, found: Found, held_out: Mask) -> list[str]:
    """Return remarks on examples that are in both splits, and on copies with different labels."""
    trained: dict[str, int] = {}
    first: dict[str, int] = {}
    contrary: dict[str, str] = {}
    for index, content in enumerate(found.contents):
        if not held_out[index]:
            trained.setdefault(content, index)
        earlier = first.setdefault(content, index)
        if found.labels[earlier] != found.labels[index]:
            contrary.setdefault(content, f"{found.names[earlier]} and {found.names[index]}")
    shared = [
        f"{found.names[index]} (as {found.names[trained[found.contents[index]]]})"
        for index in np.flatnonzero(held_out).tolist()
        if found.contents[index] in trained
    ]
    noun = NOUNS[spec.family]
    remarks = []
    if shared:
        remarks.append(
            f"of the {int(held_out.sum()):,} {noun} to test on, {len(shared):,} can be learnt from, too: "
            f"{shown(shared, at_most=EXAMPLES)}"
        )
    if contrary:
        remarks.append(
            f"copies among the {noun} with different labels: {len(contrary):,}, such as "
            f"{shown(contrary.values(), at_most=EXAMPLES)}"
        )
    return remarks


def _description(spec: DataSpec, found: Found, names: Sequence[str], split: _Split) -> str:
    tested = int(split.held_out.sum())
    classes = f" ({', '.join(names)})" if len(names) <= CLASSES_SHOWN else ""
    counts = f"{len(found.labels):,} {NOUNS[spec.family]} of {len(names):,} classes{classes}"
    parts = f"{len(found.labels) - tested:,} to learn from and {tested:,} to test on, {split.how}."
    return f"{counts}: {parts}{found.said}"


def _content_sha256(spec: DataSpec, found: Found, held_out: Mask, names: Sequence[str]) -> str:
    """Return the hash of all that decides a score: every example in its place with its label, and how it is read."""
    rows = list(zip(found.contents, found.labels, held_out.tolist(), strict=True))
    return hashlib.sha256(json.dumps([spec.family, found.settings, names, rows]).encode()).hexdigest()
