"""Answers: predictions of single examples as people read them."""

from dataclasses import dataclass
from typing import Any

from bench.column import Array


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """A few lines of cells for each example, under `headings`; `records` say the same as plain values for JSON."""

    headings: tuple[str, ...]
    lines: list[list[tuple[str, ...]]]
    records: list[dict[str, Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """A value for each step to come: `values` is [n, steps]; `records` say the same as plain values for JSON."""

    values: Array
    records: list[dict[str, Any]]


Answers = Rows | Steps
