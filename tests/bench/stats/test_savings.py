"""Label savings, held against cases worked by hand and against scipy's t test at every number of labels."""

import math

import numpy as np
import pytest
from numpy.typing import ArrayLike
from scipy import stats as reference

from bench import stats
from tests.bench.stats.curves_drawn import BUDGETS, drawn
from tests.bench.stats.replicated import curve_of, seeds_alone


def saved_against(score: float, at: float) -> stats.Savings:
    """Return the label savings against a curve of accuracies 0.2, 0.6, 0.8 at 10, 100, 1000 labels."""
    saved = stats.label_savings(score, at, n_labels=[10, 100, 1000], scores=[0.2, 0.6, 0.8], higher_is_better=True)
    assert saved is not None
    return saved


def test_label_savings_are_read_off_between_measured_points() -> None:
    # 0.4 lies half way from 0.2 at 10 labels to 0.6 at 100, so at 10 ** 1.5 labels
    saved = saved_against(0.4, 5)
    assert saved.kind == "exactly"
    assert [saved.n_labels, saved.ratio] == pytest.approx([31.6228, 6.32456])


def test_label_savings_never_go_beyond_what_was_measured() -> None:
    assert saved_against(0.9, 50) == stats.Savings("at least", 1000, 20)
    assert saved_against(0.1, 50) == stats.Savings("at most", 10, 0.2)
    assert saved_against(0.2, 10) == stats.Savings("exactly", 10, 1)


def test_label_savings_of_an_error_mirror_those_of_an_accuracy() -> None:
    saved = stats.label_savings(0.6, 5, n_labels=[10, 100, 1000], scores=[0.8, 0.4, 0.2], higher_is_better=False)
    assert saved is not None
    assert saved.ratio == pytest.approx(6.32456)


def test_a_dip_in_the_curve_does_not_count_and_a_gap_is_bridged() -> None:
    dipped = stats.label_savings(0.5, 10, n_labels=[10, 20, 40], scores=[0.5, 0.3, 0.6], higher_is_better=True)
    bridged = stats.label_savings(0.5, 10, n_labels=[10, 20, 40], scores=[0.4, math.nan, 0.6], higher_is_better=True)
    assert dipped == stats.Savings("exactly", 10, 1)
    assert bridged is not None
    assert bridged.n_labels == pytest.approx(20)


def test_there_is_no_answer_without_a_score() -> None:
    assert stats.label_savings(math.nan, 10, n_labels=[10], scores=[0.5], higher_is_better=True) is None
    assert stats.label_savings(0.5, 10, n_labels=[10], scores=[math.nan], higher_is_better=True) is None


def over_seeds(ours: ArrayLike, theirs: ArrayLike, at: float = 10) -> stats.Savings:
    """Return the label savings against curves over 10, 100 and 1000 labels, of an accuracy."""
    found = stats.savings_of_replicates(
        seeds_alone(ours), at, n_labels=[10, 100, 1000], theirs=curve_of(theirs), higher_is_better=True
    )
    assert found is not None
    return found


def test_the_interval_ends_where_scipys_paired_t_test_begins_to_reject() -> None:
    labels = np.geomspace(10, 1000, 4001)
    for draw in range(20):
        one = drawn(4, n_draws=20, seed=3)
        ours, theirs = one.probe[draw, :, 1], one.scratch[draw]
        curves = np.array([np.interp(np.log(labels), np.log(BUDGETS), curve) for curve in theirs])
        kept = labels[reference.ttest_rel(curves, ours[:, None]).pvalue >= 0.05]
        found = stats.savings_of_replicates(
            seeds_alone(ours), 30, n_labels=BUDGETS, theirs=curve_of(theirs), higher_is_better=True
        )
        assert found is not None
        assert found.lower * 30 == pytest.approx(kept[0], rel=2e-3)
        assert (math.inf if kept[-1] == labels[-1] else kept[-1]) == pytest.approx(found.upper * 30, rel=2e-3)


