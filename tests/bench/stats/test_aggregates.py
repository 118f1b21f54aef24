"""The interquartile mean is scipy's trimmed mean, and by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as reference

from bench import stats


def test_the_interquartile_mean_by_hand() -> None:
    # eight values: two on either side are left out
    assert stats.interquartile_mean([9, 1, 2, 3, 4, 5, 6, -100]) == pytest.approx((2 + 3 + 4 + 5) / 4)


@given(st.lists(st.floats(-1, 1), min_size=4, max_size=30))
def test_the_interquartile_mean_is_scipys_trimmed_mean(values: list[float]) -> None:
    assert stats.interquartile_mean(values) == pytest.approx(reference.trim_mean(values, 0.25), abs=1e-12)


def test_fewer_than_four_values_have_none() -> None:
    assert np.isnan(stats.interquartile_mean([0.1, 0.2, 0.3, np.nan]))
