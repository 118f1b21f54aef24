"""The verdict on scores: whether paired differences are a regression, an improvement, no change or undecided.

Within a task every strategy has a row. The difference of a seed is the weighted mean over its budgets; that of the
task is the mean over its rows; that of a budget is the mean over rows too, for what goes wrong at one budget. Cells
of one seed share their label subset, so they are no independent repeats: the seed is the unit, and the interval is
that of Student's paired t over seeds. Budgets are weighted by the inverse of how far their differences scatter over
seeds: with ten labels a score says little of which code made it, with a thousand much. No budget weighs less than a
sixth of another. Weights depend on how far differences scatter, never on their signs.

Tests are two-sided. The false-discovery rate is controlled by Benjamini and Hochberg among the tasks, and again among
all that tasks are made of: rows and budgets. A difference counts if it is both real, after that correction, and
larger than the tolerance; there is no change if the interval lies within the tolerance (equivalence: Schuirmann 1987,
doi:10.1007/BF01068419); anything else is not decided. The variance is not moderated across tasks (Smyth 2004,
doi:10.2202/1544-6115.1027): five tasks differ too much in noise for that, and in simulation it raised false alarms
above 5 % where variances were unequal.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from scipy.special import stdtr  # `scipy.stats` takes a second to import, this does not

from bench.stats import benjamini_hochberg, half_width
from bench.stats.intervals import Floats

FALSE_DISCOVERIES: Final = 0.05
TOLERANCE: Final = 0.01  # of skill: a hundredth of the way from chance to perfect
LARGEST_WEIGHT: Final = 6.0  # of a budget, as a multiple of the smallest


class Verdict(StrEnum):
    """What is said of a difference."""

    REGRESSION = "regression"
    IMPROVEMENT = "improvement"
    NO_CHANGE = "no change"
    NOT_DECIDED = "not decided"


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """Current less baseline skill of a task, [rows, budgets, seeds]; nan where there is no pair.

    `step` is the difference of skill that one test example can make: no score is known any finer.
    """

    task: str
    values: Floats
    step: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A verdict with its mean difference of skill and 95 % interval (nan where there is none).

    `p` is the two-sided p-value and `adjusted` the same after correction for the number of comparisons.
    """

    verdict: Verdict
    mean: float
    lower: float
    upper: float
    p: float
    adjusted: float
    n_seeds: int
    n_pairs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskJudgement:
    """The verdict on a task over all its cells, on each row and on each budget over all rows."""

    task: str
    whole: Judgement
    rows: tuple[Judgement, ...]
    budgets: tuple[Judgement, ...]

    @property
    def verdict(self) -> Verdict:
        """The task's verdict: a regression of one row, or at one budget, is one of the task."""
        parts = (*self.rows, *self.budgets)
        return worst([self.whole.verdict, *(part.verdict for part in parts if part.verdict == Verdict.REGRESSION)])


def worst(verdicts: Sequence[Verdict]) -> Verdict:
    """Return what several verdicts come to: a regression if any, else an improvement if any, else doubt if any."""
    for verdict in (Verdict.REGRESSION, Verdict.IMPROVEMENT, Verdict.NOT_DECIDED):
        if verdict in verdicts:
            return verdict
    return Verdict.NO_CHANGE if verdicts else Verdict.NOT_DECIDED


@dataclass(frozen=True, slots=True)
class _Tested:
    """Tests side by side, one element each; `same` where every pair agrees exactly."""

    mean: Floats
    margin: Floats
    p: Floats
    n_seeds: np.ndarray[tuple[int], np.dtype[np.int64]]
    n_pairs: np.ndarray[tuple[int], np.dtype[np.int64]]
    same: np.ndarray[tuple[int], np.dtype[np.bool_]]


def judge(tasks: Sequence[Differences], *, tolerance: float = TOLERANCE) -> list[TaskJudgement]:
    """Return the verdict on every task and row; `tolerance` is the difference of skill that does not matter."""
    wholes = [_test(*_whole(task)) for task in tasks]
    parts = [_test(*part) for task in tasks for part in (_by_row(task), _by_budget(task))]
    judged = [
        [_judgement(test, place, adjusted, tolerance) for place, adjusted in enumerate(several)]
        for family in (wholes, parts)
        for test, several in zip(family, _adjusted(family), strict=True)
    ]
    of_tasks, of_rows, of_budgets = judged[: len(tasks)], judged[len(tasks) :: 2], judged[len(tasks) + 1 :: 2]
    return [
        TaskJudgement(task=task.task, whole=whole, rows=tuple(rows), budgets=tuple(budgets))
        for task, (whole,), rows, budgets in zip(tasks, of_tasks, of_rows, of_budgets, strict=True)
    ]


def _adjusted(family: Sequence[_Tested]) -> list[list[float]]:
    """Return the p-values of a family of tests, corrected for how many there are.

    What is exactly the same in both runs needs no test and is no comparison.
    """
    p = [np.where(test.same, np.nan, test.p) for test in family]
    adjusted = iter(benjamini_hochberg(np.concatenate(p)) if p else ())
    return [[float(next(adjusted)) for _ in one] for one in p]


