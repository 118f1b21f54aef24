"""What Weights & Biases is told: a run for each cell, in a group for each suite. WANDB_MODE is the user's."""

import os
from pathlib import Path
from typing import ClassVar, Final

import wandb
from wandb.errors import Error

from bench.tracking.tracker import TrackedCell, Tracker

PROJECT: Final = "bench-transfer"


class Wandb(Tracker):
    """Starts and ends a run per cell; they never share a process-wide one."""

    ERRORS: ClassVar = (Error, OSError)

    def __init__(self, suite: str, folder: Path) -> None:
        self._suite = suite
        self._project = os.environ.get("WANDB_PROJECT", PROJECT)
        self._settings = wandb.Settings(silent=True, console="off")

    def log(self, cell: TrackedCell) -> None:
        run = wandb.init(
            project=self._project,
            group=self._suite,
            job_type=cell.strategy,
            name=cell.name,
            notes=cell.reason,
            config=dict(cell.parameters),
            reinit="create_new",
            settings=self._settings,
        )
        for name, points in cell.curves.items():
            run.define_metric(name, step_metric="step")
            for point in points:
                run.log({"step": point.step, name: point.value})
        run.summary.update(dict(cell.metrics))
        run.finish(exit_code=0 if cell.reason is None else 1)
