"""The table: rows with their targets, in a form that reads well on a terminal and as Markdown."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from benchmarks.harness import Spread

COLUMNS: Final = 100
LEFT_OUT: Final = "left out"

_HEADINGS: Final = ("Row", "What over what", "Median", "Range", "Target", "Met")
_RIGHT: Final = (False, False, True, True, True, False)


class Target(NamedTuple):
    """The greatest value that is good enough, or the least."""

    limit: float
    at_most: bool

    def met(self, value: float) -> bool:
        """Return whether the value is good enough."""
        return value <= self.limit if self.at_most else value >= self.limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table and the note below it.

    `compares` is in the form "this / that", or says what the number is; `unit` is empty for a ratio. `agree` is false
    where the two sides did not do the same, so that the target cannot be met. Without a `value` the row was left out,
    and the note says why.
    """

    name: str
    compares: str
    value: Spread | None
    note: str
    unit: str = ""
    target: Target | None = None
    agree: bool = True

    @property
    def met(self) -> bool | None:
        """Whether the target was met; None where there is none or nothing was measured."""
        if self.target is None or self.value is None:
            return None
        return self.agree and self.target.met(self.value.median)

    def cells(self) -> tuple[str, ...]:
        """Return what stands in each column."""
        median = LEFT_OUT if self.value is None else _said(self.value.median, self.unit)
        ends = "" if self.value is None else f"{_said(self.value.low)}–{_said(self.value.high)}"
        sign = "" if self.target is None else "≤ " if self.target.at_most else "≥ "
        target = "" if self.target is None else f"{sign}{self.target.limit:g} {self.unit}".strip()
        met = {None: "", True: "yes", False: "no"}[self.met]
        return self.name, self.compares, median, ends, target, met


def render(rows: Sequence[Row], *, caption: str) -> str:
    """Return a Markdown table, its caption above and the rows' notes below, wrapped at `COLUMNS`."""
    lines = [row.cells() for row in rows]
    widths = [max(map(len, column)) for column in zip(_HEADINGS, *lines, strict=True)]
    rule = [("-" * (width - 1) + ":") if right else "-" * width for width, right in zip(widths, _RIGHT, strict=True)]
    table = [_line(cells, widths) for cells in (_HEADINGS, tuple(rule), *lines)]
    notes = [_note(row) for row in rows if row.note]
    return "\n".join([_wrapped(caption), "", *table, *([""] if notes else []), *notes]) + "\n"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [
        cell.rjust(width) if right else cell.ljust(width)
        for cell, width, right in zip(cells, widths, _RIGHT, strict=True)
    ]
    return f"| {' | '.join(padded)} |"


def _note(row: Row) -> str:
    return textwrap.fill(f"- *{row.name}*: {row.note}", COLUMNS, subsequent_indent="  ", break_on_hyphens=False)


def _wrapped(text: str) -> str:
    return textwrap.fill(text, COLUMNS, break_on_hyphens=False)


def _said(value: float, unit: str = "") -> str:
    """Return a number to three digits, the last of them included if it is 0, with its unit."""
    number = f"{value:.0f}" if abs(value) >= 100 else f"{value:#.3g}"
    return f"{number} {unit}" if unit else number
