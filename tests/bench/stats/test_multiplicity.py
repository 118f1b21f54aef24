"""Many comparisons at a time, held against scipy's own, closed testing and a case worked by hand."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as reference

from bench import stats

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=6)


def test_holm_and_benjamini_hochberg_by_hand() -> None:
    # Holm: 4 * .01, 3 * .02, 2 * .03 (not below the one before), 1 * .04 (likewise)
    assert stats.holm([0.04, 0.01, 0.03, 0.02]).tolist() == pytest.approx([0.06, 0.04, 0.06, 0.06])
    # Benjamini-Hochberg: 4/1 * .01 = 4/2 * .02 = 4/3 * .03 = 4/4 * .04
    assert stats.benjamini_hochberg([0.04, 0.01, 0.03, 0.02]).tolist() == pytest.approx([0.04] * 4)


@given(P_VALUES)
def test_holm_is_the_closed_test_of_bonferroni(p: list[float]) -> None:
    # What it shortens (Marcus, Peritz and Gabriel 1976): one is rejected where every set that holds it is.
    sets = [chosen for size in range(1, len(p) + 1) for chosen in combinations(range(len(p)), size)]
    closed = [max(min(1.0, len(s) * min(p[j] for j in s)) for s in sets if i in s) for i in range(len(p))]
    assert stats.holm(p).tolist() == pytest.approx(closed)


@given(P_VALUES)
def test_benjamini_hochberg_is_that_of_scipy(p: list[float]) -> None:
    expected = reference.false_discovery_control(p, method="bh")
    assert stats.benjamini_hochberg(p).tolist() == pytest.approx(expected.tolist())


@pytest.mark.parametrize("adjust", [stats.holm, stats.benjamini_hochberg])
def test_a_missing_p_value_stays_missing_and_is_no_comparison(adjust: object) -> None:
    assert callable(adjust)
    found = adjust([0.01, np.nan, 0.04])
    assert np.isnan(found[1])
    assert found[[0, 2]].tolist() == adjust([0.01, 0.04]).tolist()
    assert len(adjust([])) == 0
