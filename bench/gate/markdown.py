"""The comparison in Markdown, as a job summary shows it."""

from collections.abc import Iterable, Iterator

from bench.analysis.wording import count
from bench.gate.comparison import Comparison, Side
from bench.gate.judging import TaskJudgement
from bench.gate.wording import (
    OTHER_RECIPE,
    SIGNS,
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
from bench.report.markdown import bold, escape, table


def to_markdown(comparison: Comparison) -> str:
    """Return the comparison in Markdown; no name in it can become markup."""
    blocks = [f"## {escape(headline(comparison))}", _sides(comparison)]
    for task in comparison.tasks:
        blocks += [f"### {escape(plain(task.task))}: {escape(SIGNS[task.verdict])}", _task(comparison, task)]
        blocks.append(escape(cells_told(task)))
    if comparison.tasks:
        blocks += [escape(one) for one in (legend(comparison), *remarks(comparison))]
    blocks += _sections(comparison)
    return "\n\n".join(blocks) + "\n"


def _sections(comparison: Comparison) -> Iterator[str]:
    yield from _section("Not compared", (f"{what}: {reason}" for what, reason in not_compared(comparison)))
    yield from _section("New failures", failures_listed(comparison))
    yield from _section("Missing cells", cells_listed(comparison.matched.missing))
    yield from _section("Costs", (cost_line(cost) for cost in shown_costs(comparison)))


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    written = "\n".join(f"- {escape(line)}" for line in lines)
    if written:
        yield f"### {title}\n\n{written}"


def _sides(comparison: Comparison) -> str:
    sides = (_side("baseline", comparison.baseline), _side("current", comparison.current))
    return table(["", "folder", "cells scored", "planned"], sides, (True, True, False, False))


def _side(name: str, side: Side) -> list[str]:
    return [name, escape(plain(side.folder)), count(side.n_scored), count(side.n_planned)]


def _task(comparison: Comparison, task: TaskJudgement) -> str:
    lines = []
    for line in task_lines(comparison, task):
        said, mark = line.judgement, f" {escape(OTHER_RECIPE)}" if line.changed else ""
        verdict = escape(sign(said))
        lines.append(
            [
                f"{escape(line.name)}{mark}",
                bold(verdict) if verdict.isupper() else verdict,
                difference(said.mean),
                escape(interval(said)),
            ]
        )
    return table(["strategy", "verdict", "difference", "95 % interval"], lines, (True, True, False, False))
