"""The verdict on scores: whether differences are a regression, an improvement, no change or undecided.

Every cell is tested, for what goes wrong in one cell of twenty-five hardly moves their mean. That costs power, which is
spent where something is found. The p-value of a task is that of its cells, of the means of its rows and of its own mean
together (Simes 1986), and tasks are selected by Benjamini and Hochberg at q = .04. Inside a selected task its rows
(each together with its cells) and its cells are tested in the same way at q times the share of tasks that were
selected; so of what is said of selected tasks a share of q is expected to be false (Benjamini and Bogomolov 2014,
Journal of the Royal Statistical Society B 76(1)). What is the same in both runs is no test.

A difference counts, for a cell, a row or a task, if it is real after that correction, its own mean is larger than the
tolerance, and its own interval leaves out 0: a row is not worse by what one of its cells has lost, which is said of the
cell. There is no change if the interval lies within the tolerance (equivalence: Schuirmann 1987,
doi:10.1007/BF01068419); anything else is not decided. That nothing was found says little unless something could have
been: each difference has the smallest drop that the same test would find in 80 % of nights, if all else were the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from scipy.special import nctdtrinc, ndtri, stdtrit  # `scipy.stats` takes a second to import, this does not

from bench.gate.evidence import Basis, Differences, Evidence, TaskEvidence, weigh
from bench.stats import benjamini_hochberg

FALSE_DISCOVERIES: Final = 0.04
TOLERANCE: Final = 0.01  # of skill: a hundredth of the way from chance to perfect
POWER: Final = 0.8  # share of nights in which the smallest drop is found


class Verdict(StrEnum):
    """What is said of a difference."""

    REGRESSION = "regression"
    IMPROVEMENT = "improvement"
    NO_CHANGE = "no change"
    NOT_DECIDED = "not decided"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A verdict with its mean difference of skill and 95 % interval (nan where there is none).

    `p` is the p-value of the difference, of a row or a task together with what it is made of, and `adjusted` the same
    after correction for the number of comparisons: what is at most `FALSE_DISCOVERIES` is real. `smallest` is the drop
    of skill that would have been found in 80 % of nights. All three are nan where there is no test. `basis` is what the
    difference was tested by, `same` whether every score stands in both runs.
    """

    verdict: Verdict
    mean: float
    lower: float
    upper: float
    p: float
    adjusted: float
    smallest: float
    basis: Basis
    same: bool
    n_seeds: int
    n_pairs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskJudgement:
    """The verdict on the mean of a task, on the mean of each row, and on the cells of each row."""

    task: str
    whole: Judgement
    rows: tuple[Judgement, ...]
    cells: tuple[tuple[Judgement, ...], ...]

    @property
    def verdict(self) -> Verdict:
        """The task's verdict: a regression of one row, or of one cell, is one of the task."""
        parts = (*self.rows, *(cell for row in self.cells for cell in row))
        return worst([self.whole.verdict, *(part.verdict for part in parts if part.verdict == Verdict.REGRESSION)])


def worst(verdicts: Sequence[Verdict]) -> Verdict:
    """Return what several verdicts come to: a regression if any, else an improvement if any, else doubt if any."""
    for verdict in (Verdict.REGRESSION, Verdict.IMPROVEMENT, Verdict.NOT_DECIDED):
        if verdict in verdicts:
            return verdict
    return Verdict.NO_CHANGE if verdicts else Verdict.NOT_DECIDED


def judge(tasks: Sequence[Differences], *, tolerance: float = TOLERANCE) -> list[TaskJudgement]:
    """Return the verdict on every task, row and cell; `tolerance` is the difference of skill that does not matter."""
    return decide([weigh(task) for task in tasks], tolerance=tolerance)


def decide(tasks: Sequence[TaskEvidence], *, tolerance: float = TOLERANCE) -> list[TaskJudgement]:
    """Return the verdicts that follow from what is known of all tasks of a night."""
    adjusted = benjamini_hochberg([task.whole.combined for task in tasks])
    n_tested = int((~np.isnan(adjusted)).sum())
    share = max(int((adjusted <= FALSE_DISCOVERIES).sum()), 1) / max(n_tested, 1)
    return [
        _judge_task(task, float(whole), share, n_tested, tolerance) for task, whole in zip(tasks, adjusted, strict=True)
    ]


def _judge_task(task: TaskEvidence, whole: float, share: float, n_tested: int, tolerance: float) -> TaskJudgement:
    """Judge a task whose adjusted p-value is `whole`; `share` is that of tasks selected, of the `n_tested` ones."""
    cells = [cell for row in task.cells for cell in row]
    # In a task that was not selected nothing is real: no part has a smaller value than the whole.
    parts = benjamini_hochberg([one.combined for one in (*task.rows, *cells)])
    adjusted = iter(np.minimum(np.maximum(parts / share, whole), 1.0).tolist())
    hurdle = FALSE_DISCOVERIES / (max(n_tested, 1) * max(task.whole.n_tests, 1))
    return TaskJudgement(
        task=task.task,
        whole=_judgement(task.whole, whole, hurdle, tolerance),
        # the mean of a row is one of several tests before the row is one of those of its task
        rows=tuple(_judgement(row, next(adjusted), hurdle / max(row.n_tests, 1), tolerance) for row in task.rows),
        cells=tuple(tuple(_judgement(cell, next(adjusted), hurdle, tolerance) for cell in row) for row in task.cells),
    )


def _judgement(evidence: Evidence, adjusted: float, hurdle: float, tolerance: float) -> Judgement:
    known = evidence.known
    lower, upper = (0.0, 0.0) if evidence.same else known.interval()
    return Judgement(
        verdict=_verdict(evidence, (lower, upper), adjusted, tolerance),
        mean=0.0 if evidence.same else known.mean,
        lower=lower,
        upper=upper,
        p=evidence.combined,
        adjusted=adjusted,
        smallest=float("nan") if evidence.same else _smallest(evidence, hurdle, tolerance),
        basis=evidence.basis,
        same=evidence.same,
        n_seeds=evidence.n_seeds,
        n_pairs=evidence.n_pairs,
    )


def _verdict(evidence: Evidence, ends: tuple[float, float], adjusted: float, tolerance: float) -> Verdict:
    lower, upper = ends
    if evidence.same or (-tolerance <= lower and upper <= tolerance):
        return Verdict.NO_CHANGE
    mean = evidence.known.mean
    real = adjusted <= FALSE_DISCOVERIES and (lower > 0 or upper < 0)
    if real and abs(mean) > tolerance:
        return Verdict.REGRESSION if mean < 0 else Verdict.IMPROVEMENT
    return Verdict.NOT_DECIDED


def _smallest(evidence: Evidence, alpha: float, tolerance: float) -> float:
    """Return the drop that a test at level `alpha` finds, and that is beyond the tolerance, in 80 % of nights.

    How often it is found follows the noncentral t distribution, whose noncentrality it has to be: as many deviations,
    with the variance that it brings along itself.
    """
    _, variance, freedom = evidence.known
    deviations = nctdtrinc(freedom, 1 - POWER, stdtrit(freedom, 1 - alpha / 2))
    own = deviations**2 * evidence.grain / 2
    drop = own + np.sqrt(own**2 + deviations**2 * variance)  # drop^2 = deviations^2 (variance + grain drop)
    return float(max(drop, tolerance + ndtri(POWER) * np.sqrt(variance)))