def _whole(task: Differences) -> tuple[Floats, Floats, float]:
    """Return the differences of a task's seeds, [1, seeds], its pairs, and the smallest variance these can have."""
    by_seed = _means(_seed_means(task.values))
    return by_seed[None], task.values.reshape(1, -1), _finest(task, len(task.values) * task.values.shape[1])


def _by_row(task: Differences) -> tuple[Floats, Floats, float]:
    """Return the same by row: differences of seeds [rows, seeds], pairs, smallest variance."""
    n_rows, n_budgets, _ = task.values.shape
    return _seed_means(task.values), task.values.reshape(n_rows, -1), _finest(task, n_budgets)


def _by_budget(task: Differences) -> tuple[Floats, Floats, float]:
    """Return the same by budget: differences of seeds [budgets, seeds], pairs, smallest variance."""
    n_rows, n_budgets, _ = task.values.shape
    return _means(task.values), task.values.swapaxes(0, 1).reshape(n_budgets, -1), _finest(task, n_rows)


def _means(values: Floats) -> Floats:
    """Return the means over the first axis of what is known there; nan where nothing is."""
    known = ~np.isnan(values)
    counts = known.sum(axis=0)
    means: Floats = np.where(counts > 0, np.where(known, values, 0.0).sum(axis=0) / np.maximum(counts, 1), np.nan)
    return means


def _finest(task: Differences, n_cells: int) -> float:
    """Return the variance that rounding alone gives the mean difference of `n_cells` cells.

    A score that moves in steps of s is known up to s / sqrt(12), a difference of two up to s / sqrt(6). Two seeds of
    few test examples may differ by the same number of them by chance; that must not pass for certainty.
    """
    return task.step**2 / 6 / n_cells


def _seed_means(values: Floats) -> Floats:
    """Return the weighted means over budgets of [rows, budgets, seeds]: [rows, seeds].

    Budgets without a pair are left out of a seed's mean; a seed without any has none (nan).
    """
    known = ~np.isnan(values)
    filled = np.where(known, values, 0.0)
    weights = np.where(known, _weights(filled, known)[:, None], 0.0)  # [rows, budgets, seeds]
    total = weights.sum(axis=1)
    means: Floats = np.where(total > 0, (weights * filled).sum(axis=1) / np.where(total > 0, total, 1.0), np.nan)
    return means


def _weights(filled: Floats, known: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Floats:
    """Return the weight of each budget, [budgets]: one over the deviation over seeds, pooled over the rows."""
    counts = known.sum(axis=2)  # [rows, budgets]
    means = filled.sum(axis=2) / np.maximum(counts, 1)
    squares = (np.where(known, filled - means[:, :, None], 0.0) ** 2).sum(axis=(0, 2))  # [budgets]
    deviations = np.sqrt(squares / np.maximum((counts - 1).clip(0).sum(axis=0), 1))
    largest = deviations.max(initial=0.0)
    if largest == 0:
        return np.ones(len(deviations))
    weights: Floats = largest / np.maximum(deviations, largest / LARGEST_WEIGHT)
    return weights


def _test(by_seed: Floats, pairs: Floats, finest: float) -> _Tested:
    """Test differences of seeds [n, seeds] against zero; `pairs` [n, cells] are what they were made of."""
    known = ~np.isnan(by_seed)
    n = known.sum(axis=1)
    mean = np.where(n > 0, np.where(known, by_seed, 0.0).sum(axis=1) / np.maximum(n, 1), np.nan)
    squares = (np.where(known, by_seed - mean[:, None], 0.0) ** 2).sum(axis=1)
    deviation = np.sqrt(np.maximum(squares / np.maximum(n - 1, 1), finest))
    several = np.where(n > 1, n, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):  # a step of nothing and no scatter: 0 / 0, which `same` covers
        p = 2 * stdtr(several - 1, -np.abs(mean) / (deviation / np.sqrt(several)))
    n_pairs = (~np.isnan(pairs)).sum(axis=1)
    same = (n_pairs > 0) & ~(np.nan_to_num(pairs) != 0).any(axis=1)
    margin = np.where(same, 0.0, half_width(deviation, n))
    return _Tested(mean, margin, np.where(same, 1.0, p), n, n_pairs, same)


def _judgement(tested: _Tested, place: int, adjusted: float, tolerance: float) -> Judgement:
    mean, margin = float(tested.mean[place]), float(tested.margin[place])
    lower, upper = mean - margin, mean + margin
    real = adjusted <= FALSE_DISCOVERIES
    if tested.same[place] or (-tolerance <= lower and upper <= tolerance):
        verdict = Verdict.NO_CHANGE
    elif real and abs(mean) > tolerance:
        verdict = Verdict.REGRESSION if mean < 0 else Verdict.IMPROVEMENT
    else:
        verdict = Verdict.NOT_DECIDED
    return Judgement(
        verdict=verdict,
        mean=mean,
        lower=lower,
        upper=upper,
        p=float(tested.p[place]),
        adjusted=adjusted,
        n_seeds=int(tested.n_seeds[place]),
        n_pairs=int(tested.n_pairs[place]),
    )
