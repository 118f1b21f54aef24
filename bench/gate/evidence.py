"""Differences between two runs, and what is known of each before any correction: there is a test for every cell.

A cell is a row of a task (a strategy on a backbone) at a budget; its seeds are its repeats. The mean of a row is over
its budgets and that of a task over its rows, plainly: a weight that follows from how far differences happen to scatter
would rest on rounding where they hardly do, and hide a cell that lost.

Seeds and test blocks are tested together (see `bench.stats.uncertainty`), so that what is said holds for other test
examples like these; how far seeds scatter is known from other cells too (see `bench.gate.moderation`). Where the test
split has fewer than four blocks it says nothing of other examples. The question of a gate has an answer all the same,
whether the code does worse on these very ones: runs of the same code differ by their seeds alone, and Student's t test
over seeds tells.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from bench import stats
from bench.gate.moderation import moderate
from bench.stats import Replicates, Uncertainty

FINEST: Final = 1e-4  # of skill: seeds that agree better are taken to scatter by as much; rounding is no certainty


class Basis(StrEnum):
    """What a difference was tested by."""

    EXAMPLES = "seeds and test blocks"
    SEEDS = "seeds"


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """Current less baseline skill of a task: the cells of each row, over the seeds that both runs have."""

    task: str
    rows: tuple[tuple[Replicates, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is known of a difference by itself.

    `p` is the two-sided p-value of its own mean, nan where there is no test: with a single seed, and where the `same`
    scores stand in both runs. `combined` is that of the difference and of all that it is the mean of, together.
    `n_tests` is how many these are. `grain` is the variance that a drop brings along, as a multiple of its size: which
    answers of so many turn wrong is chance; of what is no share of right answers it is not known, 0.
    """

    known: Uncertainty
    basis: Basis
    same: bool
    p: float
    combined: float
    n_tests: int
    grain: float
    n_seeds: int
    n_pairs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskEvidence:
    """What is known of a task as a whole, of its rows, and of the cells of each row."""

    task: str
    whole: Evidence
    rows: tuple[Evidence, ...]
    cells: tuple[tuple[Evidence, ...], ...]


def weigh(task: Differences) -> TaskEvidence:
    """Test every cell of a task, the mean of every row and the mean of all."""
    cells = tuple(
        tuple(_weigh(cell, (), len(cell), told) for cell, told in zip(row, others, strict=True))
        for row, others in zip(task.rows, moderate(task.rows), strict=True)
    )
    means = [_mean(row) for row in task.rows]
    rows = tuple(_weigh(mean, own, _pairs(own)) for mean, own in zip(means, cells, strict=True))
    parts = [*rows, *(cell for own in cells for cell in own)]
    return TaskEvidence(task=task.task, whole=_weigh(_mean(means), parts, _pairs(rows)), rows=rows, cells=cells)


def _mean(parts: Sequence[Replicates]) -> Replicates:
    """Return the plain mean of those parts that were measured, over the seeds that they share."""
    measured = [part for part in parts if len(part)]
    return stats.combine(measured, [1 / len(measured)] * len(measured)) if measured else stats.NO_REPLICATES


def _pairs(parts: Iterable[Evidence]) -> int:
    return sum(part.n_pairs for part in parts)


def _weigh(
    difference: Replicates, parts: Sequence[Evidence], n_pairs: int, moderated: Uncertainty | None = None
) -> Evidence:
    """Return what is known of a difference that is the mean of `parts`, or a cell, which has none.

    `moderated` is what is known with the help of other cells, if they help.
    """
    known, basis = _known(difference, moderated)
    # A mean may be 0 though its parts are not: what is the same in both runs is so in all of its parts.
    same = all(part.same for part in parts) if parts else len(difference) > 0 and difference.is_nothing
    p = float("nan") if same else known.p
    tests = [p, *(part.p for part in parts)]
    return Evidence(
        known=known,
        basis=basis,
        same=same,
        p=p,
        combined=stats.simes(tests),
        n_tests=int((~np.isnan(tests)).sum()),
        grain=float(np.sqrt(difference.finest / 2)) / max(len(difference), 1),  # finest: of two scores with such steps
        n_seeds=len(difference),
        n_pairs=n_pairs,
    )


def _known(difference: Replicates, moderated: Uncertainty | None) -> tuple[Uncertainty, Basis]:
    """Return what is known of the mean difference, and by what."""
    if difference.overlap is None and difference.moved.shape[1] < stats.FEWEST_BLOCKS:
        found, basis = stats.student(difference.values), Basis.SEEDS
    else:
        found, basis = moderated or stats.contrast(difference), Basis.EXAMPLES
    least = max(difference.finest, FINEST**2 / max(len(difference), 1))
    return found._replace(variance=max(found.variance, least) if found.known else found.variance), basis
