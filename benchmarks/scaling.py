"""Scaling a measured sample of cells up to all of them."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchmarks import ours


@dataclass(frozen=True, slots=True)
class Alone:
    """A cell that had a process to itself, and what the report it wrote at the end took."""

    seconds: float
    report_seconds: float
    amount: float


def scaled(cells: Sequence[ours.PlannedCell], measured: Mapping[ours.PlannedCell, Alone]) -> Iterator[float]:
    """Yield what each of the cells would take alone."""
    strata = {
        key: [(one, measured[one]) for one in group]
        for key, group in itertools.groupby(sorted(measured, key=lambda one: one.cell), _stratum)
    }
    for planned in cells:
        (small, quick), (large, slow) = strata[_stratum(planned)]
        total = slow.amount / ours.share_of(large)
        low, here, high = (_work(planned, ours.share_of(one), total) for one in (small, planned, large))
        share = min(1.0, max(0.0, (here - low) / (high - low))) if high > low else 0.0
        yield quick.seconds + share * (slow.seconds - quick.seconds)


def _stratum(planned: ours.PlannedCell) -> tuple[str, str, str]:
    return planned.cell.task, planned.cell.backbone, planned.cell.strategy


def _work(planned: ours.PlannedCell, share: float, total: float) -> float:
    """Return what a cell's seconds grow with: its gradient steps, or for a probe its labels."""
    labels = max(1, round(share * total))
    return ours.recipe_of(planned).steps(labels) if planned.strategy.trained_fraction else labels
