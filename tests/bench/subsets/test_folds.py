"""Folds hold whole groups, are as even in classes as these allow, and leave every class something to learn from."""

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from bench.column import dense
from bench.errors import DataError
from bench.subsets.folds import deal_test_folds, grouped_folds
from bench.subsets.seeds import stream
from bench.subsets.subset import stratified_folds
from bench.targets.classes import LABEL, Classes

SHA256 = "61f41d079ec3abb523fbe849e709b4bfff3ddfe73f190e04969281e5205dba73"

Integers = NDArray[np.int64]

examples = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 25)), min_size=2, max_size=120)
"""Pairs of a class and a group."""

few_groups = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 6)), min_size=2, max_size=25)
"""The same, with classes that are in two or three groups only."""


def classes_of(fewest: int) -> st.SearchStrategy[list[int]]:
    """Return labels of up to four classes in any order, with at least so many examples of each."""
    return st.lists(st.integers(fewest, 20), min_size=1, max_size=4).flatmap(
        lambda counts: st.permutations([name for name, count in enumerate(counts) for _ in range(count)])
    )


def columns(pairs: list[tuple[int, int]]) -> tuple[Integers, NDArray[Any]]:
    return np.array([label for label, _ in pairs]), np.array([f"voice {group}" for _, group in pairs])


def learnt_from(labels: Integers, folds: Integers, fold: int) -> set[int]:
    return set(labels[folds != fold].tolist())


def unevenness(labels: Integers, folds: Integers) -> float:
    """Return the sum over folds and classes of (held - share)^2 / all."""
    held = np.array([np.bincount(labels[folds == fold], minlength=labels.max() + 1) for fold in np.unique(folds)])
    return float(((held - held.mean(0)) ** 2 / held.sum(0)).sum())


@given(classes_of(1), st.integers(0, 100))
def test_examples_without_groups_are_dealt_as_the_target_deals_them(labels: list[int], seed: int) -> None:
    expected = Classes(tuple(map(str, set(labels)))).sampling.folds(
        dense(**{LABEL: np.array(labels)}), None, None, stream(seed, "folds")
    )
    found = grouped_folds(np.array(labels), None, 5, stream(seed, "folds"))
    assert (found is None) == (expected is None)
    if found is not None and expected is not None:
        np.testing.assert_array_equal(found, expected)


def test_examples_without_groups_are_dealt_by_stratified_folds() -> None:
    labels = np.arange(60) % 7 % 3
    expected = stratified_folds(labels, 5, stream(1, "folds"))
    np.testing.assert_array_equal(grouped_folds(labels, None, 5, stream(1, "folds")), expected)


@given(examples, st.integers(2, 6), st.integers(0, 100))
def test_no_group_is_in_two_folds_and_no_fold_is_empty(pairs: list[tuple[int, int]], count: int, seed: int) -> None:
    labels, groups = columns(pairs)
    folds = grouped_folds(labels, groups, count, stream(seed, "folds"))
    if folds is not None:
        n_groups = len(set(groups.tolist()))
        assert len(set(zip(groups.tolist(), folds.tolist(), strict=True))) == n_groups
        assert set(folds.tolist()) == set(range(min(count, n_groups)))


@given(few_groups, st.integers(2, 6), st.integers(0, 100))
def test_every_class_can_be_learnt_whichever_fold_is_held_out(
    pairs: list[tuple[int, int]], count: int, seed: int
) -> None:
    labels, groups = columns(pairs)
    folds = grouped_folds(labels, groups, count, stream(seed, "folds"))
    if folds is not None:
        for fold in set(folds.tolist()):
            assert learnt_from(labels, folds, fold) == set(labels.tolist())


@given(examples, st.integers(0, 100))
def test_there_are_folds_wherever_each_class_is_in_two_groups_and_folds_outnumber_classes(
    pairs: list[tuple[int, int]], seed: int
) -> None:
    labels, groups = columns(pairs)
    several = all(len(set(groups[labels == name].tolist())) > 1 for name in set(labels.tolist()))
    assume(len(set(groups.tolist())) > 5)
    assert (grouped_folds(labels, groups, 6, stream(seed, "folds")) is not None) == several


@given(classes_of(2), st.integers(2, 5), st.integers(0, 100))
def test_groups_of_single_examples_split_each_class_as_evenly_as_can_be(
    labels: list[int], count: int, seed: int
) -> None:
    assume(len(labels) >= count)
    folds = grouped_folds(np.array(labels), np.arange(len(labels)), count, stream(seed, "folds"))
    assert folds is not None
    for name in set(labels):
        sizes = np.bincount(folds[np.array(labels) == name], minlength=count)
        assert sizes.max() - sizes.min() <= 1


@given(st.lists(st.integers(0, 30), min_size=2, max_size=120), st.integers(2, 6), st.integers(0, 100))
def test_without_classes_folds_differ_by_at_most_the_largest_group(groups: list[int], count: int, seed: int) -> None:
    assume(len(set(groups)) > 1)
    folds = grouped_folds(None, np.array(groups), count, stream(seed, "folds"))
    assert folds is not None
    sizes = np.bincount(folds)
    assert sizes.max() - sizes.min() <= max(map(groups.count, groups))


