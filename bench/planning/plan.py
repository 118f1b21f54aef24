"""Owns the plan: a suite's cells, each with the key that says everything its score depends on."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from bench.card import BackboneCard, TaskCard
from bench.cell import ALL_STREAMS, Cell
from bench.config.data import DataSpec
from bench.config.suite import Suite
from bench.errors import ConfigError
from bench.planning.seeds import VARIED, Purpose, seed_of
from bench.strategy import Strategy

ALGORITHM: Final = 2
"""Raised when the same recipe on the same bytes would score differently: it makes every older result another cell."""

SHIFTS: Final = 1
"""Raised when test data are shifted otherwise than before: results that were scored on them are other cells then."""


@dataclass(frozen=True, slots=True)
class PlannedCell:
    """A cell with all that is needed to run it: which data, of which hash. `key` names its result.

    With `shifts` it is scored under the shifts of its domain too.
    """

    cell: Cell
    spec: DataSpec
    data_sha256: str
    strategy: Strategy
    key: str
    shifts: bool = False


@dataclass(frozen=True, slots=True)
class Needs:
    """What the pending cells of one task and backbone, or the classical ones of a task, ask of what they share.

    `depths` are the shares of stages that their strategies train, `budgets` their fractions with their seeds.
    """

    depths: frozenset[float]
    budgets: frozenset[tuple[float, int]]


@dataclass(frozen=True, slots=True)
class Pack:
    """Cells that one process runs in turn because they share work.

    These are the probes of a task and backbone, or the classical models of a task, else one cell.
    """

    cells: tuple[PlannedCell, ...]
    needs: Needs


def plan_cells(
    suite: Suite, tasks: Mapping[str, TaskCard], backbones: Mapping[str, BackboneCard], *, variance: bool = False
) -> tuple[PlannedCell, ...]:
    """Return the suite's cells, group by group: those of one task and backbone share data and activations.

    `tasks` and `backbones` map their names to their cards. With `variance` there are also cells in which one random
    stream alone follows the seed; those of seed 0 are there anyway. Raises `ConfigError` for a backbone that does not
    read the task's domain.
    """
    planned = []
    for entry in suite.entries:
        task, backbone = tasks[entry.task], backbones[entry.backbone]
        if backbone.domain != task.domain:
            raise ConfigError(
                f"task {entry.task!r} is of the domain {task.domain!r}, but backbone {entry.backbone!r} reads "
                f"{backbone.domain!r}: give it one of its own domain in tasks.{entry.task}.backbones"
            )
        for strategy in entry.strategies:
            for fraction in suite.fractions:
                everywhere = ((seed, ALL_STREAMS) for seed in range(suite.seeds))
                alone = ((seed, varied) for varied in _streams(strategy) for seed in range(1, suite.seeds))
                for seed, varied in (*everywhere, *(alone if variance else ())):
                    cell = Cell(entry.task, entry.backbone, strategy.name, fraction, seed, varied)
                    key = cell_key(cell, task=task, backbone=backbone, strategy=strategy, shifts=suite.shifts)
                    planned.append(PlannedCell(cell, entry.spec, task.sha256, strategy, key, suite.shifts))
    return tuple(planned)


def pack_cells(cells: Sequence[PlannedCell]) -> list[Pack]:
    """Return the packs in which to run pending cells, in their order."""
    shared = defaultdict(list)
    for planned in cells:
        shared[planned.spec, _seen_through(planned)].append(planned)
    needs = {
        name: Needs(
            frozenset(planned.strategy.depth for planned in several),
            frozenset((planned.cell.fraction, seed_of(planned.cell, "subset")) for planned in several),
        )
        for name, several in shared.items()
    }
    return [Pack(tuple(several), needs[spec, through]) for (spec, through, _), several in groupby(cells, _alike)]


def _streams(strategy: Strategy) -> tuple[Purpose, ...]:
    """Return the random streams that a strategy draws from.

    What is solved depends on its subset alone, and what starts from pretrained weights draws none.
    """
    if strategy.depth == 0:
        return ("subset",)
    return ("subset", "order") if strategy.pretrained else VARIED


def _alike(planned: PlannedCell) -> tuple[DataSpec, str, str]:
    """Return what the cells of one pack have in common."""
    alike = planned.cell.strategy if planned.strategy.depth == 0 else planned.key
    return planned.spec, _seen_through(planned), alike


def _seen_through(planned: PlannedCell) -> str:
    """Return the backbone that a cell sees its data through; a classical model has none."""
    return "" if planned.strategy.classical else planned.cell.backbone


def cell_key(cell: Cell, *, task: TaskCard, backbone: BackboneCard, strategy: Strategy, shifts: bool = False) -> str:
    """Return the hash of everything the cell's scores depend on, but for the machine: 24 hexadecimal digits.

    Device, precision and versions of libraries are no part of it; each result names them.

    No backbone takes part in a classical model: its cells on several backbones are one. A probe does not depend on the
    numbers of the gradient loop, nor the loop on a probe it does not start from; the key holds the whole recipe all the
    same, so that what a row says was set is what its key says.
    """
    seeds = [seed_of(cell, purpose) for purpose in _streams(strategy)]
    said = {
        "algorithm": ALGORITHM,
        "task": [cell.task, task.version, task.sha256],
        "backbone": ["classical"] if strategy.classical else [cell.backbone, backbone.sha256],
        "strategy": [cell.strategy, strategy.depth, strategy.pretrained, strategy.recipe.model_dump(mode="json")],
        "fraction": cell.fraction,
        "seed": cell.seed if len(set(seeds)) == 1 else seeds,
    }
    if shifts:  # without them a result is not what was asked for
        said["shifts"] = SHIFTS
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:24]
