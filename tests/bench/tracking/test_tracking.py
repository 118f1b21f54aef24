"""A run is followed by its trackers, and by nothing that a tracker does is a result lost."""

import logging
import sys
from pathlib import Path

import pytest

from bench import cli
from bench.budget import Share
from bench.cell import Cell, Failure
from bench.errors import TrackerError
from bench.planning.plan import PlannedCell
from bench.registry import BUILT_IN, TRACKERS
from bench.results.manifest import Manifest, StrategyEntry
from bench.results.store import Store
from bench.tracking.tensorboard import TensorBoard
from bench.tracking.tracker import TrackedCell, Tracker
from bench.tracking.tracking import Tracking, start_tracking
from tests.bench.analysis.example import BACKBONES, TASKS, outcome
from tests.bench.test_cli import CONFIG, mistake
from tests.toys import FULL, toy_cell

CELLS = {Cell("series", "bundled:clock", "full", Share(0.1), seed): f"{seed:024x}" for seed in range(3)}
MANIFEST = Manifest(
    suite="example",
    tasks=TASKS,
    backbones=BACKBONES,
    strategies={"full": StrategyEntry(name="full", kind="finetune", start="pretrained", trained_fraction=1.0)},
    cells=CELLS,
)
PLAN = [PlannedCell(cell, toy_cell(FULL).spec, "0" * 64, FULL, key) for cell, key in CELLS.items()]


class Remembering(Tracker):
    """Remembers what it was told; from the cell numbered `until` on it cannot."""

    ERRORS = (ConnectionError,)

    def __init__(self, suite: str = "", folder: Path = Path(), *, until: int = 99) -> None:
        self.told: list[TrackedCell] = []
        self._until = until

    def log(self, cell: TrackedCell) -> None:
        if len(self.told) >= self._until:
            raise ConnectionError("nobody answers")
        self.told.append(cell)


def test_every_tracker_is_told_of_every_cell() -> None:
    one, other = Remembering(), Remembering()
    tracking = Tracking({"one": one, "other": other}, MANIFEST, PLAN)
    for cell, key in CELLS.items():
        tracking.follow(outcome(cell, key))
    assert [cell.name for cell in one.told] == [str(cell) for cell in CELLS]
    assert other.told == one.told


def test_a_tracker_that_fails_is_told_of_once_and_the_others_go_on(caplog: pytest.LogCaptureFixture) -> None:
    broken, sound = Remembering(until=1), Remembering()
    tracking = Tracking({"broken": broken, "sound": sound}, MANIFEST, PLAN)
    for cell, key in CELLS.items():
        tracking.follow(outcome(cell, key))
    assert (len(broken.told), len(sound.told)) == (1, 3)
    assert caplog.text.count("could not be logged with broken (nobody answers)") == 1
    assert len(caplog.records) == 1


def test_failed_cells_are_told_of_with_their_reason() -> None:
    tracker = Remembering()
    cell, key = next(iter(CELLS.items()))
    Tracking({"one": tracker}, MANIFEST, PLAN).follow(Failure(cell=cell, key=key, reason="it rained", traceback=""))
    assert [told.reason for told in tracker.told] == ["it rained"]


@pytest.mark.parametrize("name", BUILT_IN[TRACKERS])
def test_a_tracker_whose_library_is_missing_says_what_to_install(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in [one for one in sys.modules if one.split(".")[0] == name]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.delitem(sys.modules, f"bench.tracking.{name}", raising=False)
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(TrackerError, match=rf"--track {name} needs .* pip install '\.\[{name}\]' in the checkout"):
        start_tracking([name], tmp_path, MANIFEST, PLAN)


def test_a_tracker_that_cannot_start_says_so_before_anything_runs(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("a file where the folder should be")
    with pytest.raises(TrackerError, match=r"--track tensorboard cannot start: .*; mend that, or run without it"):
        start_tracking(["tensorboard"], tmp_path / "results", MANIFEST, PLAN)


def test_an_unknown_tracker_is_refused_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["run", "--track", "notebook"]) == 2
    assert "unknown tracker 'notebook' (there are: mlflow, tensorboard, wandb)" in capsys.readouterr().err


def event_files(folder: Path) -> list[Path]:
    """Return TensorBoard's files under a folder, oldest name first."""
    return sorted((folder / "tensorboard").rglob("events.*"))


def test_a_run_logs_what_it_scores_now_and_says_what_it_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bench.toml").write_text(CONFIG)
    caplog.set_level(logging.INFO)
    command = ["run", "--task", "co2", "--workers", "1"]

    assert cli.main([*command, "--strategy", "linear_probe"]) == 0
    assert cli.main(command) == 0
    assert "--track" not in caplog.text
    assert (
        cli.main([*command, "--budget", "0.1", "--budget", "0.2", "--strategy", "full", "--track", "tensorboard"]) == 0
    )
    (logged,) = event_files(Path("results/all"))
    assert logged.parts[-3] == "full"
    assert caplog.text.count("--track logs what runs now; finished before, and not logged: 1 cell") == 1


def test_a_run_keeps_its_results_when_its_tracker_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bench.toml").write_text(CONFIG)

    def fail(tracker: TensorBoard, cell: TrackedCell) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(TensorBoard, "log", fail)
    command = ["run", "--task", "co2", "--workers", "1"]
    assert cli.main([*command, "--track", "tensorboard"]) == 0
    assert len(list(Store(Path("results/all")).results())) == 2
    assert caplog.text.count("could not be logged with tensorboard") == 1


def test_a_mistaken_tracker_leaves_nothing_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bench.toml").write_text(CONFIG)
    monkeypatch.delitem(sys.modules, "bench.tracking.wandb", raising=False)
    monkeypatch.setitem(sys.modules, "wandb", None)
    assert "pip install '.[wandb]' in the checkout" in mistake(capsys, "run", "--task", "co2", "--track", "wandb")
    assert not Path("results").exists()
