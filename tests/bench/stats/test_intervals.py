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
