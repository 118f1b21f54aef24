"""Owns what every format of the gate says in the same words: names, numbers, headings and reasons."""

import math
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from bench.analysis.wording import MISSING, counted
from bench.cell import Cell
from bench.gate.comparison import Comparison
from bench.gate.costs import CostJudgement, CostVerdict
from bench.gate.judging import Judgement, TaskJudgement, Verdict
from bench.results.manifest import Curve

ALL_ROWS: Final = "all strategies"
OTHER_RECIPE: Final = "*"
LISTED: Final = 10  # cells that are named; the rest is counted
SIGNS: Final = {
    Verdict.REGRESSION: "REGRESSION",
    Verdict.IMPROVEMENT: "improvement",
    Verdict.NO_CHANGE: "no change",
    Verdict.NOT_DECIDED: "not decided",
}
MEANINGS: Final = {
    Verdict.REGRESSION: "worse by more than the tolerance, and not by chance",
    Verdict.IMPROVEMENT: "better by more than the tolerance, and not by chance",
    Verdict.NO_CHANGE: "the interval of the difference lies within the tolerance",
    Verdict.NOT_DECIDED: "the seeds scatter too much to tell a change from none",
}
MEASURES: Final = {"time": "seconds of a cell", "memory": "peak memory"}


class Line(NamedTuple):
    """A line of a task's table. `changed` marks another recipe."""

    name: str
    judgement: Judgement
    changed: bool


def plain(text: str) -> str:
    """Return text on one line, without anything that does not print: control characters, halves of surrogate pairs."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def headline(comparison: Comparison) -> str:
    """Return the overall verdict in one line."""
    if comparison.reasons:
        return f"FAIL: {', '.join(comparison.reasons)}"
    verdicts = Counter(task.verdict for task in comparison.tasks)
    tasks = counted(len(comparison.tasks), "task")
    if len(verdicts) == 1:
        found = f"in {tasks}" if len(comparison.tasks) == 1 else f"in all {tasks}"
    else:
        found = f"in {verdicts[comparison.verdict]} of {tasks}"
        others = [f"{count} {verdict}" for verdict, count in sorted(verdicts.items()) if verdict != comparison.verdict]
        found += f" ({', '.join(others)})" if others else ""
    return f"PASS: {SIGNS[comparison.verdict]} {found}: {MEANINGS[comparison.verdict]}"


def task_lines(comparison: Comparison, task: TaskJudgement) -> Iterator[Line]:
    """Yield the lines of a task: the whole, each strategy, and the budgets of which something can be said."""
    rows = comparison.rows[task.task]
    changed = set(comparison.matched.other_recipes)
    if len(rows) > 1:
        yield Line(ALL_ROWS, task.whole, changed=False)
    for row, judgement in zip(rows, task.rows, strict=True):
        yield Line(row_name(row, rows), judgement, row in changed)
    told = {Verdict.REGRESSION, Verdict.IMPROVEMENT}
    for fraction, judgement in zip(comparison.fractions[task.task], task.budgets, strict=True):
        if judgement.verdict in told:
            yield Line(budget_name(fraction), judgement, changed=False)


def row_name(row: Curve, among: Iterable[Curve]) -> str:
    """Return a row's strategy, with its backbone where the task was run with several."""
    several = len({one.backbone for one in among if one.task == row.task}) > 1
    return plain(f"{row.strategy} · {row.backbone}" if several else row.strategy)


def budget_name(fraction: float) -> str:
    """Return how a budget is called."""
    return f"at {100 * fraction:g} % of labels"


def difference(value: float) -> str:
    """Return a difference of skill with its sign; what rounds to nothing is not negative."""
    return MISSING if math.isnan(value) else f"{round(value, 3) + 0.0:+.3f}"


def interval(judgement: Judgement) -> str:
    """Return the interval of a difference, or why there is none."""
    if judgement.lower == judgement.upper == 0:
        return "identical"
    if math.isnan(judgement.lower):
        return "one seed" if judgement.n_seeds == 1 else ""
    return f"[{difference(judgement.lower)}, {difference(judgement.upper)}]"


