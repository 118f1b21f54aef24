"""The verdict on scores, held against scipy and against cases worked by hand."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as reference

from bench.gate.judging import Differences, Judgement, TaskJudgement, Verdict, judge, worst

SEEDS = np.array([-0.004, 0.003, 0.001, -0.002, 0.002])  # their mean is 0


def task(values: object, name: str = "task", step: float = 1e-9) -> Differences:
    """Return differences [rows, budgets, seeds], whose scores are known as good as exactly."""
    return Differences(task=name, values=np.array(values, dtype=np.float64), step=step)


def judged(values: object, step: float = 1e-9) -> TaskJudgement:
    """Return the judgement of a task alone, with a tolerance of 0.01."""
    return judge([task(values, step=step)], tolerance=0.01)[0]


def whole(values: object, step: float = 1e-9) -> Judgement:
    """Return the judgement of a task over all its cells."""
    return judged(values, step=step).whole


def test_a_single_curve_point_has_the_interval_and_the_p_value_of_scipys_paired_t_test() -> None:
    differences = np.array([-0.05, -0.02, -0.04, -0.01, -0.03])
    expected = reference.ttest_1samp(differences, 0.0)
    ends = expected.confidence_interval(0.95)
    found = whole([[differences]])
    assert [found.mean, found.p] == pytest.approx([-0.03, float(expected.pvalue)])
    assert [found.lower, found.upper] == pytest.approx([float(ends.low), float(ends.high)])


def test_p_values_are_corrected_as_scipy_does_it_among_tasks_and_among_their_parts() -> None:
    generator = np.random.default_rng(0)
    tasks = [task(generator.normal(0.01 * number, 0.02, (3, 2, 4)), name=str(number)) for number in range(4)]
    found = judge(tasks)
    parts = [part for one in found for part in (*one.rows, *one.budgets)]
    for family in ([one.whole for one in found], parts):
        expected = reference.false_discovery_control([one.p for one in family])
        assert [one.adjusted for one in family] == pytest.approx(expected.tolist())


@pytest.mark.parametrize(
    ("shift", "spread", "verdict"),
    [
        (-0.03, 1.0, Verdict.REGRESSION),
        (0.03, 1.0, Verdict.IMPROVEMENT),
        (0.0, 1.0, Verdict.NO_CHANGE),
        (-0.005, 1.0, Verdict.NO_CHANGE),  # real, and within the tolerance
        (-0.009, 1.0, Verdict.NOT_DECIDED),  # real, and perhaps beyond the tolerance, perhaps not
        (-0.03, 10.0, Verdict.NOT_DECIDED),
        (0.0, 10.0, Verdict.NOT_DECIDED),
    ],
)
def test_a_verdict_says_whether_a_change_is_real_and_whether_it_matters(
    shift: float, spread: float, verdict: Verdict
) -> None:
    assert whole([[shift + spread * SEEDS]]).verdict == verdict


def test_what_is_the_same_in_every_cell_is_no_change_even_with_one_seed() -> None:
    for n_seeds in (1, 5):
        found = whole(np.zeros((2, 3, n_seeds)), step=0.01)
        assert (found.verdict, found.lower, found.upper) == (Verdict.NO_CHANGE, 0.0, 0.0)


def test_one_seed_decides_nothing_if_anything_differs() -> None:
    found = whole([[[-0.5]], [[0.0]]])
    assert found.verdict == Verdict.NOT_DECIDED
    assert math.isnan(found.lower)


def test_seeds_that_all_lose_the_same_few_of_few_examples_are_not_certain() -> None:
    lost_two_of_a_hundred = [[[-0.02, -0.02]]]
    assert whole(lost_two_of_a_hundred, step=0.01).verdict == Verdict.NOT_DECIDED
    assert whole(lost_two_of_a_hundred, step=1e-6).verdict == Verdict.REGRESSION


def test_a_regression_of_one_strategy_is_one_of_its_task() -> None:
    values = np.stack([[-0.1 + SEEDS], [0.05 + 9 * SEEDS], [0.05 - 9 * SEEDS]])
    found = judged(values)
    assert found.rows[0].verdict == Verdict.REGRESSION
    assert found.whole.verdict != Verdict.REGRESSION
    assert found.verdict == Verdict.REGRESSION


def test_a_regression_at_the_smallest_budget_alone_is_found_there() -> None:
    noisy, steady = 3 * SEEDS, 0.1 * SEEDS
    values = [[-0.1 + noisy, steady, steady, steady], [-0.1 - noisy, -steady, steady, -steady]]
    found = judged(values)
    assert [one.verdict for one in found.budgets] == [Verdict.REGRESSION, *[Verdict.NO_CHANGE] * 3]
    assert found.verdict == Verdict.REGRESSION


def test_a_budget_weighs_by_how_far_its_differences_scatter_and_never_below_a_sixth() -> None:
    loud, quiet = 1 + 10 * SEEDS, 2 * SEEDS
    # deviations as 5 to 1: weights as 1 to 5; the mean of `quiet` is 0
    assert whole([[loud, quiet]]).mean == pytest.approx(1 / 6)
    assert whole([[loud, quiet / 1000]]).mean == pytest.approx(1 / 7)


def test_a_missing_pair_is_left_out_and_counted() -> None:
    values = np.tile(-0.05 + SEEDS, (2, 2, 1))
    values[0, 1, 3] = math.nan
    found = judged(values)
    assert (found.whole.n_seeds, found.whole.n_pairs) == (5, 19)
    assert [row.n_pairs for row in found.rows] == [9, 10]
    assert found.verdict == Verdict.REGRESSION


def test_a_seed_without_any_pair_does_not_count() -> None:
    values = np.array([[[-0.05, -0.04, math.nan]]])
    assert whole(values).n_seeds == 2


@given(st.permutations([0, 1, 2]), st.integers(0, 99))
def test_the_order_of_rows_budgets_and_seeds_does_not_matter(order: list[int], seed: int) -> None:
    values = np.random.default_rng(seed).normal(-0.02, 0.02, (3, 3, 3))
    mixed = values[order][:, order][:, :, order]
    one, other = whole(values), whole(mixed)
    assert [one.mean, one.p] == pytest.approx([other.mean, other.p])
    assert one.verdict == other.verdict


@given(st.integers(0, 99))
def test_better_and_worse_are_mirror_images(seed: int) -> None:
    values = np.random.default_rng(seed).normal(-0.02, 0.02, (2, 3, 4))
    one, other = whole(values), whole(-values)
    assert [one.lower, one.p] == pytest.approx([-other.upper, other.p])
    assert (one.verdict == Verdict.REGRESSION) == (other.verdict == Verdict.IMPROVEMENT)


def test_nothing_to_judge_is_not_decided() -> None:
    assert judge([]) == []
    assert worst([]) == Verdict.NOT_DECIDED


def test_the_worst_of_several_verdicts_is_a_regression_then_an_improvement_then_doubt() -> None:
    order = [Verdict.REGRESSION, Verdict.IMPROVEMENT, Verdict.NOT_DECIDED, Verdict.NO_CHANGE]
    for first, second in pairwise(order):
        assert worst([second, first]) == first
    assert worst([Verdict.NO_CHANGE]) == Verdict.NO_CHANGE
