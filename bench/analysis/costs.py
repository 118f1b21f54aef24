"""What a run cost: seconds by phase, shared work counted once, and what the cells would have cost alone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from bench.cell import FROZEN, HEAD, LOADING, Result

PHASES: Final[Mapping[str, str]] = {
    LOADING: "loading data and backbones",
    FROZEN: "frozen stages",
    HEAD: "linear heads",
    "training": "training",
    "evaluation": "evaluation",
    "overhead": "overhead: copying, drawing, checking",
}
"""Phases with their titles. The first three are shared between cells."""


@dataclass(frozen=True, slots=True)
class Costs:
    """`spent` are the seconds of each phase, `alone` those of all cells if each had done its shared work itself.

    Loading, the cold start of a process, is in `spent` alone.
    """

    spent: Mapping[str, float]
    alone: float

    @property
    def total(self) -> float:
        """All seconds spent, over all processes."""
        return sum(self.spent.values())


def add_up(results: Iterable[Result]) -> Costs:
    """Return the costs of results, whenever their shared work was done."""
    spent = dict.fromkeys(PHASES, 0.0)
    done: set[str] = set()
    alone = 0.0
    for result in results:
        spent["training"] += result.training_seconds
        spent["evaluation"] += result.evaluation_seconds
        spent["overhead"] += result.seconds - result.training_seconds - result.evaluation_seconds
        alone += result.seconds
        for work in result.shared:
            alone += work.seconds if work.phase != LOADING else 0.0
            if work.key not in done:
                done.add(work.key)
                spent[work.phase] += work.seconds
    return Costs(spent, alone)
