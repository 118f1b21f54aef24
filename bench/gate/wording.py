"""What every format of the gate says in the same words: names, numbers, headings and reasons."""

import math
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from bench.analysis.wording import MISSING, ROUNDING, counted
from bench.budget import ALL, Asked, Share
from bench.cell import Cell
from bench.gate.comparison import Comparison
from bench.gate.costs import CostJudgement, CostVerdict
from bench.gate.judging import Judgement, TaskJudgement, Verdict
from bench.results.manifest import Curve
from bench.stats import FEWEST_BLOCKS

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
    Verdict.NOT_DECIDED: "seeds and test examples are too few, or scatter too much, to tell a change from none",
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
    meaning = "all scores are identical" if _all_same(comparison) else MEANINGS[comparison.verdict]
    return f"PASS: {SIGNS[comparison.verdict]} {found}: {meaning}"


def _all_same(comparison: Comparison) -> bool:
    return all(task.whole.same for task in comparison.tasks)


def task_lines(comparison: Comparison, task: TaskJudgement) -> Iterator[Line]:
    """Yield the lines of a task: the whole, each strategy, and below it the cells of which something can be said."""
    rows = comparison.rows[task.task]
    changed = set(comparison.matched.other_recipes)
    if len(rows) > 1:
        yield Line(ALL_ROWS, task.whole, changed=False)
    parts = zip(rows, comparison.budgets[task.task], task.rows, task.cells, strict=True)
    for row, budgets, judgement, cells in parts:
        name = row_name(row, rows)
        yield Line(name, judgement, row in changed)
        for budget, cell in zip(budgets, cells, strict=True):
            if cell.verdict in {Verdict.REGRESSION, Verdict.IMPROVEMENT}:
                yield Line(f"{name} {budget_name(budget)}", cell, row in changed)


def cells_told(task: TaskJudgement) -> str:
    """Return how many cells of a task there are of each verdict, and which drop any tested one would have shown."""
    cells = [cell for row in task.cells for cell in row]
    verdicts = Counter("identical" if cell.same else str(cell.verdict) for cell in cells)
    order = (*map(str, SIGNS), "identical")
    said = f"{counted(len(cells), 'cell')}: " + ", ".join(f"{verdicts[one]} {one}" for one in order if verdicts[one])
    smallest = [cell.smallest for cell in cells if not math.isnan(cell.smallest)]
    if not smallest:
        return said
    return f"{said}; a drop of {drop(max(smallest))} in any that was tested would have been found in 80 % of nights"


def row_name(row: Curve, among: Iterable[Curve]) -> str:
    """Return a row's strategy, with its backbone where the task was run with several."""
    several = len({one.backbone for one in among if one.task == row.task}) > 1
    return plain(f"{row.strategy} · {row.backbone}" if several else row.strategy)


def budget_name(budget: Asked) -> str:
    """Return how a budget is called."""
    if budget == ALL:
        return "at all labels"
    if isinstance(budget, Share):
        return f"at {100 * budget.of:g} % of labels"
    return f"at {counted(budget.of, 'label')}"


def difference(value: float) -> str:
    """Return a difference of skill with its sign; what rounds to nothing is not negative."""
    return MISSING if math.isnan(value) else f"{round(value, 3) + 0.0:+.3f}"


def drop(value: float) -> str:
    """Return a drop of skill that would have been found, not below itself."""
    return f"{math.ceil(1000 * value - ROUNDING) / 1000:.3f}"


def sign(judgement: Judgement) -> str:
    """Return the verdict, and with no change the smallest drop that would have been found."""
    said = SIGNS[judgement.verdict]
    hides = judgement.verdict == Verdict.NO_CHANGE and not math.isnan(judgement.smallest)
    return f"{said} ({drop(judgement.smallest)})" if hides else said


def interval(judgement: Judgement) -> str:
    """Return the interval of a difference, or why there is none."""
    if judgement.same:
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
    changes = {row: settings for row, settings in matched.other_recipes.items() if settings}
    said += [f"{rows}: {settings}." for rows, settings in _grouped(changes)]
    said += [f"{rows}: {change}." for rows, change in _grouped(matched.other_precisions)]
    said += [f"{plain(task)}: {_by_seeds(comparison.n_blocks[task])}" for task in comparison.by_seeds]
    if matched.old_failures:
        said.append(f"{counted(len(matched.old_failures), 'cell')} failed in both.")
    if matched.unmatched:
        said.append(f"{counted(len(matched.unmatched), 'cell')} without a score in the baseline.")
    if matched.added:
        said.append(f"{counted(len(matched.added), 'cell')} planned in the current run alone.")
    return said


def _by_seeds(n_blocks: int) -> str:
    """Return why nothing is said of other test examples."""
    parts = counted(n_blocks, "independent part") if n_blocks else "no independent parts"
    return (
        f"the test split has {parts}, and {FEWEST_BLOCKS} are needed to speak of other examples. What is said here is "
        "of these very test examples, by Student's t test over seeds."
    )


def legend(comparison: Comparison) -> str:
    """Return what the numbers are."""
    return (
        "Differences of skill (0 is chance, 1 is perfect), current less baseline, paired by seed, with 95 % intervals "
        "over seeds and test examples; verdicts are corrected for the number of comparisons. A difference of up to "
        f"{comparison.tolerance:g} is tolerated. After 'no change', in brackets: the smallest drop of skill that would "
        "have been found in 80 % of nights."
    )
