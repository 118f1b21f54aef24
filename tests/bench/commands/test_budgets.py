"""Budgets on the command line: a share, a number of labels and all of them side by side, from the run to the gate."""

import csv
import json
import logging
from pathlib import Path

import numpy as np
import pytest
import torch
from bench_tasks.opening import open_task

from bench.backbone import Head
from bench.backbones.loading import load_backbone
from bench.budget import ALL, NONE, Count, Share
from bench.cli import main
from bench.config.data import DataSpec
from bench.domains.options import DataOptions
from bench.results.manifest import Curve
from bench.results.store import Store
from bench.runtime.cache import Cache
from bench.targets.forecast import Forecast
from tests.bench.commands.test_own_data import write_demand
from tests.bench.test_cli import mistake

RUN = ["run", "--data", "csv:demand.csv", "--strategy", "linear_probe", "--workers", "1", "--no-shifts"]


@pytest.fixture(autouse=True)
def _working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_demand(Path("demand.csv"))


def rows(name: str) -> list[dict[str, str]]:
    with Path("results/demand", name).open() as file:
        return list(csv.DictReader(file))


def test_a_share_a_number_and_all_labels_stand_side_by_side(capsys: pytest.CaptureFixture[str]) -> None:
    command = [*RUN, "--seeds", "1", "--budget", "0.5", "150", "all"]
    assert main(command) == 0
    store = Store(Path("results/demand"))
    amounts = {result.cell.budget: result.amount for result in store.results()}
    n_train = amounts[ALL]
    assert amounts == {Count(150): 150, Share(0.5): 225, ALL: 450}
    record = json.loads(Path("results/demand/manifest.json").read_text())
    assert [cell["budget"] for cell in record["cells"]] == ["150", "0.5", "all"]
    written = [("150", "150"), ("0.5", f"{0.5 * n_train:.0f}"), ("all", f"{n_train:.0f}")]
    for name in ("results.csv", "curves.csv"):
        assert [(row["budget"], row["amount"]) for row in rows(name)] == written
    report = Path("results/demand/report.md").read_text()
    assert "| 150, 0.5, all |" in report
    [stops] = [line for line in report.splitlines() if line.startswith("| Strategy | 150 | ")]
    assert stops == f"| Strategy | 150 | {0.5 * n_train:.0f} | {n_train:.0f} |"
    assert "number of observations" in Path("results/demand/charts/demand.svg").read_text()
    capsys.readouterr()
    assert main([*command, "--dry-run"]) == 0
    assert "3 cells, 3 finished, 0 to run" in capsys.readouterr().out


def test_more_labels_than_there_are_is_a_failed_cell_that_says_how_many_there_are() -> None:
    assert main([*RUN, "--seeds", "1", "--budget", "9000", "30"]) == 1
    reasons = {row["budget"]: row["reason"] for row in rows("results.csv")}
    assert reasons["30"] == ""
    n_train = json.loads(Path("results/demand/manifest.json").read_text())["tasks"]["demand"]["card"]["amount"]
    assert reasons["9000"] == (
        f"a budget of 9000 observations, but there are {n_train:g}: ask for {n_train:g} or fewer, or for all"
    )


def test_budgets_of_the_config_that_your_data_do_not_have_are_left_out_and_told(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO)
    Path("bench.toml").write_text('budgets = [30, 9000, "all"]\n')
    assert main([*RUN, "--seeds", "1", "--dry-run"]) == 0
    assert "2 cells, 0 finished, 2 to run" in capsys.readouterr().out
    [said] = [message for message in caplog.messages if "left out" in message]
    assert said.startswith("demand: left out a budget of 9000, more than its ")
    assert said.endswith(" observations")


MINUTES = """
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bench.card import TaskCard
from bench.column import dense
from bench.domains.vision.raw import ImageArray
from bench.targets.classes import Classes, Stratified
from bench.task import Examples, Split, Task


class ByMinutes(Stratified):
    def amounts(self, labels, facts, order):
        return facts["minutes"][order].cumsum()


@dataclass(frozen=True, slots=True)
class Minutes(Classes):
    unit: ClassVar[str] = "minutes"

    @property
    def sampling(self):
        return ByMinutes(len(self.names))


class Clips(Task):
    card = TaskCard(
        name="clips", title="Clips", domain="vision", description="", source="", licence="", citation="", version=1,
        sha256="", pinned=False,
    )
    target = Minutes(("a", "b"))

    def split(self, fold, cache):
        return Split(drawn(40), drawn(20))


def drawn(count):
    pixels = np.random.default_rng(count).integers(0, 255, (count, 8, 8, 3)).astype(np.uint8)
    facts = dense(minutes=np.full(count, 2.5))
    return Examples(ImageArray(pixels), {"class": dense(**{"class": np.arange(count) % 2})}, facts=facts)
"""


