"""Statistics, held against scipy's own and against cases worked by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as reference

from bench import stats


def saved_against(score: float, at: float) -> stats.Savings:
    """Return the label savings against a curve of accuracies 0.2, 0.6, 0.8 at 10, 100, 1000 labels."""
    saved = stats.label_savings(score, at, n_labels=[10, 100, 1000], scores=[0.2, 0.6, 0.8], higher_is_better=True)
    assert saved is not None
    return saved


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


def test_paired_differences_are_scipys_paired_t_test() -> None:
    ours, theirs = [0.81, 0.84, 0.90, 0.86], [0.80, 0.80, 0.85, 0.84]
    expected = reference.ttest_rel(ours, theirs).confidence_interval(0.95)
    found = stats.paired_difference(ours, theirs)
    assert (found.lower, found.upper) == pytest.approx((expected.low, expected.high))
    assert found.n_pairs == 4


def test_a_seed_without_its_partner_does_not_count() -> None:
    found = stats.paired_difference([0.9, math.nan, 0.8], [0.7, 0.1, math.nan])
    assert found.mean == pytest.approx(0.2)
    assert (found.n_pairs, found.decided) == (1, False)


def test_the_same_difference_for_every_seed_is_decided_unless_it_is_none() -> None:
    assert stats.paired_difference([0.3, 0.4, 0.7], [0.2, 0.3, 0.6]).decided
    assert not stats.paired_difference([0.3, 0.4], [0.3, 0.4]).decided
    assert not stats.paired_difference([], []).decided


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


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=6), st.integers(2, 9))
def test_an_area_does_not_depend_on_the_unit_of_labels(values: list[float], factor: int) -> None:
    labels = np.cumsum(np.arange(1, len(values) + 1))
    area = stats.area_under_curve(labels, values)
    assert area == pytest.approx(stats.area_under_curve(labels * factor, values), abs=1e-9)
    assert min(values) - 1e-9 <= area <= max(values) + 1e-9


def test_a_missing_point_makes_the_area_missing() -> None:
    assert math.isnan(stats.area_under_curve([10, 100, 1000], [0.1, math.nan, 0.9]))
    assert math.isnan(stats.area_under_curve([], []))


@given(st.lists(st.sampled_from([0.1, 0.2, 0.3, 0.4]), min_size=1, max_size=9))
def test_ranks_are_scipys_with_ties_sharing_the_best(values: list[float]) -> None:
    assert stats.competition_ranks(values).tolist() == reference.rankdata(-np.array(values), method="min").tolist()


def test_what_has_no_value_has_no_rank_and_moves_nobody() -> None:
    assert stats.competition_ranks([0.5, math.nan, 0.9])[[0, 2]].tolist() == [2, 1]
    assert np.isnan(stats.competition_ranks([0.5, math.nan])[1])


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
