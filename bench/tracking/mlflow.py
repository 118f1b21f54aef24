"""What MLflow is told: an experiment for each suite, a run for each cell. MLFLOW_TRACKING_URI says where."""

import os
import time
from pathlib import Path
from typing import ClassVar

from mlflow import MlflowClient
from mlflow.entities import Metric, Param
from mlflow.exceptions import MlflowException

from bench.tracking.tracker import TrackedCell, Tracker


class Mlflow(Tracker):
    """Logs by a client of its own, so that no run that is active around us is written into."""

    ERRORS: ClassVar = (MlflowException, OSError)

    def __init__(self, suite: str, folder: Path) -> None:
        self._client = MlflowClient()
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME", f"bench {suite}")
        found = self._client.get_experiment_by_name(name)
        self._experiment = found.experiment_id if found else self._client.create_experiment(name)

    def log(self, cell: TrackedCell) -> None:
        now = round(time.time() * 1000)
        start = now - round(cell.seconds * 1000)
        tags = {"strategy": cell.strategy} | ({} if cell.reason is None else {"reason": cell.reason})
        run = self._client.create_run(self._experiment, start_time=start, run_name=cell.name, tags=tags)
        metrics = [Metric(name, value, now, 0) for name, value in cell.metrics.items()]
        metrics += [
            Metric(name, point.value, now, point.step) for name, points in cell.curves.items() for point in points
        ]
        parameters = [Param(name, str(value)) for name, value in cell.parameters.items()]
        self._client.log_batch(run.info.run_id, metrics=metrics, params=parameters)
        self._client.set_terminated(run.info.run_id, "FINISHED" if cell.reason is None else "FAILED", end_time=now)
