"""Owns the claims made for transfer learning, and what is measured of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bench.report.curves import Curves
from bench.report.tables import Tables


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim for one task and backbone: the verdict on it, and what was measured in words."""

    name: str
    title: str
    verdict: Literal["supported", "not supported", "not decided"]
    said: str


def claims_of(tables: Tables, task: str, curves: Curves) -> Sequence[Claim]:
    """Return the claims that were looked at."""
    del tables, task, curves
    return []
