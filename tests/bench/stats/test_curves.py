"""Skill and areas, held against cases worked by hand and against scipy's t interval."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as reference

from bench import stats


def test_skill_is_0_at_chance_and_1_at_perfect_for_accuracy_and_error_alike() -> None:
    assert stats.skill([0.1, 0.55, 1.0], chance=0.1, perfect=1.0).tolist() == pytest.approx([0, 0.5, 1])
    assert stats.skill([2.0, 1.2, 0.3, 0.0], chance=1.2, perfect=0.0).tolist() == pytest.approx([-2 / 3, 0, 0.75, 1])
    assert np.isnan(stats.skill(1.0, chance=1.0, perfect=1.0))


def test_an_area_by_hand() -> None:
    # over log10 the budgets lie at 1, 2 and 4: (1 * (0 + 0.5) / 2 + 2 * (0.5 + 1) / 2) / 3
    assert stats.area_under_curve([10, 100, 10_000], [0.0, 0.5, 1.0]) == pytest.approx(1.75 / 3)


def test_the_area_of_one_budget_is_its_height_and_may_be_negative() -> None:
    assert stats.area_under_curve([40], [0.7]) == 0.7
    assert stats.area_under_curve([1, 10], [-0.5, -0.1]) == pytest.approx(-0.3)


def test_a_budget_without_labels_has_no_place_along_a_logarithm_and_its_height_where_it_is_alone() -> None:
    for unlabelled in (0.9, math.nan):
        assert stats.area_under_curve([0, 10, 100, 10_000], [unlabelled, 0.0, 0.5, 1.0]) == pytest.approx(1.75 / 3)
    assert stats.area_under_curve([0], [0.7]) == 0.7
    assert math.isnan(stats.area_under_curve([0], [math.nan]))
    assert math.isnan(stats.area_under_curve([math.nan, 10], [math.nan, 0.3])), "an amount that is not known is a gap"


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=6), st.integers(2, 9))
def test_an_area_does_not_depend_on_the_unit_of_labels(values: list[float], factor: int) -> None:
    labels = np.cumsum(np.arange(1, len(values) + 1))
    area = stats.area_under_curve(labels, values)
    assert area == pytest.approx(stats.area_under_curve(labels * factor, values), abs=1e-9)
    assert min(values) - 1e-9 <= area <= max(values) + 1e-9


def test_a_missing_point_makes_the_area_missing() -> None:
    assert math.isnan(stats.area_under_curve([10, 100, 1000], [0.1, math.nan, 0.9]))
    assert math.isnan(stats.area_under_curve([], []))


def test_the_interval_of_an_area_is_that_of_the_areas_of_each_seeds_own_curve() -> None:
    # over log10 the areas are (0 + 0.4) / 2, (0.2 + 0.4) / 2 and (0.1 + 0.7) / 2
    found = stats.mean_interval(stats.areas_of_seeds([10, 100], [[0.0, 0.4], [0.2, 0.4], [0.1, 0.7]]))
    expected = reference.t.interval(0.95, 2, loc=0.3, scale=reference.sem([0.2, 0.3, 0.4]))
    assert found.mean == pytest.approx(0.3)
    assert found.n_values == 3
    assert (found.lower, found.upper) == pytest.approx(expected)


def test_a_seed_with_a_gap_has_no_area_and_does_not_count() -> None:
    assert stats.mean_interval(stats.areas_of_seeds([10, 100], [[0.0, 0.4], [0.2, math.nan]]))[:1] == pytest.approx(
        (0.2,)
    )
    assert np.isnan(stats.areas_of_seeds([10, 100], [[0.0, 0.4], [0.2, math.nan]])).tolist() == [False, True]
    assert stats.mean_interval(stats.areas_of_seeds([10, 100], np.full((2, 2), math.nan))).n_values == 0
