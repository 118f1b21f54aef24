"""The comparison of two results folders: every verdict, and whether the gate lets the current run pass."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bench.analysis.points import replicate_skill
from bench.analysis.wording import counted
from bench.budget import Asked
from bench.gate.costs import CostJudgement, CostVerdict, judge_costs
from bench.gate.evidence import Basis, Differences
from bench.gate.judging import TOLERANCE, TaskJudgement, Verdict, judge, worst
from bench.gate.matching import Matched, Pair, Run, match
from bench.metric import MetricCard
from bench.results.manifest import Curve
from bench.stats import ROUNDING, Replicates, combine

PUBLISHED: Final = 5e-6  # half of the sixth significant digit: published scores without a block have six


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two folders: where it is, how many cells it planned and how many have a score."""

    folder: str
    n_planned: int
    n_scored: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All that is said of a current run against a baseline.

    `rows` and `budgets` name the rows of each task of `tasks` and the budgets of each row, in the order of their
    judgements; `n_blocks` is how many test blocks the test split of a task has. `fail_on_cost` says whether a dearer
    run fails.
    """

    baseline: Side
    current: Side
    tolerance: float
    fail_on_cost: bool
    matched: Matched
    tasks: tuple[TaskJudgement, ...]
    rows: Mapping[str, tuple[Curve, ...]]
    budgets: Mapping[str, tuple[tuple[Asked, ...], ...]]
    n_blocks: Mapping[str, int]
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
    def by_seeds(self) -> tuple[str, ...]:
        """The tasks with too few test blocks to test anything but seeds."""
        return tuple(task.task for task in self.tasks if not task.whole.same and task.whole.basis == Basis.SEEDS)

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
    cells = {task: [_by_budget(matched.pairs[row]) for row in several] for task, several in rows.items()}
    tasks = [_differences(task, several, baseline.manifest.tasks[task].metric) for task, several in cells.items()]
    return Comparison(
        baseline=_side(baseline),
        current=_side(current),
        tolerance=tolerance,
        fail_on_cost=fail_on_cost,
        matched=matched,
        tasks=tuple(judge(tasks, tolerance=tolerance)),
        rows=rows,
        budgets={task: tuple(tuple(row) for row in several) for task, several in cells.items()},
        n_blocks={row.task: len(pairs[0].baseline.block_sizes) for row, pairs in matched.pairs.items()},
        costs=judge_costs(matched.pairs),
    )


def _side(run: Run) -> Side:
    return Side(folder=run.folder, n_planned=len(run.outcomes), n_scored=run.n_results)


def _by_budget(row: Sequence[Pair]) -> dict[Asked, list[Pair]]:
    """Return the pairs of a row by their budget, smallest first."""
    found: dict[Asked, list[Pair]] = {}
    for pair in row:
        found.setdefault(pair.baseline.cell.budget, []).append(pair)
    # of a share, folds that differ by an example have slightly different amounts
    largest = {budget: max(pair.baseline.amount for pair in pairs) for budget, pairs in found.items()}
    return {budget: found[budget] for budget in sorted(found, key=lambda budget: (largest[budget], budget))}


def _differences(task: str, rows: Sequence[Mapping[Asked, Sequence[Pair]]], metric: MetricCard) -> Differences:
    """Return the differences of skill of a task's cells."""
    return Differences(
        task=task, rows=tuple(tuple(difference(pairs, metric) for pairs in row.values()) for row in rows)
    )


def difference(pairs: Sequence[Pair], metric: MetricCard) -> Replicates:
    """Return the differences of skill of the pairs of a cell; higher is better, whatever the metric."""
    told_apart = [pair._replace(current=pair.baseline) if _is_same(pair, metric) else pair for pair in pairs]
    before, after = (
        replicate_skill(results, metric)
        for results in ([pair.baseline for pair in told_apart], [pair.current for pair in told_apart])
    )
    return combine([after, before], [1.0, -1.0])


def _is_same(pair: Pair, metric: MetricCard) -> bool:
    """Whether two results have the same scores, as far as published ones are known."""
    before, after = (one.scores.without.get(metric.name, ()) for one in pair)
    if abs(pair.current.score - pair.baseline.score) > ROUNDING or len(before) != len(after):
        return False
    return all(_is_equal(one, other) for one, other in zip(before, after, strict=True))


def _is_equal(one: float | None, other: float | None) -> bool:
    return one == other if one is None or other is None else abs(one - other) <= PUBLISHED * abs(one)
