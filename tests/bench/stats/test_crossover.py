"""Crossovers, by hand: where one curve comes to lie above another, for good, and how sure that is."""

import math

import numpy as np
import pytest
from numpy.typing import ArrayLike

from bench import stats
from tests.bench.stats.replicated import curve_of

LABELS = [10, 100, 1000]


def crossing(ours: ArrayLike, theirs: ArrayLike, *, higher_is_better: bool = True) -> stats.Crossing:
    """Return the crossover of curves over 10, 100 and 1000 labels."""
    found = stats.crossover(curve_of(ours), curve_of(theirs), n_labels=LABELS, higher_is_better=higher_is_better)
    assert found is not None
    return found


def test_a_crossover_by_hand_with_its_interval() -> None:
    # The mean difference is -0.1, 0.1, 0.3: zero half way between 10 and 100. Two seeds lie 0.002 apart, t(0.975; 1) is
    # 12.7062, and the slope is 0.2 a decade: 12.7062 * 0.001 / 0.2 decades on either side.
    found = crossing([[0.399, 0.599, 0.799], [0.401, 0.601, 0.801]], [[0.5, 0.5, 0.5]] * 2)
    assert found.kind == "from"
    expected = [10 ** (1.5 + side * 0.063531) for side in (-1, 0, 1)]
    assert [found.lower, found.n_labels, found.upper] == pytest.approx(expected)


def test_of_several_crossings_the_last_counts() -> None:
    found = crossing([[0.6, 0.4, 0.6], [0.6, 0.4, 0.6]], [[0.5, 0.5, 0.5]] * 2)
    assert [found.lower, found.n_labels, found.upper] == pytest.approx([10**2.5] * 3)


def test_a_curve_above_everywhere_and_one_that_never_gets_there_are_told() -> None:
    above = crossing([[0.6, 0.7, 0.8], [0.6, 0.7, 0.8]], [[0.5, 0.5, 0.5]] * 2)
    assert above == stats.Crossing("everywhere", 10, -math.inf, 10)
    never = crossing([[0.3, 0.4, 0.4], [0.3, 0.4, 0.4]], [[0.5, 0.5, 0.5]] * 2)
    assert never[0] == "none in the range"
    assert math.isnan(never.n_labels)
    assert never[2:] == (1000, math.inf)


def test_a_lead_that_seeds_do_not_decide_has_open_ends() -> None:
    found = crossing([[0.3, 0.5, 0.9], [0.6, 0.9, 0.5]], [[0.5, 0.5, 0.5]] * 2)
    assert found.kind == "from"
    assert (found.lower, found.upper) == (-math.inf, math.inf)


def test_an_error_crosses_where_the_mirrored_accuracy_does() -> None:
    ours, theirs = np.array([[0.4, 0.6, 0.9], [0.41, 0.63, 0.88]]), np.array([[0.5, 0.5, 0.6], [0.5, 0.52, 0.6]])
    up, down = crossing(ours, theirs), crossing(1 - ours, 1 - theirs, higher_is_better=False)
    assert up[1:] == pytest.approx(down[1:])


def test_one_seed_crosses_without_an_interval_and_gaps_do_not_count() -> None:
    one = crossing([[0.4, 0.6, 0.8], [0.1, math.nan, 0.1]], [[0.5, 0.5, 0.5]] * 2)
    assert one.n_labels == pytest.approx(10**1.5)
    assert np.isnan([one.lower, one.upper]).all()
    nothing = np.full((2, 3), math.nan)
    assert stats.crossover(curve_of(nothing), curve_of(nothing), n_labels=LABELS, higher_is_better=True) is None
