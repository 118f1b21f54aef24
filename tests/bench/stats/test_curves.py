"""Skill and areas, held against cases worked by hand and against scipy's t interval."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as reference

from bench import stats
from tests.bench.stats.replicated import area_of, curve_of


def test_skill_is_0_at_chance_and_1_at_perfect_for_accuracy_and_error_alike() -> None:
    assert stats.skill([0.1, 0.55, 1.0], chance=0.1, perfect=1.0).tolist() == pytest.approx([0, 0.5, 1])
    assert stats.skill([2.0, 1.2, 0.3, 0.0], chance=1.2, perfect=0.0).tolist() == pytest.approx([-2 / 3, 0, 0.75, 1])
    assert np.isnan(stats.skill(1.0, chance=1.0, perfect=1.0))


def test_an_area_by_hand() -> None:
    # over log10 the budgets lie at 1, 2 and 4: (1 * (0 + 0.5) / 2 + 2 * (0.5 + 1) / 2) / 3
    assert area_of([10, 100, 10_000], [0.0, 0.5, 1.0]) == pytest.approx(1.75 / 3)


def test_the_area_of_one_budget_is_its_height_and_may_be_negative() -> None:
    assert area_of([40], [0.7]) == 0.7
    assert area_of([1, 10], [-0.5, -0.1]) == pytest.approx(-0.3)


def test_a_budget_without_labels_has_no_place_along_a_logarithm_and_its_height_where_it_is_alone() -> None:
    assert area_of([0, 10, 100, 10_000], [0.9, 0.0, 0.5, 1.0]) == pytest.approx(1.75 / 3)
    assert area_of([0], [0.7]) == 0.7


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=6), st.integers(2, 9))
def test_an_area_does_not_depend_on_the_unit_of_labels(values: list[float], factor: int) -> None:
    labels = np.cumsum(np.arange(1, len(values) + 1))
    area = area_of(labels, values)
    assert area == pytest.approx(area_of(labels * factor, values), abs=1e-9)
    assert min(values) - 1e-9 <= area <= max(values) + 1e-9


def test_the_interval_of_an_area_is_that_of_the_areas_of_each_seeds_own_curve() -> None:
    # over log10 the areas are (0 + 0.4) / 2, (0.2 + 0.4) / 2 and (0.1 + 0.7) / 2
    area = stats.area_of_replicates([10, 100], curve_of([[0.0, 0.4], [0.2, 0.4], [0.1, 0.7]]))
    expected = reference.t.interval(0.95, 2, loc=0.3, scale=reference.sem([0.2, 0.3, 0.4]))
    found = stats.estimate(area)
    assert found.mean == pytest.approx(0.3)
    assert found.n_values == 3
    assert (found.lower, found.upper) == pytest.approx(expected)


def test_a_block_moves_an_area_as_it_moves_the_scores_that_it_is_the_mean_of() -> None:
    # The first block moves both scores by .02: it moves the area as much. The second moves them against each other.
    scores, sizes = (0.4, 0.6), [1] * 4
    left = ([0.38, 0.39, 0.4, 0.4], [0.58, 0.61, 0.6, 0.6])
    curve = [stats.replicate({0: one}, {0: without}, sizes) for one, without in zip(scores, left, strict=True)]
    area = stats.area_of_replicates([10, 1000], curve)
    assert area.values.tolist() == pytest.approx([0.5])
    assert (area.moved / curve[0].moved[0, 0]).tolist()[0] == pytest.approx([1, 0, 0, 0])


def test_a_seed_with_a_gap_has_no_area_and_does_not_count() -> None:
    area = stats.area_of_replicates([10, 100], curve_of([[0.0, 0.4], [0.2, math.nan]]))
    assert (area.seeds, area.values.tolist()) == ((0,), pytest.approx([0.2]))
    assert len(stats.area_of_replicates([10, 100], curve_of(np.full((2, 2), math.nan)))) == 0
