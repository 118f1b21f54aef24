"""The verdicts that follow from what is known of a night, in cases worked by hand."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from scipy import stats as reference

from bench.gate.evidence import Basis, Evidence, TaskEvidence
from bench.gate.judging import FALSE_DISCOVERIES, Judgement, TaskJudgement, Verdict, decide, judge, worst
from bench.stats import Uncertainty, simes

FREEDOM = 19.0


def evidence(mean: float, deviation: float = 0.001, *, same: bool = False) -> Evidence:
    """Return what is known of a cell whose mean has this deviation."""
    known = Uncertainty(mean, deviation**2, FREEDOM)
    p = math.nan if same else known.p
    return Evidence(
        known=known,
        basis=Basis.EXAMPLES,
        same=same,
        p=p,
        combined=p,
        n_tests=int(not same),
        grain=0.0,
        n_seeds=5,
        n_pairs=5,
    )


SAME = evidence(0.0, 0.0, same=True)


def task(*rows: list[Evidence], name: str = "task") -> TaskEvidence:
    """Return what is known of a task from its cells; means of them have half of their deviation."""
    parts = [_mean(row, row) for row in rows]
    whole = _mean(parts, [*parts, *(cell for row in rows for cell in row)])
    return TaskEvidence(task=name, whole=whole, rows=tuple(parts), cells=tuple(map(tuple, rows)))


def _mean(over: list[Evidence], parts: list[Evidence]) -> Evidence:
    mean = float(np.mean([one.known.mean for one in over]))
    found = evidence(mean, 0.5 * max(one.known.variance for one in over) ** 0.5, same=all(one.same for one in over))
    p = [found.p, *(one.p for one in parts)]
    return replace(found, combined=simes(p), n_tests=int((~np.isnan(p)).sum()))


def judged(*rows: list[Evidence]) -> TaskJudgement:
    """Return the judgement of a task alone, with a tolerance of 0.01."""
    return decide([task(*rows)], tolerance=0.01)[0]


def of_cell(mean: float, deviation: float) -> Judgement:
    """Return the judgement of a cell among others that are the same."""
    return judged([evidence(mean, deviation), SAME, SAME]).cells[0][0]


@pytest.mark.parametrize(
    ("mean", "deviation", "verdict"),
    [
        (-0.03, 0.003, Verdict.REGRESSION),
        (0.03, 0.003, Verdict.IMPROVEMENT),
        (0.0, 0.003, Verdict.NO_CHANGE),
        (-0.005, 0.001, Verdict.NO_CHANGE),  # real, and within the tolerance
        (-0.009, 0.001, Verdict.NOT_DECIDED),  # real, and perhaps beyond the tolerance, perhaps not
        (-0.03, 0.03, Verdict.NOT_DECIDED),
        (0.0, 0.03, Verdict.NOT_DECIDED),
    ],
)
def test_a_verdict_says_whether_a_change_is_real_and_whether_it_matters(
    mean: float, deviation: float, verdict: Verdict
) -> None:
    assert of_cell(mean, deviation).verdict == verdict


def test_the_tolerance_applies_at_the_level_that_a_difference_stands_at() -> None:
    found = judged([evidence(-0.03), *[SAME] * 4], [SAME] * 5)
    assert found.cells[0][0].verdict == Verdict.REGRESSION
    assert found.rows[0].mean == pytest.approx(-0.006)
    assert found.rows[0].verdict == Verdict.NO_CHANGE
    assert found.whole.verdict == Verdict.NO_CHANGE
    assert found.verdict == Verdict.REGRESSION, "a regression of one cell is one of its task"


def test_a_row_is_not_worse_by_one_cell_that_is() -> None:
    found = judged([evidence(-0.06, 0.008), evidence(0.02, 0.02), evidence(-0.02, 0.02)])
    assert found.cells[0][0].verdict == Verdict.REGRESSION
    assert found.rows[0].adjusted <= FALSE_DISCOVERIES
    assert (found.rows[0].lower < 0 < found.rows[0].upper, found.rows[0].verdict) == (True, Verdict.NOT_DECIDED)


def test_tasks_are_selected_by_benjamini_and_hochberg_and_their_parts_at_the_share_that_was() -> None:
    tasks = [task([evidence(-0.02, 0.004 * number), evidence(0.01, 0.01)], name=str(number)) for number in range(1, 5)]
    found = decide(tasks)
    wholes = reference.false_discovery_control([one.whole.combined for one in tasks])
    assert [one.whole.adjusted for one in found] == pytest.approx(wholes.tolist())
    selected = int((wholes <= FALSE_DISCOVERIES).sum())
    assert 0 < selected < 4
    for known, one, whole in zip(tasks, found, wholes, strict=True):
        parts = reference.false_discovery_control(
            [part.combined for part in (*known.rows, *(cell for row in known.cells for cell in row))]
        )
        expected = np.minimum(np.maximum(parts * 4 / selected, whole), 1)
        assert [part.adjusted for part in (*one.rows, *one.cells[0])] == pytest.approx(expected.tolist())


def test_nothing_is_real_in_a_task_that_was_not_selected() -> None:
    quiet = [task([evidence(0.0, 0.01)], name=str(number)) for number in range(20)]
    doubtful = task([evidence(-0.03, 0.01), evidence(0.03, 0.01)], name="doubtful")  # p = .007 in one of 21 tasks
    (found, *_) = decide([doubtful, *quiet])
    assert [one.verdict for one in found.cells[0]] == [Verdict.NOT_DECIDED, Verdict.NOT_DECIDED]
    assert decide([doubtful])[0].verdict == Verdict.REGRESSION


def test_what_is_the_same_in_both_runs_is_no_comparison() -> None:
    same = [task([SAME] * 5, name=str(number)) for number in range(20)]
    doubtful = task([evidence(-0.03, 0.01), *[SAME] * 4], name="doubtful")
    found, *others = decide([doubtful, *same])
    assert found.cells[0][0].verdict == Verdict.REGRESSION
    assert {other.whole.verdict for other in others} == {Verdict.NO_CHANGE}
    assert all(other.whole.same and math.isnan(other.whole.p) for other in others)


def test_the_smallest_drop_is_found_in_80_percent_of_nights() -> None:
    found = of_cell(0.0, 0.004)
    deviation, alpha = 0.004, FALSE_DISCOVERIES / 3  # a cell, the mean of its row and that of the task
    critical = float(reference.t.ppf(1 - alpha / 2, FREEDOM))
    assert reference.nct.sf(critical, FREEDOM, found.smallest / deviation) == pytest.approx(0.8, abs=1e-6)
    generator = np.random.default_rng(0)
    means = -found.smallest + deviation * generator.standard_normal(400)
    deviations = deviation * np.sqrt(generator.chisquare(FREEDOM, 400) / FREEDOM)
    verdicts = [of_cell(*drawn).verdict for drawn in zip(means.tolist(), deviations.tolist(), strict=True)]
    assert verdicts.count(Verdict.REGRESSION) / 400 == pytest.approx(0.8, abs=0.06)


def test_a_drop_of_answers_that_turn_wrong_scatters_by_itself() -> None:
    smooth = evidence(0.0, 0.004)
    coarse = decide([task([replace(smooth, grain=0.0005)])])[0].cells[0][0].smallest
    plain = decide([task([smooth])])[0].cells[0][0].smallest
    assert coarse == pytest.approx(plain * math.sqrt(1 + 0.0005 * coarse / 0.004**2))


def test_no_drop_within_the_tolerance_is_said_to_be_found() -> None:
    assert of_cell(0.0, 1e-5).smallest == pytest.approx(0.01, abs=1e-4)
    assert math.isnan(judged([SAME]).whole.smallest)


def test_more_tests_hide_larger_drops() -> None:
    few, many = (decide([task([evidence(0.0, 0.004)] * count)])[0] for count in (1, 25))
    assert few.cells[0][0].smallest < many.cells[0][0].smallest < many.rows[0].smallest * 2
    alone, beside = (decide([task([evidence(0.0, 0.02)])] * count)[0] for count in (1, 5))
    assert alone.whole.smallest < beside.whole.smallest


def test_nothing_to_judge_is_not_decided() -> None:
    assert judge([]) == []
    assert worst([]) == Verdict.NOT_DECIDED


def test_the_worst_of_several_verdicts_is_a_regression_then_an_improvement_then_doubt() -> None:
    order = [Verdict.REGRESSION, Verdict.IMPROVEMENT, Verdict.NOT_DECIDED, Verdict.NO_CHANGE]
    for first, second in pairwise(order):
        assert worst([second, first]) == first
    assert worst([Verdict.NO_CHANGE]) == Verdict.NO_CHANGE
