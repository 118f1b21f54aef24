"""Test splits keep groups whole, have every class on both sides and about their share, by their seed alone."""

import numpy as np
import pytest
from bench_tasks.files.splitting import hold_out, hold_out_evenly, on_one_side_only, shown, units_of
from hypothesis import assume, given, reject
from hypothesis import strategies as st

from bench.errors import DataError

labels_of_classes = st.lists(st.integers(2, 30), min_size=2, max_size=5).flatmap(
    lambda counts: st.permutations([name for name, count in enumerate(counts) for _ in range(count)])
)
shares = st.floats(0.05, 0.95)
seeds = st.integers(0, 1000)


@given(labels_of_classes, shares, seeds)
def test_every_class_is_on_both_sides_and_the_share_is_met(labels: list[int], share: float, seed: int) -> None:
    classes = np.array(labels)
    held_out = hold_out(classes, np.arange(len(labels)), share=share, seed=seed)
    assert set(classes[held_out]) == set(classes[~held_out]) == set(labels)
    assert abs(held_out.sum() - share * len(labels)) <= len(set(labels)) + 1


def test_each_class_has_its_share_of_the_test_split() -> None:
    labels = np.repeat([0, 1, 2], (400, 80, 20))
    for units in (np.arange(500), np.arange(500) // 2):
        held_out = hold_out(labels, units, share=0.25, seed=3)
        np.testing.assert_allclose(np.bincount(labels[held_out]), (100, 20, 5), atol=1)


@given(labels_of_classes, st.integers(2, 12), shares, seeds)
def test_no_group_spans_the_split_and_every_class_is_on_both_sides(
    labels: list[int], groups: int, share: float, seed: int
) -> None:
    classes = np.array(labels)
    units = units_of([f"group {index * 7 % groups}" for index in range(len(labels))])
    assume(not on_one_side_only(classes, units))
    try:
        held_out = hold_out(classes, units, share=share, seed=seed)
    except DataError:  # it may be that there is none, as in the test below
        reject()
    assert not set(units[held_out]) & set(units[~held_out])
    assert set(classes[held_out]) == set(classes[~held_out]) == set(labels)


@given(st.lists(st.integers(4, 30), min_size=2, max_size=4), st.integers(2, 4), st.floats(0.2, 0.8), seeds)
def test_small_groups_of_one_class_come_near_to_the_share(
    counts: list[int], largest: int, share: float, seed: int
) -> None:
    labels = np.repeat(np.arange(len(counts)), [largest * count for count in counts])
    units = np.arange(len(labels)) // largest
    held_out = hold_out(labels, units, share=share, seed=seed)
    wanted = share * np.bincount(labels)
    assert (abs(np.bincount(labels[held_out]) - wanted) <= largest).all()


@given(labels_of_classes, seeds)
def test_the_same_seed_gives_the_same_split(labels: list[int], seed: int) -> None:
    classes = np.array(labels)
    for units in (np.arange(len(labels)), np.arange(len(labels)) // 2):
        if on_one_side_only(classes, units):
            continue
        one, other = (hold_out(classes, units, share=0.5, seed=seed) for _ in range(2))
        np.testing.assert_array_equal(one, other)


def test_another_seed_gives_another_split() -> None:
    labels = np.arange(100) % 2
    for units in (np.arange(100), np.arange(100) // 4):
        one, other = (hold_out(labels, units, share=0.25, seed=seed) for seed in (0, 1))
        assert (one != other).any()


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 9)), min_size=2, max_size=60), st.floats(0.01, 0.99), seeds)
def test_without_classes_the_share_is_met_within_a_group_and_neither_side_is_empty(
    groups: list[tuple[int, int]], share: float, seed: int
) -> None:
    sizes, values = (np.array(each) for each in zip(*groups, strict=True))
    units = np.repeat(np.arange(len(groups)), sizes)
    strata = np.unique(np.repeat(values, sizes), return_inverse=True)[1]
    held_out = hold_out_evenly(strata, units, share=share, seed=seed)
    assert not set(units[held_out]) & set(units[~held_out])
    assert held_out.any()
    assert not held_out.all()
    assert abs(held_out.sum() - share * len(units)) <= sizes.max()


@pytest.mark.parametrize(("patients", "tested"), [(20, 5), (12, 3), (40, 10)])
def test_patients_with_one_value_each_are_held_out_to_the_share_and_evenly(patients: int, tested: int) -> None:
    units = np.repeat(np.arange(patients), 3)
    strata = units * 10 // patients
    for seed in range(10):
        held_out = hold_out_evenly(strata, units, share=0.25, seed=seed)
        assert held_out.sum() == 3 * tested
        by_stratum = np.bincount(strata[held_out], minlength=10) // 3
        assert by_stratum.max() - by_stratum.min() <= 1


@pytest.mark.parametrize(("patients", "tested"), [(20, 5), (12, 3), (40, 10)])
def test_patients_with_one_class_each_are_held_out_to_the_share(patients: int, tested: int) -> None:
    units = np.repeat(np.arange(patients), 3)
    for seed in range(10):
        held_out = hold_out(units % 2, units, share=0.25, seed=seed)
        assert held_out.sum() == 3 * tested
        assert abs(np.diff(np.bincount(units[held_out] % 2))) <= 3


def test_a_split_that_cannot_be_is_refused() -> None:
    # Each class is in two groups, but of groups A (0, 1), B (1, 2) and C (2, 0) two would have to be on both sides.
    labels, units = np.array([0, 1, 1, 2, 2, 0]), np.array([0, 0, 1, 1, 2, 2])
    with pytest.raises(DataError, match="held_out"):
        hold_out(labels, units, share=0.5, seed=0)


def test_examples_with_a_group_or_a_content_in_common_are_one_unit() -> None:
    groups = ["anna", "anna", "ben", "carl", "dora"]
    contents = ["1", "2", "2", "3", "4"]
    assert units_of(groups, contents).tolist() == [0, 0, 0, 1, 2]
    assert units_of((), contents).tolist() == [0, 1, 1, 2, 3]


def test_classes_in_one_unit_are_found() -> None:
    assert on_one_side_only(np.array([0, 0, 1, 1, 2]), np.array([0, 1, 2, 2, 3])) == [1, 2]


def test_long_lists_are_cut_and_counted() -> None:
    assert shown("abc") == "a; b; c"
    assert shown(map(str, range(25)), at_most=2) == "0; 1; and 23 more"