def test_classes_are_as_even_as_scikit_learn_has_them() -> None:
    ours, theirs = [], []
    for seed in range(40):
        generator = np.random.default_rng(seed)
        groups = np.repeat(np.arange(60), generator.geometric(0.15, 60))
        shares = generator.dirichlet([1, 1, 1, 1], 60)[groups]
        labels = (generator.random((len(groups), 1)) > shares.cumsum(1)[:, :3]).sum(1)
        folds = grouped_folds(labels, groups, 5, stream(seed, "folds"))
        assert folds is not None
        ours.append(unevenness(labels, folds))
        rival = np.empty(len(labels), dtype=np.int64)
        splitter = StratifiedGroupKFold(5, shuffle=True, random_state=seed)
        for fold, (_, held_out) in enumerate(splitter.split(labels, labels, groups)):
            rival[held_out] = fold
        theirs.append(unevenness(labels, rival))
    assert np.mean(ours) <= np.mean(theirs)


def test_the_names_of_classes_and_the_order_of_examples_do_not_matter() -> None:
    labels, groups = np.arange(90) % 4 % 3, np.arange(90) // 4
    folds = grouped_folds(labels, groups, 5, stream(0, "folds"))
    assert folds is not None
    backwards = grouped_folds(10 * labels[::-1], groups[::-1], 5, stream(0, "folds"))
    np.testing.assert_array_equal(folds[::-1], backwards)


@pytest.mark.parametrize(
    ("labels", "groups"),
    [
        pytest.param([0, 0, 1, 1], ["a", "a", "a", "a"], id="one group"),
        pytest.param([0, 0, 1, 1], ["a", "b", "a", "a"], id="a class in one group"),
        pytest.param([0, 0, 1], None, id="a class of one example"),
    ],
)
def test_there_are_no_folds_where_a_class_would_have_nothing_to_learn_from(
    labels: list[int], groups: list[str] | None
) -> None:
    named = None if groups is None else np.array(groups)
    assert grouped_folds(np.array(labels), named, 5, stream(0, "folds")) is None


def test_three_groups_that_share_their_classes_in_a_ring_have_three_folds_but_not_two() -> None:
    labels, groups = np.array([0, 1, 1, 2, 2, 0]), np.array(["a", "a", "b", "b", "c", "c"])
    assert grouped_folds(labels, groups, 2, stream(0, "folds")) is None
    assert grouped_folds(labels, groups, 3, stream(0, "folds")) is not None


@given(labels=classes_of(4), count=st.integers(2, 8), pairs=st.booleans())
def test_every_example_is_tested_once_in_as_many_folds_as_asked_for(
    labels: list[int], count: int, *, pairs: bool
) -> None:
    assume(len(labels) >= count)
    groups = np.arange(len(labels)) // 2 if pairs else None
    assume(not pairs or len(labels) // 2 >= count)
    assume(not pairs or count > len(set(labels)))  # then folds are found
    folds = deal_test_folds(np.array(labels), groups, count, SHA256)
    assert len(folds) == len(labels)
    assert set(folds.tolist()) == set(range(count))
    for fold in range(count):
        assert learnt_from(np.array(labels), folds, fold) == set(labels)


@pytest.mark.parametrize("groups", [None, np.arange(60) // 2])
def test_test_folds_are_those_of_the_data(groups: Integers | None) -> None:
    labels = np.arange(60) % 7 % 3
    folds = deal_test_folds(labels, groups, 5, SHA256)
    np.testing.assert_array_equal(folds, deal_test_folds(labels, groups, 5, SHA256))
    assert (folds != deal_test_folds(labels, groups, 5, SHA256[::-1])).any()


@pytest.mark.parametrize(
    ("labels", "groups", "message"),
    [
        ([0, 0, 1, 1], None, r"4 examples cannot be dealt into 5 folds: ask for 4 seeds or fewer"),
        ([0, 0, 1, 1, 0, 1], ["a", "b", "c", "d", "d", "a"], r"4 groups cannot be dealt into 5 folds"),
        ([0, 0, 0, 0, 0, 1], None, r"1 of 2 classes are in one of the examples alone \(class 1, counted from 0\)"),
        ([0, 0, 0, 0, 0, 1, 1], ["a", "b", "c", "d", "e", "f", "f"], r"are in one of the groups alone \(class 1,"),
    ],
)
def test_data_that_cannot_be_tested_once_are_refused(labels: list[int], groups: list[str] | None, message: str) -> None:
    with pytest.raises(DataError, match=message):
        deal_test_folds(np.array(labels), None if groups is None else np.array(groups), 5, SHA256)


def test_groups_that_share_their_classes_in_a_ring_are_refused_as_two_folds() -> None:
    labels, groups = np.array([0, 1, 1, 2, 2, 0]), np.array(["a", "a", "b", "b", "c", "c"])
    with pytest.raises(DataError, match="no 2 folds were found that keep 3 groups together"):
        deal_test_folds(labels, groups, 2, SHA256)
