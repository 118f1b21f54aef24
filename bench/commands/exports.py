"""Which adapted models of a run are kept, and where."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.errors import ConfigError
from bench.planning.plan import PlannedCell
from bench.prediction.exported import holds
from bench.strategy import BACKBONE, Strategy


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
