"""Predictions as they are shown: tables of at most 80 columns, or records for JSON."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, Final

from bench.analysis.wording import shortened
from bench.answers import Answers, Rows, Steps
from bench.column import Array
from bench.domains.contract import Source

WIDEST: Final = 80
GAP: Final = "  "
LONGEST_LABEL: Final = 28
DIGITS: Final = 6  # significant, of a forecast
SMALLEST: Final = 1e-2  # what is forecast below this is written with an exponent


def as_records(sources: Sequence[Source], answers: Answers) -> list[dict[str, Any]]:
    """Return where each example comes from and what is predicted of it, as plain values for JSON."""
    return [{**_where(source), **record} for source, record in zip(sources, answers.records, strict=True)]


def as_table(sources: Sequence[Source], answers: Answers) -> str:
    """Return a table of at most 80 columns."""
    return row_table(sources, answers) if isinstance(answers, Rows) else step_table(sources, answers)


def row_table(sources: Sequence[Source], answers: Rows) -> str:
    """Return the lines of each example below each other; the first has where the example comes from."""
    heading = ("text" if sources[0].text else "file", *answers.headings)
    rows = [
        ("" if rank else " ".join((source.text or source.file).split()), *cells)
        for source, lines in zip(sources, answers.lines, strict=True)
        for rank, cells in enumerate(lines)
    ]
    everything = (heading, *rows)
    widths = [max(len(one[place]) for one in everything) for place in range(1, len(heading))]
    widths = [min(LONGEST_LABEL, width) for width in widths]
    first = min(WIDEST - sum(widths) - len(widths) * len(GAP), max(len(one[0]) for one in everything))
    numbers = [all(_is_number(row[place]) for row in rows) for place in range(1, len(heading))]
    lines = []
    for where, *cells in everything:
        shown = [shortened(cell, width) for cell, width in zip(cells, widths, strict=True)]
        aligned = [
            f"{cell:>{width}}" if right else f"{cell:<{width}}"
            for cell, width, right in zip(shown, widths, numbers, strict=True)
        ]
        lines.append(GAP.join([f"{shortened(where, first):<{first}}", *aligned]).rstrip())
    return "\n".join(lines)


def step_table(sources: Sequence[Source], answers: Steps) -> str:
    """Return for each file a line for each step to come, its series side by side as far as they fit."""
    predictions = answers.values
    rows = zip(sources, predictions, strict=True)
    blocks = []
    for (file, times), several in groupby(rows, key=lambda row: (row[0].file, row[0].times)):
        steps = times or tuple(str(step + 1) for step in range(predictions.shape[1]))
        stub = _column("time" if times else "step", steps)
        columns = [_column(source.series, _numbers(values)) for source, values in several]
        blocks += [f"{shortened(file, WIDEST)}\n{block}" for block in _side_by_side(stub, columns)]
    return "\n\n".join(blocks)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _where(source: Source) -> dict[str, Any]:
    said = {"file": source.file, "row": source.row, "text": source.text, "series": source.series}
    return {**{key: value for key, value in said.items() if value}, **({"times": source.times} if source.times else {})}


def _numbers(values: Array) -> list[str]:
    """Return numbers with as many decimals as give the largest of them six significant digits."""
    whole = len(f"{abs(values).max():.0f}")
    if whole > 2 * DIGITS or abs(values).max() < SMALLEST:
        return [f"{value:.{DIGITS - 1}e}" for value in values]
    return [f"{value:.{max(0, DIGITS - whole)}f}" for value in values]


def _column(title: str, cells: Sequence[str]) -> list[str]:
    width = max(map(len, cells))
    heading = shortened(title, max(width, 16))
    return [cell.rjust(max(width, len(heading))) for cell in (heading, *cells)]


def _side_by_side(stub: list[str], columns: Sequence[list[str]]) -> Iterator[str]:
    """Yield blocks of lines, each with the stub and as many of the columns as fit beside it."""
    block: list[list[str]] = []
    for column in (*columns, None):
        used = len(stub[0]) + sum(len(GAP) + len(one[0]) for one in block)
        if block and (column is None or used + len(GAP) + len(column[0]) > WIDEST):
            yield "\n".join(GAP.join(cells) for cells in zip(stub, *block, strict=True))
            block = []
        if column is not None:
            block.append(column)
