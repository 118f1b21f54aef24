"""Which examples of labelled data are tested on: as they came split, as the user says, or dealt here."""

import hashlib
import json
import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import compress, product
from typing import Final, NamedTuple

import numpy as np

from bench.column import Indices
from bench.config.data import DataSpec
from bench.domains.options import DataOptions
from bench.domains.registered import domain_of
from bench.errors import DataError, nearest
from bench.subsets.folds import deal_test_folds
from bench.subsets.groups import shared_groups
from bench.target import Target
from bench.targets.value import number_of
from bench.written import Labelling
from bench_tasks.files.found import Found
from bench_tasks.files.splitting import Labels, Mask, hold_out, hold_out_evenly, on_one_side_only, shown, units_of

FEW: Final = 5_000
"""Fewer examples than this are each tested once, in folds: a share of them would be too few to test on."""

FEWEST_SCORED: Final = 2
"""What is scored in each fold at least: of a single one many a metric is not defined."""

DRAWS: Final = 5
"""How often whole groups are dealt in another order, until folds are sound."""

SMALLEST_FOLD: Final = 1 / 2
"""The smallest share that a fold has of an even fold: the scores of folds count alike."""

LARGEST_FOLD: Final = 2 / 3
"""The largest share of all examples in one fold: the others are what is learnt from where it is tested."""


class Parts(NamedTuple):
    """What each fold tests on, bool [folds, n], and how that was decided.

    `sides` [n] say the same in a word for each example: whether it is tested on, or of several folds in which one.
    """

    held_out: Mask
    sides: Sequence[object]
    how: str
    remarks: list[str]


def part_data(spec: DataSpec, found: Found, labelling: Labelling[Target]) -> Parts:
    """Return which examples each fold tests on. Raises `DataError` if that leaves nothing to learn or to test."""
    options = spec.options
    if options.held_out and not (options.group or options.score_by):
        raise DataError(f"{spec.address}: held_out names groups to test on, so say what a group is (group)")
    if found.parts:
        idle = "held_out" if options.held_out else 'test = "folds"' if options.test == "folds" else ""
        if idle:
            raise DataError(f"{spec.address} comes split, {found.split_as}: leave {idle} out")
        held_out, how = np.array([part == "test" for part in found.parts]), found.split_as
        _refuse_groups_on_both_sides(spec, found, held_out)
    elif options.held_out:
        held_out, how = _held_out_groups(spec, found)
    else:
        return _made(spec, found, labelling)
    return Parts(held_out[None], held_out.tolist(), how, _labels_of_sides(spec, labelling, held_out))


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


def _made(spec: DataSpec, found: Found, labelling: Labelling[Target]) -> Parts:
    """Return parts that keep groups on one side, and copies where groups allow: several folds, or one held-out share.

    Copies tie the groups they are in together. Where a text that everybody writes ties too many, groups alone count.
    """
    options = spec.options
    units = units_of(found.groups, found.contents)
    tied = not _ties_too_many(labelling, units, options.share_tested)
    if found.groups and not tied:
        units = units_of(found.groups)
    _refuse_alone(spec, found, labelling, units)
    whole = ", whole groups of them" if found.groups else ""
    copies = len(found.labels) - len(set(found.contents))
    noun = domain_of(spec.family).noun.many
    remark = f"copies among the {noun}: {copies:,}, each on the same side of the split as what it copies"
    remarks = [remark] if copies and tied else []
    if _is_folded(options, len(found.labels)):
        tested_in = _deal(spec, found, labelling, units)
        if tested_in is not None:
            folds = int(tested_in.max()) + 1
            how = f"dealt into {folds} folds{whole}"
            remarks += _fewer_told(spec, found, folds)
            return Parts(tested_in == np.arange(folds)[:, None], tested_in.tolist(), how, remarks)
        remarks.append(_no_folds_told(spec, found))
    seed = options.split_seed or 0
    draw = hold_out if labelling.are_classes else hold_out_evenly
    held_out = draw(labelling.strata, units, share=options.share_tested, seed=seed)
    by_class = ", stratified by class" if labelling.are_classes else ""
    how = f"{_share_told(held_out, options.share_tested)}{by_class}{whole}, drawn with seed {seed}"
    remarks += _labels_of_sides(spec, labelling, held_out)
    return Parts(held_out[None], held_out.tolist(), how, remarks)


def _share_told(held_out: Mask, asked: float) -> str:
    """Return the share that is held out, and what was asked for where whole groups or few examples do not allow it."""
    told, wanted = (f"{100 * share:.3g} %" for share in (held_out.mean(), asked))
    return told if told == wanted else f"{told} (asked for: {wanted})"


