"""Every tracker, by its real library and without a network: a cell is a run with all that came of it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import wandb
from mlflow import MlflowClient
from mlflow.entities import Run
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams.api_pb2 import Status
from tensorboard.plugins.hparams.metadata import (
    SESSION_END_INFO_TAG,
    SESSION_START_INFO_TAG,
    parse_session_end_info_plugin_data,
    parse_session_start_info_plugin_data,
)
from wandb.proto import wandb_internal_pb2

from bench.registry import BUILT_IN, TRACKERS
from bench.tracking.mlflow import Mlflow
from bench.tracking.tensorboard import TensorBoard
from bench.tracking.tracker import Point, TrackedCell, Value
from bench.tracking.wandb import Wandb

Record: Any = vars(wandb_internal_pb2)["Record"]  # made as it is loaded, so that types do not see it
MANY: dict[str, Value] = {f"many.{number}": number for number in range(120)}  # MLflow takes a hundred at a time
BLOCK = 32 * 1024  # what follows in a file of wandb's begins anew
HEADER_BYTES = 7  # of such a file

SCORED = TrackedCell(
    name="series · bundled:clock · full · 0.1 · seed 2",
    path="series/bundled-clock/full/0.1-seed2-01234567",
    strategy="full",
    parameters={"task": "series", "seed": 2, "recipe.warmup": 0.1, "task_card.synthetic": False, **MANY},
    metrics={"score": 0.75, "amount": 12},
    curves={"loss": [Point(50, 3.0), Point(100, 1.5)]},
    seconds=2.0,
)
FAILED = TrackedCell(name="a cell", path="a/cell", strategy="full", parameters={"task": "series"}, reason="it rained")


@pytest.fixture(autouse=True)
def _nothing_leaves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_ERROR_REPORTING", "false")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    # A folder, which takes no time to make, instead of the database of which MLflow would make the tables first.
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "mlruns").as_uri())
    yield
    wandb.teardown()  # it would go on in the folder of its first run


def mlflow_runs() -> dict[str, Run]:
    """Return what MLflow kept, by name."""
    client = MlflowClient()
    experiment = client.get_experiment_by_name("bench example")
    assert experiment
    return {run.info.run_name: run for run in client.search_runs([experiment.experiment_id])}


def test_mlflow_keeps_parameters_metrics_and_curves(tmp_path: Path) -> None:
    Mlflow("example", tmp_path).log(SCORED)
    run = mlflow_runs()[SCORED.name]
    assert run.info.status == "FINISHED"
    assert run.info.end_time - run.info.start_time == 2000
    assert run.data.params == {name: str(value) for name, value in SCORED.parameters.items()}
    assert run.data.metrics == {"score": 0.75, "amount": 12, "loss": 1.5}
    history = MlflowClient().get_metric_history(run.info.run_id, "loss")
    assert [(one.step, one.value) for one in history] == [(50, 3.0), (100, 1.5)]


def test_mlflow_marks_a_failed_cell_and_goes_on_with_the_experiment(tmp_path: Path) -> None:
    Mlflow("example", tmp_path).log(SCORED)
    Mlflow("example", tmp_path).log(FAILED)
    runs = mlflow_runs()
    assert set(runs) == {SCORED.name, FAILED.name}
    assert runs[FAILED.name].info.status == "FAILED"
    assert runs[FAILED.name].data.tags["reason"] == "it rained"


def events(folder: Path) -> EventAccumulator:
    """Return what TensorBoard reads of a cell."""
    read = EventAccumulator(str(folder))
    read.Reload()
    return read


def test_tensorboard_keeps_parameters_metrics_and_curves(tmp_path: Path) -> None:
    TensorBoard("example", tmp_path).log(SCORED)
    read = events(tmp_path / "tensorboard" / SCORED.path)
    assert [(one.step, one.value) for one in read.Scalars("loss")] == [(50, 3.0), (100, 1.5)]
    assert [one.value for one in read.Scalars("score")] == [0.75]
    start, end = hyperparameters(read)
    assert start.hparams["recipe.warmup"].number_value == 0.1
    assert start.hparams["task"].string_value == "series"
    assert len(start.hparams) == len(SCORED.parameters)
    assert end.status == Status.STATUS_SUCCESS
    assert end.end_time_secs - start.start_time_secs == pytest.approx(2.0, abs=0.01)


def test_tensorboard_marks_a_failed_cell(tmp_path: Path) -> None:
    TensorBoard("example", tmp_path).log(FAILED)
    start, end = hyperparameters(events(tmp_path / "tensorboard" / FAILED.path))
    assert start.hparams["reason"].string_value == "it rained"
    assert end.status == Status.STATUS_FAILURE


def hyperparameters(read: EventAccumulator) -> tuple[Any, Any]:
    """Return start and end of a trial, as the plug-in for hyperparameters reads them."""
    contents = {
        tag: read.SummaryMetadata(tag).plugin_data.content for tag in (SESSION_START_INFO_TAG, SESSION_END_INFO_TAG)
    }
    return (
        parse_session_start_info_plugin_data(contents[SESSION_START_INFO_TAG]),
        parse_session_end_info_plugin_data(contents[SESSION_END_INFO_TAG]),
    )


def wandb_records(folder: Path) -> list[Any]:
    """Return what would be sent of the one run that was kept offline. All of it is on disk only in the end."""
    wandb.teardown()
    (path,) = folder.glob("wandb/offline-run-*/run-*.wandb")
    content = path.read_bytes()
    assert len(content) < BLOCK
    records, place = [], HEADER_BYTES
    while place < len(content):  # each: a checksum of four bytes, the length in two, a kind in one, and a record
        length = int.from_bytes(content[place + 4 : place + 6], "little")
        records.append(Record.FromString(content[place + 7 : place + 7 + length]))
        place += 7 + length
    return records


def test_wandb_keeps_parameters_metrics_and_curves(tmp_path: Path) -> None:
    Wandb("example", tmp_path).log(SCORED)
    records = wandb_records(tmp_path)
    run = next(record.run for record in records if record.HasField("run"))
    assert (run.display_name, run.run_group, run.job_type) == (SCORED.name, "example", "full")
    config = {update.key: update.value_json for update in run.config.update}
    assert config["recipe.warmup"] == "0.1"
    history = [
        {(item.key or item.nested_key[0]): item.value_json for item in record.history.item}
        for record in records
        if record.HasField("history")
    ]
    assert [(one["step"], one["loss"]) for one in history] == [("50", "3"), ("100", "1.5")]
    summary = {item.key or item.nested_key[0]: item.value_json for r in records for item in r.summary.update}
    assert summary["score"] == "0.75"
    assert [record.exit.exit_code for record in records if record.HasField("exit")] == [0]


def test_wandb_marks_a_failed_cell(tmp_path: Path) -> None:
    Wandb("example", tmp_path).log(FAILED)
    records = wandb_records(tmp_path)
    assert [record.exit.exit_code for record in records if record.HasField("exit")] == [1]
    assert next(record.run.notes for record in records if record.HasField("run")) == "it rained"


def test_every_tracker_that_may_be_asked_for_is_tested_here() -> None:
    assert {kind.__module__.rpartition(".")[2] for kind in (Mlflow, TensorBoard, Wandb)} == set(BUILT_IN[TRACKERS])
