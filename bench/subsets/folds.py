"""Folds that keep groups together and classes even: to choose inside a budget, and to test every example once."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.column import Array, Indices
from bench.errors import DataError
from bench.subsets.seeds import data_stream
from bench.subsets.subset import stratified_folds

ClassIndices = NDArray[np.int64]

NAMED: Final = 3

DECIMALS: Final = 9
"""Sums that differ by less are ties, so that rounding of another processor deals no other folds."""


def grouped_folds(
    labels: ClassIndices | None, groups: Array | None, count: int, generator: np.random.Generator
) -> Indices | None:
    """Return the fold of each example of a budget, or None where there is nothing to choose by; shape [n].

    `labels` [n] are classes, or None where the target has none; `groups` [n] are of any type, or None where examples
    stand for themselves; one of both is needed. Whichever fold is held out, the others have an example of every class:
    None where a class has but one example or one group.

    Without groups there are `count` folds, or as many as the rarest class has examples, and each class is dealt out
    evenly. With groups there are `count` folds, or as many as there are groups, and no group is in two: see
    `_deal_groups`. A fold can then lack a class.
    """
    classes = _classes_of(labels, groups)
    if groups is None:
        rarest = int(np.unique(classes, return_counts=True)[1].min())
        return None if rarest < 2 else stratified_folds(classes, min(count, rarest), generator)
    if _in_one_group(classes, groups):
        return None
    return _deal_groups(classes, groups, min(count, len(np.unique(groups))), generator)


def spread_folds(
    strata: ClassIndices, groups: Array | None, count: int, generator: np.random.Generator
) -> Indices | None:
    """Return the fold of each example of a budget, over which `strata` [n] are spread as evenly as can be; shape [n].

    As `grouped_folds`, but nothing has to be learnt of a stratum: one may be in a single example, group or fold. None
    of fewer than two examples, or of one group.
    """
    if groups is None:
        return stratified_folds(strata, min(count, len(strata)), generator) if len(strata) > 1 else None
    n_groups = len(np.unique(groups))
    if n_groups < 2:
        return None
    count = min(count, n_groups)
    folds = _deal_groups(strata, groups, count, generator)
    return folds if folds is not None else _deal_groups(np.zeros_like(strata), groups, count, generator)


def deal_test_folds(labels: ClassIndices | None, groups: Array | None, count: int, seed_from: str) -> Indices:
    """Return the fold, 0 to count - 1, of each example of data without a split; shape [n].

    The runs of seed k are tested on fold k and learn from the others: every example is tested once. Folds are dealt as
    in `grouped_folds`, but always `count` of them, for the data whose sha256 is `seed_from`, whatever the run.

    Raises `DataError` where that leaves a fold without examples, or a class with nothing to learn from.
    """
    classes = _classes_of(labels, groups)
    units = "examples" if groups is None else "groups"
    n_units = len(classes if groups is None else np.unique(groups))
    if n_units < count:
        raise DataError(f"{n_units} {units} cannot be dealt into {count} folds: ask for {n_units} seeds or fewer")
    lonely = _in_one_group(classes, np.arange(len(classes)) if groups is None else groups)
    if lonely:
        named = ", ".join(map(str, lonely[:NAMED])) + (", …" if len(lonely) > NAMED else "")
        raise DataError(
            f"{len(lonely)} of {len(np.unique(classes))} classes are in one of the {units} alone (class {named}, "
            "counted from 0), so that where it is tested nothing can be learnt of them: leave these classes out"
        )
    generator = data_stream(seed_from, "test folds")
    if groups is None:
        return stratified_folds(classes, count, generator)
    folds = _deal_groups(classes, groups, count, generator)
    if folds is None:
        raise DataError(
            f"no {count} folds were found that keep {n_units} groups together and every class on both sides: ask for "
            "more seeds, or leave out classes of two groups"
        )
    return folds


def _classes_of(labels: ClassIndices | None, groups: Array | None) -> ClassIndices:
    if labels is not None:
        return labels
    assert groups is not None, "labels or groups say how many examples there are"
    return np.zeros(len(groups), dtype=np.int64)


def _in_one_group(classes: ClassIndices, groups: Array) -> list[int]:
    """Return the classes of which one group has all examples."""
    _, membership = np.unique(groups, return_inverse=True)
    pairs = np.unique(np.stack([classes, membership]), axis=1)  # [2, pairs of a class and a group]
    names, n_groups = np.unique(pairs[0], return_counts=True)
    return [int(name) for name in names[n_groups < 2]]


def _deal_groups(labels: ClassIndices, groups: Array, count: int, generator: np.random.Generator) -> Indices | None:
    """Deal groups into `count` folds, of which there are no more than groups; shape [n].

    The largest come first, those of one size in random order. Each goes to the fold where it keeps classes most even:
    with h examples of a class in a fold and m in all of them, that is where it adds least to the sum over folds and
    classes of (h - m / count)^2 / m, hence where the sum of h g / m is least, g being what the group has of each class;
    of several such folds, to the one with the fewest examples. Groups of one example come last and even out what larger
    ones left uneven.

    A fold that would get all examples of a class is passed over. Returns None if every fold is, which takes a group
    with the last examples of as many classes as there are folds. No fold stays empty: an empty one adds nothing.
    """
    _, membership, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    _, classes, totals = np.unique(labels, return_inverse=True, return_counts=True)
    pairs, counts = np.unique(membership * len(totals) + classes, return_counts=True)  # [pairs], group by group
    ends = np.searchsorted(pairs, np.arange(len(sizes) + 1) * len(totals))
    held = np.zeros((count, len(totals)), dtype=np.int64)  # [folds, classes]
    folds = np.empty(len(sizes), dtype=np.int64)
    for group in np.lexsort((generator.random(len(sizes)), -sizes)):
        of_group = slice(ends[group], ends[group + 1])
        present, more = pairs[of_group] % len(totals), counts[of_group]
        after = held[:, present] + more  # [folds, classes of the group]
        costs = (held[:, present] * (more / totals[present])).sum(1).round(DECIMALS)
        costs[(after == totals[present]).any(1)] = np.inf
        fold = np.lexsort((held.sum(1), costs))[0]
        if np.isinf(costs[fold]):
            return None
        folds[group] = fold
        held[fold, present] = after[fold]
    return folds[membership]
