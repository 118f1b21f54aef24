"""Intervals, held against scipy's own and against cases worked by hand."""

import math

import numpy as np
import pytest
from scipy import stats as reference

from bench import stats


@pytest.mark.parametrize("scores", [[0.5, 0.7], [0.8, 0.82, 0.79], list(np.linspace(0, 1, 12) ** 2)])
def test_the_interval_is_scipys_t_interval(scores: list[float]) -> None:
    margin = stats.half_width(np.std(scores, ddof=1), len(scores))
    interval = reference.t.interval(0.95, len(scores) - 1, loc=np.mean(scores), scale=reference.sem(scores))
    assert (np.mean(scores) - margin, np.mean(scores) + margin) == pytest.approx(interval)


def test_three_seeds_by_hand() -> None:
    # s = 0.1, n = 3, t(0.975; 2) = 4.30265: 4.30265 * 0.1 / sqrt(3)
    assert stats.half_width(0.1, 3) == pytest.approx(0.248414, abs=1e-6)


def test_one_seed_has_no_interval() -> None:
    assert np.isnan(stats.half_width([0.1, math.nan], [1, 0])).all()


def test_an_accuracy_stays_between_0_and_1_and_an_error_above_0() -> None:
    accuracy = stats.clipped_interval([0.01, 0.99], [0.1, 0.1], highest=1.0)
    assert accuracy.lower.tolist() == pytest.approx([0.0, 0.89])
    assert accuracy.upper.tolist() == pytest.approx([0.11, 1.0])
    error = stats.clipped_interval(1.5, 2.0, highest=math.inf)
    assert (float(error.lower), float(error.upper)) == (0.0, 3.5)


def test_the_interval_of_paired_differences_is_that_of_scipys_paired_t_test() -> None:
    ours, theirs = np.array([0.81, 0.84, 0.90, 0.86]), np.array([0.80, 0.80, 0.85, 0.84])
    expected = reference.ttest_rel(ours, theirs).confidence_interval(0.95)
    found = stats.mean_interval(ours - theirs)
    assert (found.lower, found.upper) == pytest.approx((expected.low, expected.high))


def test_a_mean_has_scipys_t_interval_and_what_is_missing_does_not_count() -> None:
    scores = [0.8, 0.82, math.nan, 0.79]
    known = [score for score in scores if not math.isnan(score)]
    expected = reference.t.interval(0.95, 2, loc=np.mean(known), scale=reference.sem(known))
    found = stats.mean_interval(scores)
    assert (found.lower, found.upper) == pytest.approx(expected)
    assert found.mean == pytest.approx(np.mean(known))
    assert found.n_values == 3


def test_values_that_agree_have_an_interval_of_no_width_and_one_value_has_none() -> None:
    assert stats.mean_interval([0.1 + 0.2, 0.3])[1:3] == pytest.approx((0.3, 0.3), abs=1e-15)
    assert np.isnan(stats.mean_interval([0.3])[1:3]).all()
    assert stats.mean_interval([]).n_values == 0