def _ties_too_many(labelling: Labelling[Target], units: Indices, share: float) -> bool:
    """Return whether a class is in one unit, or where there are none, whether a unit has more than is learnt from."""
    if labelling.are_classes:
        return bool(on_one_side_only(labelling.strata, units))
    return bool(np.bincount(units).max() > (1 - share) * len(units))


def _needed(labelling: Labelling[Target]) -> Labels:
    """Return the strata that all have to be on both sides of a split: classes, or one of all examples."""
    return labelling.strata if labelling.are_classes else np.zeros_like(labelling.strata)


def _refuse_alone(spec: DataSpec, found: Found, labelling: Labelling[Target], units: Indices) -> None:
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


def _is_folded(options: DataOptions, n: int) -> bool:
    """Return whether n examples without a split are to be dealt into folds."""
    return options.test == "folds" or (not options.wants_one_split and n < FEW)


def _fewer_told(spec: DataSpec, found: Found, folds: int) -> list[str]:
    """Return a remark on folds that are fewer than they were to be."""
    if folds == spec.folds:
        return []
    return [f"dealt into {folds} folds, not {spec.folds}: {_rule_of_folds(spec, found)}"]


def _no_folds_told(spec: DataSpec, found: Found) -> str:
    """Return the remark on data that could not be dealt. Raises `DataError` where folds were asked for by name."""
    rule = _rule_of_folds(spec, found)
    if spec.options.test == "folds":
        raise DataError(f'{spec.address}: there are no such folds: {rule}; leave test = "folds" out, or add examples')
    return f"tested on one held-out share, since there are no folds: {rule}"


def _rule_of_folds(spec: DataSpec, found: Found) -> str:
    """Return the clause that says what folds are to be."""
    groups = ", of whole groups" if found.groups else ""
    scored = f"of what is scored ({found.unit})" if found.units else domain_of(spec.family).noun.many
    return f"they are to be about even{groups}, with two or more {scored} each"


def _deal(spec: DataSpec, found: Found, labelling: Labelling[Target], units: Indices) -> Indices | None:
    """Return the fold in which each example is tested [n]; `units` [n] number what must not be in two of them.

    There are as many folds as the description asks for, or the most that are sound (see `_are_sound`); None where there
    are none. Strata that are no classes need not be in every fold: where folds of them are not found, none are heeded.
    """
    groups = units if len(np.unique(units)) < len(units) else None
    scored = np.unique(found.units, return_inverse=True)[1] if found.units else np.arange(len(found.labels))
    alone = replace(found, units=(), groups=())  # folds are the same for whatever is scored; groups are in `units`
    content = content_sha256(spec, alone, [None] * len(found.labels), labelling)  # that of no split
    ways = [labelling.strata] if labelling.are_classes else [labelling.strata, np.zeros_like(labelling.strata)]
    draws = [content, *(f"{content}, draw {draw}" for draw in range(1, 1 if groups is None else DRAWS))]
    for count in range(min(spec.folds, len(np.unique(units))), 1, -1):
        for strata, draw in product(ways, draws):
            with suppress(DataError):  # no such folds: others are looked for
                folds = deal_test_folds(strata, groups, count, draw)
                if _are_sound(folds, scored):
                    return folds
    return None


def _are_sound(folds: Indices, scored: Indices) -> bool:
    """Return whether folds [n] are about even, and have two or more of what is scored [n] each."""
    sizes = np.bincount(folds)
    n_scored = np.bincount(np.unique(np.stack([folds, scored]), axis=1)[0])
    return bool(
        sizes.min() >= SMALLEST_FOLD * len(folds) / len(sizes)
        and sizes.max() <= LARGEST_FOLD * len(folds)
        and n_scored.min() >= FEWEST_SCORED
    )


def _labels_of_sides(spec: DataSpec, labelling: Labelling[Target], held_out: Mask) -> list[str]:
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


def content_sha256(spec: DataSpec, found: Found, sides: Sequence[object], labelling: Labelling[Target]) -> str:
    """Return the hash of all that decides a score: every example in its place with its label, and how it is read.

    Options of the domain's own are in it with their defaults, which another version of its package may change. Groups
    are in it since they decide which examples a penalty is chosen on together, and the test blocks.
    """
    rows = list(zip(found.contents, found.labels, sides, strict=True))
    said: list[object] = [spec.family, found.settings, labelling.said, rows]
    kind = domain_of(spec.family).own_options
    if kind:
        said.append(spec.options.own_as(kind).model_dump(mode="json"))
    if found.groups:
        said.append({"groups": list(found.groups)})
    if found.units:
        said.append([*found.units, labelling.target.combined_by])
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()
