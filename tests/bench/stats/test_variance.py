"""Parts of the variance, held against scipy's chi-square."""

import numpy as np
import pytest
from scipy import stats as reference

from bench import stats


def test_a_variance_by_hand_with_scipys_interval() -> None:
    found = stats.variance_parts({"subset": [0.1, 0.2, 0.3], "order": [0.5, 0.5, np.nan]})
    low, high = (2 * 0.01 / reference.chi2.ppf(level, 2) for level in (0.975, 0.025))
    assert found["subset"] == pytest.approx((0.01, low, high, 3))
    assert found["order"] == (0.0, 0.0, 0.0, 2)


def test_one_score_has_no_variance() -> None:
    part = stats.variance_parts({"all": [0.4]})["all"]
    assert np.isnan(part[:3]).all()
    assert part.n_values == 1


def test_the_interval_of_a_variance_covers() -> None:
    scores = np.random.default_rng(0).normal(0.8, 0.02, size=(1000, 5))
    parts = [stats.variance_parts({"all": one})["all"] for one in scores]
    assert 0.92 <= np.mean([part.lower <= 0.02**2 <= part.upper for part in parts]) <= 0.98