def cost_line(cost: CostJudgement) -> str:
    """Return what is said of a cost."""
    if cost.verdict == CostVerdict.NOT_COMPARED:
        return f"{MEASURES[cost.measure]}: not compared, {plain(cost.reason)}"
    between = "" if math.isnan(cost.lower) else f" [{cost.lower:.2f}, {cost.upper:.2f}]"
    scope = f" ({plain(cost.scope)})" if cost.scope is not None else ""
    said = f"{MEASURES[cost.measure]}{scope}: {cost.ratio:.2f} times the baseline's{between}, {cost.verdict}"
    return f"{said}; {plain(cost.reason)}" if cost.reason else said


def shown_costs(comparison: Comparison) -> list[CostJudgement]:
    """Return the costs worth a line: those over all tasks, and of tasks that fared otherwise."""
    overall = {cost.measure: cost.verdict for cost in comparison.costs if cost.scope is None}
    return [cost for cost in comparison.costs if cost.scope is None or cost.verdict != overall[cost.measure]]


def not_compared(comparison: Comparison) -> list[tuple[str, str]]:
    """Return what measures something else, "task: strategies", with the reason; rows of one reason together."""
    return _grouped(comparison.matched.not_compared)


def _grouped(rows: Mapping[Curve, str]) -> list[tuple[str, str]]:
    """Return what is said of rows, after "task: strategies"; rows of which the same is said together."""
    together: dict[tuple[str, str], list[str]] = {}
    for row, reason in rows.items():
        together.setdefault((row.task, reason), []).append(row_name(row, rows))
    return [(f"{plain(task)}: {', '.join(names)}", plain(reason)) for (task, reason), names in together.items()]


def cells_listed(cells: Collection[Cell]) -> list[str]:
    """Return cells by name; if they are many how many there are of each strategy, if these are many of each task."""
    if len(cells) <= LISTED:
        return [plain(str(cell)) for cell in cells]
    of_rows = Counter(f"{cell.task} · {cell.backbone} · {cell.strategy}" for cell in cells)
    groups = of_rows if len(of_rows) <= LISTED else Counter(cell.task for cell in cells)
    return [f"{plain(name)}: {counted(number, 'cell')}" for name, number in groups.items()]


def failures_listed(comparison: Comparison) -> list[str]:
    """Return new failures with their reasons, and how many more there are."""
    failures = comparison.matched.new_failures
    said = [plain(f"{failure.cell}: {failure.reason}") for failure in failures[:LISTED]]
    return said if len(failures) <= LISTED else [*said, f"and {len(failures) - LISTED} more"]


def remarks(comparison: Comparison) -> list[str]:
    """Return what else a reader should know, in sentences."""
    matched = comparison.matched
    said = []
    if matched.other_recipes:
        said.append(f"{OTHER_RECIPE} another recipe or algorithm than the baseline's, on the same data and backbone.")
        said += [
            f"{plain(row.task)} · {row_name(row, matched.other_recipes)}: {plain(changes)}."
            for row, changes in matched.other_recipes.items()
            if changes
        ]
    said += [f"{rows}: {change}." for rows, change in _grouped(matched.other_precisions)]
    if matched.old_failures:
        said.append(f"{counted(len(matched.old_failures), 'cell')} failed in both.")
    if matched.unmatched:
        said.append(f"{counted(len(matched.unmatched), 'cell')} without a score in the baseline.")
    if matched.added:
        said.append(f"{counted(len(matched.added), 'cell')} planned in the current run alone.")
    return said


def legend(comparison: Comparison) -> str:
    """Return what the numbers are."""
    return (
        "Differences of skill (0 is chance, 1 is perfect), current less baseline, paired by seed, with 95 % intervals; "
        "verdicts are corrected for the number of comparisons. A difference of up to "
        f"{comparison.tolerance:g} is tolerated."
    )
