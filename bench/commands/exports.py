"""Which adapted models of a run are kept, and where."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from bench.budget import ALL
from bench.cell import Result
from bench.errors import ConfigError
from bench.planning.plan import PlannedCell
from bench.prediction.exported import Estimate, holds, read_exported
from bench.results.store import Store
from bench.strategy import BACKBONE, Strategy
from bench.task import Task, WholeTask


def choose_exports(plan: Sequence[PlannedCell], root: Path) -> dict[str, Path]:
    """Return the folder for the model of each task, backbone and strategy of a plan, by the key of its cell.

    It is that of the largest budget and of seed 0: to choose by score would be to choose on the test split. A single
    model lies in `root` itself, several below it. Raises `ConfigError` if there is none: classical models and nearest
    neighbours are no networks, and are not kept.
    """
    chosen: dict[tuple[str, str, str], PlannedCell] = {}
    for planned in plan:
        cell = planned.cell
        name = (cell.task, cell.backbone, cell.strategy)
        if cell.seed > 0 or not _is_network(planned.strategy):
            continue
        if name not in chosen or planned.extent > chosen[name].extent:
            chosen[name] = planned
    if not chosen:
        named = ", ".join(sorted({planned.strategy.name for planned in plan}))
        raise ConfigError(f"--export keeps adapted networks, and none is asked for: add a strategy other than {named}")
    if len(chosen) == 1:
        return {planned.key: root for planned in chosen.values()}
    return {planned.key: root.joinpath(*map(_folder_name, name)) for name, planned in chosen.items()}


def choose_refits(plan: Sequence[PlannedCell], root: Path, tasks: Mapping[str, Task]) -> dict[str, Path]:
    """Return the folder for the refit of each task, backbone and strategy, by the key of the cell whose recipe it is.

    Raises `ConfigError` where the budget of all labels is not asked for, since other budgets estimate another model, or
    for tasks whose examples are not to be had without their split.
    """
    chosen = choose_exports(plan, root)
    for planned in (one for one in plan if one.key in chosen):
        name = planned.cell.task
        if planned.cell.budget != ALL:
            raise ConfigError(f"--refit all trains on every label, so test it with all of them too: add --budget {ALL}")
        if not isinstance(tasks[name], WholeTask):
            raise ConfigError(
                f"--refit all needs labelled data that are split here, or that are read from files with their split: "
                f"{name} is split by its own code; leave --refit out, and the model of the training split is kept"
            )
    return chosen


def estimate(planned: PlannedCell, plan: Sequence[PlannedCell], store: Store) -> Estimate | None:
    """Return what the recipe of a planned cell scored with all seeds of the plan; None if nothing was scored."""
    alike = (one for one in plan if replace(one.cell, seed=planned.cell.seed) == planned.cell)
    outcomes = (store.outcome(one.cell, one.key) for one in alike)
    tested = [outcome for outcome in outcomes if isinstance(outcome, Result)]
    if not tested:
        return None
    return Estimate(
        metric=store.manifest.tasks[planned.cell.task].metric.name,
        scores=tuple(result.score for result in tested),
        amount=max(result.amount for result in tested),
        tested=len({result.fold for result in tested}),
        folds=tested[0].folds,
        keys=tuple(result.key for result in tested),
    )


def show_refit(folder: Path) -> None:
    """Print where a refit is kept, and what is known of it."""
    print(f"model: {folder} ({read_exported(folder).result})")


def show_exports(plan: Sequence[PlannedCell], exports: Mapping[str, Path]) -> None:
    """Print which models are kept where."""
    cells = {planned.key: planned.cell for planned in plan}
    for key, folder in exports.items():
        if holds(folder, key):
            print(f"model: {folder} ({cells[key]})")


def _is_network(strategy: Strategy) -> bool:
    return BACKBONE in strategy.requires and strategy.exportable


def _folder_name(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip(".") or "-"
