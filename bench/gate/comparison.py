"""The comparison of two results folders: every verdict, and whether the gate lets the current run pass."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bench.analysis.wording import counted
from bench.budget import Asked
from bench.gate.costs import CostJudgement, CostVerdict, judge_costs
from bench.gate.judging import TOLERANCE, Differences, TaskJudgement, Verdict, judge, worst
from bench.gate.matching import Matched, Pair, Run, match
from bench.metric import MetricCard
from bench.results.manifest import Curve
from bench.stats import skill
from bench.stats.intervals import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two folders: where it is, how many cells it planned and how many have a score."""

    folder: str
    n_planned: int
    n_scored: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All that is said of a current run against a baseline.

    `rows` and `budgets` name the rows and budgets of each task of `tasks`, in the order of their judgements;
    `fail_on_cost` says whether a dearer run fails.
    """

    baseline: Side
    current: Side
    tolerance: float
    fail_on_cost: bool
    matched: Matched
    tasks: tuple[TaskJudgement, ...]
    rows: Mapping[str, tuple[Curve, ...]]
    budgets: Mapping[str, tuple[Asked, ...]]
    costs: tuple[CostJudgement, ...]

    @property
    def verdict(self) -> Verdict:
        """The verdict on the scores of all tasks."""
        return worst([task.verdict for task in self.tasks])

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why the run does not pass; empty if it does."""
        return tuple(self._reasons())

    @property
    def dearer(self) -> tuple[CostJudgement, ...]:
        """The costs that rose."""
        return tuple(cost for cost in self.costs if cost.verdict == CostVerdict.DEARER)

    def _reasons(self) -> Iterator[str]:
        worse = [task.task for task in self.tasks if task.verdict == Verdict.REGRESSION]
        if worse:
            yield f"regression in {len(worse)} of {counted(len(self.tasks), 'task')}"
        if self.current.n_scored == 0:
            yield "nothing was run"
        if self.matched.new_failures:
            yield counted(len(self.matched.new_failures), "new failure")
        if self.matched.missing:
            yield counted(len(self.matched.missing), "missing cell")
        if self.fail_on_cost and self.dearer:
            measures = dict.fromkeys(cost.measure for cost in self.dearer)
            yield f"more {' and '.join(measures)} needed"


def compare(baseline: Run, current: Run, *, tolerance: float = TOLERANCE, fail_on_cost: bool = False) -> Comparison:
    """Compare two runs. Raises `StoreError` if they have nothing in common."""
    matched = match(baseline, current)
    rows: dict[str, tuple[Curve, ...]] = {}
    for row in matched.pairs:
        rows[row.task] = (*rows.get(row.task, ()), row)
    pairs = {task: [matched.pairs[row] for row in several] for task, several in rows.items()}
    budgets = {task: _budgets(several) for task, several in pairs.items()}
    tasks = [
        _differences(task, several, budgets[task], baseline.manifest.tasks[task].metric)
        for task, several in pairs.items()
    ]
    return Comparison(
        baseline=_side(baseline),
        current=_side(current),
        tolerance=tolerance,
        fail_on_cost=fail_on_cost,
        matched=matched,
        tasks=tuple(judge(tasks, tolerance=tolerance)),
        rows=rows,
        budgets=budgets,
        costs=judge_costs(matched.pairs),
    )


def _side(run: Run) -> Side:
    return Side(folder=run.folder, n_planned=len(run.outcomes), n_scored=run.n_results)


def _budgets(rows: Sequence[Sequence[Pair]]) -> tuple[Asked, ...]:
    """Return the budgets of a task's pairs, smallest first."""
    amounts: dict[Asked, float] = {}  # of a share, folds that differ by an example have slightly different ones
    for pair in (pair for several in rows for pair in several):
        amounts[pair.baseline.cell.budget] = max(pair.baseline.amount, amounts.get(pair.baseline.cell.budget, 0.0))
    return tuple(sorted(amounts, key=lambda budget: (amounts[budget], budget)))


def _differences(
    task: str, rows: Sequence[Sequence[Pair]], budgets: Sequence[Asked], metric: MetricCard
) -> Differences:
    """Return the differences of skill of a task's pairs; higher is better, whatever the metric."""
    places = {budget: place for place, budget in enumerate(budgets)}
    numbers = sorted({pair.baseline.cell.seed for several in rows for pair in several})
    seeds = {seed: place for place, seed in enumerate(numbers)}
    values: Floats = np.full((len(rows), len(places), len(seeds)), np.nan)
    for number, several in enumerate(rows):
        for pair in several:
            cell = pair.baseline.cell
            scores = [pair.baseline.score, pair.current.score]
            before, after = skill(scores, chance=pair.baseline.chance, perfect=metric.perfect)
            values[number, places[cell.budget], seeds[cell.seed]] = after - before
    one = rows[0][0].baseline
    return Differences(task=task, values=values, step=1 / (one.n_test * abs(metric.perfect - one.chance or 1.0)))
