"""The comparison as a terminal shows it: the verdict first, at most 80 columns."""

import textwrap
from collections.abc import Iterable, Iterator
from typing import Final

from bench.analysis.wording import count, shortened
from bench.gate.comparison import Comparison, Side
from bench.gate.judging import TaskJudgement
from bench.gate.wording import (
    OTHER_RECIPE,
    SIGNS,
    Line,
    cells_listed,
    cells_told,
    cost_line,
    difference,
    failures_listed,
    headline,
    interval,
    legend,
    not_compared,
    plain,
    remarks,
    shown_costs,
    sign,
    task_lines,
)

WIDEST: Final = 80
NAME: Final = 31


def to_text(comparison: Comparison) -> str:
    """Return the comparison as plain text."""
    blocks = [
        _wrapped(headline(comparison)),
        f"{_side('baseline', comparison.baseline)}\n{_side('current', comparison.current)}",
        *("\n".join(_task(comparison, task)) for task in comparison.tasks),
    ]
    if comparison.tasks:
        blocks.append("\n".join(_wrapped(one) for one in (legend(comparison), *remarks(comparison))))
    blocks += _sections(comparison)
    return "\n\n".join(blocks) + "\n"


def _sections(comparison: Comparison) -> Iterator[str]:
    """Yield the blocks below the tables."""
    yield from _section("not compared", (f"{what}: {reason}" for what, reason in not_compared(comparison)))
    yield from _section("new failures", failures_listed(comparison))
    yield from _section("missing cells", cells_listed(comparison.matched.missing))
    yield from _section("costs", (cost_line(cost) for cost in shown_costs(comparison)))


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    written = [_wrapped(f"  {line}", "    ") for line in lines]
    if written:
        yield "\n".join([title, *written])


def _side(name: str, side: Side) -> str:
    scored = f"{count(side.n_scored)} of {count(side.n_planned)} cells scored"
    return f"{name:<10}{shortened(plain(side.folder), 40):<40}  {scored}"


def _task(comparison: Comparison, task: TaskJudgement) -> Iterator[str]:
    yield f"{shortened(plain(task.task), 60)}: {SIGNS[task.verdict]}"
    for line in task_lines(comparison, task):
        yield _line(line).rstrip()
    yield _wrapped(f"  {cells_told(task)}", "    ")


def _line(line: Line) -> str:
    mark = f" {OTHER_RECIPE}" if line.changed else ""
    name = f"{shortened(line.name, NAME - len(mark))}{mark}"
    said = line.judgement
    return f"  {name:<{NAME}} {difference(said.mean):>7} {interval(said):<16}  {sign(said)}"


def _wrapped(text: str, indent: str = "") -> str:
    return textwrap.fill(text, WIDEST, subsequent_indent=indent, break_on_hyphens=False)
