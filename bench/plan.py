"""Owns the plan: a suite's cells, each with the key that says everything its score depends on."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bench.card import BackboneCard, TaskCard
from bench.cell import Cell
from bench.config import Suite
from bench.errors import ConfigError
from bench.strategy import Strategy

ALGORITHM: Final = 1
"""Raised when the same recipe on the same bytes would score differently: it makes every older result another cell."""


@dataclass(frozen=True, slots=True)
class PlannedCell:
    """A cell with all that is needed to run it. `family` is the task family; `key` names its result."""

    cell: Cell
    family: str
    strategy: Strategy
    key: str


def plan_cells(
    suite: Suite, tasks: Mapping[str, TaskCard], backbones: Mapping[str, BackboneCard]
) -> tuple[PlannedCell, ...]:
    """Return the suite's cells, group by group: those of one task and backbone share data and activations.

    `tasks` maps task families and `backbones` backbone names to their cards. Raises `ConfigError` for a backbone that
    does not read the task's domain.
    """
    planned = []
    for entry in suite.entries:
        task = tasks[entry.family]
        for name in entry.backbones:
            backbone = backbones[name]
            if backbone.domain != task.domain:
                raise ConfigError(
                    f"task {entry.task!r} is of the domain {task.domain!r}, but backbone {name!r} reads "
                    f"{backbone.domain!r}: give it one of its own domain in tasks.{entry.task}.backbones"
                )
            for strategy in entry.strategies:
                for fraction in suite.fractions:
                    for seed in range(suite.seeds):
                        cell = Cell(entry.task, name, strategy.name, fraction, seed)
                        key = cell_key(cell, task=task, backbone=backbone, strategy=strategy)
                        planned.append(PlannedCell(cell, entry.family, strategy, key))
    return tuple(planned)


def cell_key(cell: Cell, *, task: TaskCard, backbone: BackboneCard, strategy: Strategy) -> str:
    """Return the hash of everything the cell's score depends on: 24 hexadecimal digits.

    A probe does not depend on the numbers of the gradient loop, nor the loop on a probe it does not start from; the key
    holds the whole recipe all the same, so that what a row says was set is what its key says.
    """
    said = {
        "algorithm": ALGORITHM,
        "task": [cell.task, task.version, task.sha256],
        "backbone": [cell.backbone, backbone.sha256],
        "strategy": [cell.strategy, strategy.depth, strategy.pretrained, strategy.recipe.model_dump(mode="json")],
        "fraction": cell.fraction,
        "seed": cell.seed,
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:24]