def test_budgets_of_the_config_are_not_measured_in_examples_where_the_unit_is_another(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    Path("bench.toml").write_text("budgets = [50]\n")
    Path("clips.py").write_text(MINUTES)
    command = [
        "run",
        "--data",
        "python:clips.py",
        "--backbone",
        "bundled:glyphs",
        "--strategy",
        "linear_probe",
        "--workers",
        "1",
        "--no-shifts",
    ]
    assert main([*command, "--seeds", "1"]) == 0
    [result] = Store(Path("results/clips")).results()
    assert result.amount == 50
    assert any(message.startswith(f"{result.cell}: ") and "with 50 minutes" in message for message in caplog.messages)


def test_no_labels_are_refused_before_anything_is_run_where_nothing_can_be_without(
    capsys: pytest.CaptureFixture[str],
) -> None:
    said = mistake(capsys, *RUN, "--option", "horizon=48", "--budget", "0")
    assert (
        "nothing is left to be run: demand: left out linear_probe: at a budget of 0 there are no labels to learn"
        in said
    )
    assert "bundled:series brings no head for this target" in said
    for name in ("full", "scratch"):
        alone = mistake(capsys, *RUN[:3], "--strategy", name, "--budget", "0")
        assert f"nothing is left to be run: demand: left out {name}: at a budget of 0" in alone
    assert "a budget of 0 has no labels to rank by" in mistake(capsys, "rank", *RUN[1:3], "--budget", "0")
    assert not Path("results").exists()


def test_no_labels_are_for_what_can_be_without_beside_what_cannot_and_it_is_told(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO)
    strategies = ["--strategy", "linear_probe", "--strategy", "classical", "--strategy", "scratch"]
    command = [*RUN[:3], *strategies, *RUN[5:], "--seeds", "2", "--budget", "0", "150", "300", "--out", "night"]
    told = "demand: left out scratch, classical: at a budget of 0 there are no labels to learn from"
    assert main([*command, "--dry-run"]) == 0
    assert "14 cells, 0 finished, 14 to run" in capsys.readouterr().out
    assert told in caplog.messages
    assert main(command) == 0
    store = Store(Path("night"))
    none = {result.cell.strategy for result in store.results() if result.cell.budget == NONE}
    assert none == {"linear_probe"}
    assert store.manifest.need_labels == {
        Curve("demand", "bundled:series", name): "there are no labels to learn from"
        for name in ("classical", "scratch")
    }
    report = Path("night/report.md").read_text()
    assert "| demand | scratch | bundled:series | 0 | There are no labels to learn from |" in report
    with Path("night/leaderboard.csv").open() as file:
        areas = {row["strategy"]: row for row in csv.DictReader(file)}
    assert areas.keys() == {"linear_probe", "classical", "scratch"}
    capsys.readouterr()
    assert main(["compare", "night", "night", "--format", "json"]) == 0
    [task] = json.loads(capsys.readouterr().out)["tasks"]
    cells = {row["strategy"]: [(one["budget"], one["n_pairs"]) for one in row["cells"]] for row in task["strategies"]}
    learnt = [("150", 2), ("300", 2)]
    assert cells == {"linear_probe": [("0", 2), *learnt], "classical": learnt, "scratch": learnt}


def test_without_labels_a_pretrained_forecaster_is_scored_by_its_own_forecasts() -> None:
    assert main([*RUN, "--seeds", "1", "--budget", "0", "200", "--out", "night", "--export", "models"]) == 0
    results = {str(result.cell.budget): result for result in Store(Path("night")).results()}
    none, some = results["0"], results["200"]
    assert (none.amount, none.steps, none.penalty) == (0, 0, None)
    assert none.score != some.score

    spec = DataSpec("forecasting", "csv:demand.csv", DataOptions())
    test = open_task("demand", spec, Cache(Path("cache"))).split(0, Cache(Path("cache"))).test
    backbone = load_backbone("bundled:series")
    brought, inputs = backbone.brings(Forecast(24)), backbone.prepare(test.raw)
    assert isinstance(brought, Head)
    assert inputs.geometry is not None
    with torch.inference_mode():
        outputs = (backbone(inputs) @ brought.weight + brought.bias).double().numpy()
    expected = outputs * inputs.geometry.values["spread"] + inputs.geometry.values["centre"]
    np.testing.assert_allclose(Store(Path("night")).predictions(none.key).values["future"], expected, rtol=1e-5)
    assert "| Strategy | 0 | 200 |" in Path("night/report.md").read_text()
    assert main(["predict", "models", "demand.csv", "--format", "json"]) == 0


def test_no_labels_of_the_config_are_no_budget_that_your_data_do_not_have(capsys: pytest.CaptureFixture[str]) -> None:
    Path("bench.toml").write_text("budgets = [0, 30, 9000]\n")
    assert main([*RUN, "--seeds", "1", "--dry-run"]) == 0
    assert "2 cells, 0 finished, 2 to run" in capsys.readouterr().out


def test_where_your_data_have_none_of_the_budgets_nothing_is_run(capsys: pytest.CaptureFixture[str]) -> None:
    Path("bench.toml").write_text("budgets = [0, 9000]\n")
    assert main([*RUN[:3], "--strategy", "full", *RUN[5:], "--seeds", "1"]) == 2
    assert "bench: nothing is left to be run, see above" in capsys.readouterr().err
    assert not Path("results").exists()


def test_runs_of_numbers_of_labels_are_compared_budget_by_budget(capsys: pytest.CaptureFixture[str]) -> None:
    for folder in ("before", "after"):
        assert main([*RUN, "--seeds", "2", "--budget", "300", "0.5", "150", "--out", folder]) == 0
    capsys.readouterr()
    assert main(["compare", "before", "after", "--format", "json"]) == 0
    [task] = json.loads(capsys.readouterr().out)["tasks"]
    [row] = task["strategies"]
    assert [one["budget"] for one in row["cells"]] == ["150", "0.5", "300"], "from few labels to many"
    assert [one["n_pairs"] for one in row["cells"]] == [2, 2, 2]
    assert main([*RUN, "--seeds", "2", "--budget", "50", "--out", "other"]) == 0
    capsys.readouterr()
    assert "the two folders have no cell in common" in mistake(capsys, "compare", "before", "other")
