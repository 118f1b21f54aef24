"""The plan: a suite's cells, each with the key that says everything its score depends on."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from types import MappingProxyType
from typing import Final

from bench.budget import NONE, Asked
from bench.card import BackboneCard, TaskCard
from bench.cell import ALL_STREAMS, Cell
from bench.config.data import DataSpec
from bench.config.suite import Suite
from bench.errors import ConfigError
from bench.results.manifest import Curve
from bench.shifts.scoring import offered_shifts
from bench.strategy import BACKBONE, Strategy
from bench.subsets.seeds import fold_of, seed_of
from bench.subsets.subset import budget_size
from bench.target import Target
from bench.versions import ALGORITHM, SHIFTS

NO_TARGETS: Final[Mapping[str, Target]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class PlannedCell:
    """A cell with all that is needed to run it: which data, of which hash. `key` names its result.

    With `shifts` it is scored under the shifts of its domain too. `n_train` is what the training split amounts to in
    the unit of budgets, 0 where that is known only once the data are loaded. `fold` is which
    fold of the data it is tested on.
    """

    cell: Cell
    spec: DataSpec
    data_sha256: str
    strategy: Strategy
    key: str
    shifts: bool = False
    n_train: int = 0
    fold: int = 0

    @property
    def seen_through(self) -> str:
        """The backbone that it sees its data through, nothing for a strategy without one."""
        return self.cell.backbone if BACKBONE in self.strategy.requires else ""

    @property
    def extent(self) -> tuple[int, Asked]:
        """Its budget, for an order of the cells of a task from few labels to many.

        Where the number of examples is not known, or says nothing of the budget, counts come before shares.
        """
        return budget_size(self.cell.budget, self.n_train) if self.n_train else 0, self.cell.budget


@dataclass(frozen=True, slots=True)
class Requirements:
    """What the pending cells of one task and backbone, or those of a task without one, ask of what they share.

    `budgets` are what their cells ask for, with their seeds.
    """

    strategies: frozenset[Strategy]
    budgets: frozenset[tuple[Asked, int]]


@dataclass(frozen=True, slots=True)
class Job:
    """Cells that one process runs in turn because they share work.

    These are the cells of one task, backbone, fold and strategy that is fitted together, else one cell.
    """

    cells: tuple[PlannedCell, ...]
    requirements: Requirements


def plan_cells(
    suite: Suite,
    tasks: Mapping[str, TaskCard],
    backbones: Mapping[str, BackboneCard],
    *,
    targets: Mapping[str, Target] = NO_TARGETS,
    need_labels: Collection[Curve] = (),
    variance: bool = False,
) -> tuple[PlannedCell, ...]:
    """Return the suite's cells, group by group: those of one task and backbone share data and activations.

    `tasks` and `backbones` map their names to their cards, `targets` those of tasks to what they predict: budgets of
    a task that is not among these are in examples. What is in `need_labels` has no cell without labels. With `variance`
    there are also cells in which one random stream alone follows the seed; those of seed 0 are there anyway. Raises
    `ConfigError` for a backbone that does not read the task's domain.
    """
    planned = []
    for entry in suite.entries:
        task, backbone = tasks[entry.task], backbones[entry.backbone]
        if backbone.domain != task.domain:
            raise ConfigError(
                f"task {entry.task!r} is of the domain {task.domain!r}, but backbone {entry.backbone!r} reads "
                f"{backbone.domain!r}: give it one of its own domain in tasks.{entry.task}.backbones"
            )
        target, seeds = targets.get(entry.task), suite.seeds_of(task)
        countable = target is None or target.sampling.counts_examples
        for strategy in entry.strategies:
            labelled = Curve(entry.task, entry.backbone, strategy.name) in need_labels
            for budget in (one for one in suite.budgets if one != NONE or not labelled):
                everywhere = ((seed, ALL_STREAMS) for seed in range(seeds))
                alone = ((seed, varied) for varied in strategy.streams for seed in range(1, seeds))
                for seed, varied in (*everywhere, *(alone if variance else ())):
                    cell = Cell(entry.task, entry.backbone, strategy.name, budget, seed, varied)
                    key = cell_key(cell, task=task, backbone=backbone, strategy=strategy, shifts=suite.shifts)
                    planned.append(
                        PlannedCell(
                            cell,
                            entry.spec,
                            task.sha256,
                            strategy,
                            key,
                            suite.shifts,
                            task.n_train if countable else round(task.amount),
                            fold_of(cell, task.folds),
                        )
                    )
    return tuple(planned)


def group_into_jobs(cells: Sequence[PlannedCell]) -> list[Job]:
    """Return the jobs in which to run pending cells, in their order."""
    shared = defaultdict(list)
    for planned in cells:
        shared[planned.spec, planned.seen_through, planned.fold].append(planned)
    requirements = {
        name: Requirements(
            frozenset(planned.strategy for planned in several),
            frozenset((planned.cell.budget, seed_of(planned.cell, "subset")) for planned in several),
        )
        for name, several in shared.items()
    }
    grouped = groupby(cells, _alike)
    return [Job(tuple(several), requirements[spec, through, fold]) for (spec, through, fold, _), several in grouped]


def _alike(planned: PlannedCell) -> tuple[DataSpec, str, int, str]:
    """Return what the cells of one job have in common."""
    alike = planned.cell.strategy if planned.strategy.together else planned.key
    return planned.spec, planned.seen_through, planned.fold, alike


def cell_key(cell: Cell, *, task: TaskCard, backbone: BackboneCard, strategy: Strategy, shifts: bool = False) -> str:
    """Return the hash of everything the cell's scores depend on, but for the machine: 24 hexadecimal digits.

    Device, precision and versions of libraries are no part of it; each result names them.

    Cells of a strategy without a backbone are one on several backbones. A probe does not depend on the numbers of the
    gradient loop, nor the loop on a probe it does not start from; the key holds the whole recipe all the same, so that
    what a row says was set is what its key says.
    """
    seeds = [seed_of(cell, purpose) for purpose in strategy.streams]
    said = {
        "algorithm": ALGORITHM,
        "task": [cell.task, task.version, task.sha256],
        "backbone": [cell.backbone, backbone.sha256] if BACKBONE in strategy.requires else [],
        "strategy": [cell.strategy, strategy.recipe()],
        "budget": str(cell.budget),
        "seed": cell.seed if len(set(seeds)) == 1 else seeds,
    }
    if task.folds > 1:  # which the seed says, but not in the key of a strategy that draws nothing from it
        said["fold"] = [fold_of(cell, task.folds), task.folds]
    if shifts:  # without them a result is not what was asked for
        offered = sorted(shift.name for shift in offered_shifts(task.domain))
        said["shifts"] = [SHIFTS, *offered] if offered else SHIFTS
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:24]
