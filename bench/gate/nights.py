"""The history as text, Markdown and JSON: what changed first, then the nights."""

import json
import math
import textwrap
from collections.abc import Iterator, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any, Final

from bench.analysis.wording import MISSING, count, counted, join_words, shortened
from bench.gate.history import History, Series
from bench.gate.steps import Step
from bench.gate.wording import difference, plain
from bench.report.markdown import escape, table

WIDEST: Final = 80
NIGHT: Final = 22
FORMAT: Final = 1
FELL: Final = "v"
ROSE: Final = "^"
CHANGED: Final = "*"
LEGEND: Final = (
    "Areas under the learning curves, mean over the strategies of a task: 0 is chance, 1 is perfect. "
    f"{FELL} fell and {ROSE} rose from this night on; {CHANGED} measures something else than the night before."
)


def strategy_name(history: History, series: Series) -> str:
    """Return the strategy of a row, with its backbone where its task was run with several."""
    assert series.strategy is not None, "a whole task has no strategy"
    backbones = {one.backbone for one in history.series if one.task == series.task and one.backbone is not None}
    return plain(series.strategy if len(backbones) == 1 else f"{series.strategy} · {series.backbone}")


def told(history: History) -> list[str]:
    """Return the changes of level in sentences, oldest first; and that there are none.

    Rows that moved with their task, the same way in the same night, stand in its sentence.
    """
    found: dict[tuple[int, str, bool], list[tuple[Series, Step]]] = {}
    for series in history.series:
        for step in series.steps:
            found.setdefault((step.first, series.task, step.after < step.before), []).append((series, step))
    if not found:
        return [f"No change of level in {counted(len(history.nights), 'night')}."]
    return [
        sentence
        for _, together in sorted(found.items(), key=itemgetter(0))
        for sentence in _sentences(history, together)
    ]


def marks(series: Series, index: int) -> str:
    """Return the marks of a night: a change of level, and a change of what is measured."""
    step = next((step for step in series.steps if step.first == index), None)
    moved = "" if step is None else FELL if step.after < step.before else ROSE
    return f"{moved}{CHANGED if index in series.changes else ''}"


def to_text(history: History) -> str:
    """Return the history as plain text of at most 80 columns; tasks that do not fit go below."""
    nights = [shortened(plain(night.name), NIGHT) for night in history.nights]
    scored = [f"{count(night.n_scored)}/{count(night.n_planned)}" for night in history.nights]
    stub = _column(["night", *nights], left=True)
    columns = [_column(["scored", *scored]), *(_task(series, len(nights)) for series in history.tasks)]
    chunks: list[list[list[str]]] = [[]]
    for column in columns:
        if chunks[-1] and len(stub[0]) + sum(len(one[0]) + 1 for one in [*chunks[-1], column]) > WIDEST:
            chunks.append([])
        chunks[-1].append(column)
    tables = ["\n".join(" ".join(line).rstrip() for line in zip(stub, *chunk, strict=True)) for chunk in chunks]
    said = [_wrapped(one) for one in told(history)]
    other = [_wrapped(f"{CHANGED} {one}") for one in _changes(history)]
    return "\n\n".join(["\n".join(said), *tables, "\n".join([_wrapped(LEGEND), *other])]) + "\n"


def to_markdown(history: History) -> str:
    """Return the history in Markdown, with a column per task; no name in it can become markup."""
    lines = [
        [
            escape(plain(night.name)),
            f"{count(night.n_scored)} of {count(night.n_planned)}",
            *(escape(f"{_area(series.areas[index])} {marks(series, index)}".strip()) for series in history.tasks),
        ]
        for index, night in enumerate(history.nights)
    ]
    heading = ["night", "cells scored", *(escape(plain(series.task)) for series in history.tasks)]
    said = "\n".join(f"- {escape(one)}" for one in told(history))
    other = "\n".join(f"- {escape(f'{CHANGED} {one}')}" for one in _changes(history))
    blocks = ["## History", said, table(heading, lines, (True, *(False for _ in heading[1:]))), escape(LEGEND), other]
    return "\n\n".join(block for block in blocks if block) + "\n"


def to_json(history: History) -> str:
    """Return the history as JSON: format, nights, and series.

    A series has task, backbone and strategy (null: the mean over the task's rows), an element per night in areas, lower
    and upper (null where there is none), changes (night, what) and steps (night, before, after); a night is an index.
    """
    record = {
        "format": FORMAT,
        "nights": [
            {"name": one.name, "folder": one.folder, "n_planned": one.n_planned, "n_scored": one.n_scored}
            for one in history.nights
        ],
        "series": [_record(series) for series in history.series],
    }
    return json.dumps(record, indent=1, allow_nan=False) + "\n"


def _record(series: Series) -> dict[str, Any]:
    ends = list(zip(series.areas, series.margins, strict=True))
    return {
        "task": series.task,
        "backbone": series.backbone,
        "strategy": series.strategy,
        "areas": [_known(area) for area in series.areas],
        "lower": [_known(area - margin) for area, margin in ends],
        "upper": [_known(area + margin) for area, margin in ends],
        "changes": [{"night": index, "what": what} for index, what in series.changes.items()],
        "steps": [{"night": step.first, "before": step.before, "after": step.after} for step in series.steps],
    }


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def _sentences(history: History, together: Sequence[tuple[Series, Step]]) -> Iterator[str]:
    """Yield what is said of series of one task that moved the same way in one night."""
    (first, step), *others = together
    if first.strategy is None:
        names = [strategy_name(history, series) for series, _ in others]
        yield _sentence(history, first, step, f", as did {join_words(names)}" if names else "")
    else:
        yield from (_sentence(history, series, step) for series, step in together)


def _sentence(history: History, series: Series, step: Step, others: str = "") -> str:
    moved = "fell" if step.after < step.before else "rose"
    night = plain(history.nights[step.first].name)
    name = series.task if series.strategy is None else f"{series.task} · {strategy_name(history, series)}"
    said = f"{plain(name)} {moved} from {step.before:.3f} to {step.after:.3f}"
    also = f"; that night: {plain(series.changes[step.first])}" if step.first in series.changes else ""
    return f"{said} ({difference(step.after - step.before)}) with {night}{others}{also}."


def _changes(history: History) -> Iterator[str]:
    """Yield what each mark of a change stands for."""
    for series in history.tasks:
        for index, what in series.changes.items():
            yield plain(f"{series.task}, {history.nights[index].name}: {what}")


def _area(value: float) -> str:
    return MISSING if math.isnan(value) else f"{value:.3f}"


def _task(series: Series, n_nights: int) -> list[str]:
    """Return the column of a task: marks hang over the right edge of the numbers."""
    values = (f"{_area(series.areas[index])}{marks(series, index):<2}" for index in range(n_nights))
    return _column(list(chain([f"{shortened(plain(series.task), 14)}  "], values)))


def _column(cells: list[str], *, left: bool = False) -> list[str]:
    width = max(len(cell) for cell in cells)
    return [cell.ljust(width) if left else cell.rjust(width) for cell in cells]


def _wrapped(text: str) -> str:
    return textwrap.fill(text, WIDEST, subsequent_indent="  ", break_on_hyphens=False)
