"""Another metric in the config ranks what was predicted before: no cell is trained for it."""

import logging
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

import bench
from bench.cell import Failure
from bench.cli import main
from bench.metrics.forecast import MAE, MASE
from bench.results.store import Store

CONFIG = """
budgets = [0.1, "all"]
seeds = 2

[strategies.linear_probe]
kind = "probe"

[tasks.co2]
backbones = ["bundled:series"]
{metric}

[suites.all]
tasks = ["co2"]
"""


def run(caplog: pytest.LogCaptureFixture, metric: str = "", *, code: int = 0) -> str:
    """Run the suite with a metric, hold the exit code against the one to expect, and return what is logged."""
    Path("bench.toml").write_text(CONFIG.replace("{metric}", metric))
    caplog.clear()
    assert main(["run", "--workers", "1"]) == code, caplog.text
    return caplog.text


def test_a_metric_of_the_config_ranks_and_nothing_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    caplog.set_level(logging.INFO)
    assert "4 scored now" in run(caplog)
    before = bench.load("results/all")
    assert set(before["metric"]) == {MASE.card.name}
    assert "0 scored now, 4 found finished" in run(caplog, 'metric = "mae"')
    after = bench.load("results/all")
    assert set(after["metric"]) == {MAE.card.name}
    assert after["score"].tolist() == before["metric_mae"].tolist()
    assert after["metric_mase"].tolist() == before["score"].tolist()
    assert "MAE, lower is better" in Path("results/all/report.md").read_text()
    shifted = [one for result in Store(Path("results/all")).results() for one in result.shifted]
    assert [one.score for one in shifted] == [one.scores.values["mae"] for one in shifted]


FIRST_STEP = """
import numpy as np


def first_step(predictions, labels, facts):
    return float(np.abs(predictions["future"][:, {step}] - labels["future"][:, {step}]).mean())


first_step.higher_is_better = False
"""


def scores() -> list[float]:
    found: list[float] = bench.load("results/all")["score"].tolist()
    return found


def test_a_function_that_changed_scores_anew_what_was_predicted_and_is_another_metric_to_compare(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    caplog.set_level(logging.INFO)
    mine, metric = Path("mine.py"), 'metric = "python:mine.py:first_step"'
    mine.write_text(FIRST_STEP.format(step=0))
    assert "4 scored now" in run(caplog, metric)
    first, before = scores(), Path("before")
    shutil.copytree("results/all", before)
    mine.write_text(FIRST_STEP.format(step=5))
    said = run(caplog, metric)
    assert "4 results scored by further metrics" in said
    assert "0 scored now, 4 found finished" in said
    second = scores()
    assert all(other != one for one, other in zip(first, second, strict=True))
    assert "scored by further metrics" not in run(caplog, metric), "what is as it is now is left alone"
    assert main(["compare", str(before), "results/all"]) == 2
    assert "another version of first step in its file" in capsys.readouterr().err
    mine.write_text(FIRST_STEP.format(step=0))
    run(caplog, metric)
    assert scores() == first
    assert main(["compare", str(before), "results/all"]) == 0


def test_a_score_by_another_version_of_a_function_is_no_score(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(FIRST_STEP.format(step=0))
    run(caplog, 'metric = "python:mine.py:first_step"')
    store = Store(Path("results/all"))
    entry = store.manifest.tasks["co2"]
    newer = replace(entry, metric=replace(entry.metric, sha256="0" * 64))
    store.extend(replace(store.manifest, tasks={"co2": newer}))
    reasons = {one.reason for one in store.outcomes().values() if isinstance(one, Failure)}
    assert reasons == {"scored by another version of first_step, and not anew yet"}
    assert not list(store.results())


COST = "def cost(predictions, labels, facts):\n    {body}\n"
MINE = 'metric = "python:mine.py:cost"'


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("return float('nan')", "4 finished cells without a score: the test split does not define cost"),
        (
            "raise ValueError('boom')",
            "4 results not scored by further metrics: cost in mine.py raised ValueError: boom",
        ),
        ("raise SystemExit(0)", "4 results not scored by further metrics: cost in mine.py raised SystemExit: 0"),
        ("return 10**400", "cost in mine.py is to return a finite number, or None where there is none: got inf"),
    ],
)
@pytest.mark.parametrize("before", ["", MINE], ids=["by another metric", "by another version"])
def test_finished_cells_that_come_to_have_no_score_have_failed_and_are_not_trained_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, before: str, body: str, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    caplog.set_level(logging.INFO)
    mine = Path("mine.py")
    mine.write_text(COST.format(body="return 1.5"))
    assert "4 scored now" in run(caplog, before)
    mine.write_text(COST.format(body=body))
    for _ in range(2):
        logged = run(caplog, MINE, code=1)
        assert said in logged
        assert "4 cells: 0 scored now, 0 found finished, 4 failed" in logged
        assert "4 finished cells without a score" in logged
    assert not list(Store(Path("results/all")).results())
    mine.write_text(COST.format(body="return 2.5"))
    assert "0 scored now, 4 found finished, 0 failed" in run(caplog, MINE)
    assert scores() == [2.5] * 4


WRITING = """
import numpy as np


def cost(predictions, labels, facts):
    future = predictions["future"]
    np.exp(future, out=future)
    labels["future"][...] = 0
    return 1.0
"""


def test_a_function_that_writes_into_what_it_is_given_changes_no_other_score_and_nothing_that_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(COST.format(body="return 1.0"))
    run(caplog, MINE)
    shutil.move("results/all", "before")
    Path("mine.py").write_text(WRITING)
    run(caplog, MINE)
    for column in ("metric_mae", "metric_mase"):
        assert bench.load("results/all")[column].tolist() == bench.load("before")[column].tolist()
    kept = sorted(path.relative_to("before") for path in Path("before").glob("*/*.npz"))
    assert {path.parts[0] for path in kept} == {"predictions", "tested"}
    for path in kept:
        assert (Path("results/all") / path).read_bytes() == (Path("before") / path).read_bytes(), path