def test_an_interval_by_hand() -> None:
    # Two seeds, t(0.975; 1) = 12.7062: the difference at 100 u labels, u in decades, is 0.1 u - 0.05 -+ 0.001, so that
    # its mean is 12.7062 * 0.001 away from zero where u is 0.5 -+ 0.127062.
    found = over_seeds([0.549, 0.551], [[0.5, 0.6, 0.7], [0.5, 0.6, 0.7]])
    assert [found.lower, found.ratio, found.upper] == pytest.approx([10 ** (0.5 + s * 0.127062) for s in (-1, 0, 1)])


def test_seeds_that_agree_leave_an_interval_of_no_width() -> None:
    found = over_seeds([0.55, 0.65, 0.75], [[0.5, 0.6, 0.7], [0.6, 0.7, 0.8], [0.7, 0.8, 0.9]])
    assert [found.lower, found.ratio, found.upper] == pytest.approx([10**0.5] * 3)


def test_an_interval_is_open_where_it_would_leave_what_was_measured() -> None:
    never = over_seeds([0.95, 0.96], [[0.2, 0.6, 0.8], [0.2, 0.6, 0.8]])
    assert (never.kind, never.ratio, never.lower, never.upper) == ("at least", 100, 100, math.inf)
    at_once = over_seeds([0.10, 0.11], [[0.2, 0.6, 0.8], [0.2, 0.6, 0.8]])
    assert (at_once.kind, at_once.ratio, at_once.lower, at_once.upper) == ("at most", 1, -math.inf, 1)
    unclear = over_seeds([0.7, 0.3], [[0.2, 0.6, 0.8], [0.2, 0.6, 0.8]])
    assert (unclear.lower, unclear.upper) == (-math.inf, math.inf)


def test_a_curve_of_one_budget_says_more_or_fewer() -> None:
    found = stats.savings_of_replicates(
        seeds_alone([0.9, 0.91]), 5, n_labels=[50], theirs=curve_of([[0.5], [0.52]]), higher_is_better=True
    )
    assert found == stats.Savings("at least", 50, 10, 10, math.inf)


def test_an_error_has_the_interval_of_the_mirrored_accuracy() -> None:
    one = drawn(5, n_draws=1, seed=4)
    ours, theirs = one.probe[0, :, 1], one.scratch[0]
    up, down = (
        stats.savings_of_replicates(
            seeds_alone(mine), 30, n_labels=BUDGETS, theirs=curve_of(other), higher_is_better=higher
        )
        for mine, other, higher in ((ours, theirs, True), (1 - ours, 1 - theirs, False))
    )
    assert up is not None
    assert down is not None
    assert up[1:] == pytest.approx(down[1:])


def test_seeds_with_a_gap_do_not_count_and_one_seed_has_no_interval() -> None:
    theirs = [[0.2, 0.6, 0.8], [0.2, 0.6, 0.8], [0.9, math.nan, 0.9]]
    assert over_seeds([0.4, 0.4, 0.9], theirs)[1:] == pytest.approx(over_seeds([0.4, 0.4], theirs[:2])[1:])
    alone = over_seeds([0.4, math.nan, 0.9], theirs)
    assert alone.ratio == pytest.approx(10**0.5)
    assert np.isnan([alone.lower, alone.upper]).all()


def test_a_budget_without_any_seed_is_bridged_and_without_whole_seeds_the_means_speak() -> None:
    bridged = over_seeds([0.5, 0.5], [[0.2, math.nan, 0.8], [0.2, math.nan, 0.8]])
    assert [bridged.ratio, bridged.lower, bridged.upper] == pytest.approx([10.0] * 3)
    means = over_seeds([0.5, 0.5], [[0.2, 0.5, math.nan], [math.nan, 0.5, 0.8]])
    assert means.ratio == pytest.approx(10)
    assert np.isnan(means.lower)


def test_there_are_no_savings_without_a_score_on_either_side() -> None:
    nothing = np.full((2, 3), math.nan)
    for ours, theirs in (([math.nan] * 2, [[0.2, 0.6, 0.8]] * 2), ([0.5] * 2, nothing)):
        found = stats.savings_of_replicates(
            seeds_alone(ours), 10, n_labels=[10, 100, 1000], theirs=curve_of(theirs), higher_is_better=True
        )
        assert found is None
