"""Amended runs add to a results folder, but scores of other data do not stand in its tables."""

import csv
import logging
from collections.abc import Sequence
from pathlib import Path

import pytest

import bench
from bench.cli import main
from bench.results.store import Store
from tests.bench.backbones.huggingface.snapshots import write_text_model

PATIENTS = 12
NOTES = 3  # of each patient
BY_PATIENT = ("score_by=patient", "target=labels")


@pytest.fixture(name="backbone")
def _backbone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    with Path("notes.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["text", "label", "patient"])
        for number in range(PATIENTS * NOTES):
            patient = number // NOTES
            rows.writerow([f"w{patient % 2} w{5 + number % 25}", ("cough", "fever")[patient % 2], f"p{patient}"])
    return f"hf:{write_text_model(Path('bert'), 'bert')}"


def run(backbone: str, strategy: str, options: Sequence[str] = (), budget: str = "all") -> None:
    command = ["run", "--data", "csv:notes.csv", "--backbones", backbone, "--strategy", strategy, "--out", "r"]
    command += ["--budget", budget, "--seeds", "1", "--workers", "1", "--no-shifts"]
    assert main([*command, *(word for one in options for word in ("--option", one))]) == 0


def report() -> str:
    return Path("r/report.md").read_text()


def strategies() -> list[str]:
    return list(bench.load("r")["strategy"].unique())


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (("score_by=patient",), ()),
        ((), ("score_by=patient",)),
        (("group=patient",), ("score_by=patient",)),
        ((), ("test_share=0.5",)),
        (BY_PATIENT, (*BY_PATIENT, "combine=maximum")),
    ],
)
def test_scores_of_data_read_otherwise_leave_the_tables_and_the_report_says_so(
    backbone: str, before: Sequence[str], after: Sequence[str], caplog: pytest.LogCaptureFixture
) -> None:
    run(backbone, "classical", before)
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        run(backbone, "linear_probe", after)
    assert "notes: the folder has 1 cell of classical" in caplog.text
    assert strategies() == ["linear_probe"]
    assert "| all | Of other data: " in report()
    assert "run the strategy again" in report()
    run(backbone, "classical", after)
    assert strategies() == ["classical", "linear_probe"], "both on the same data again"
    assert "other data" not in report()


def test_what_was_scored_on_other_data_is_kept_and_found_when_they_are_back(backbone: str) -> None:
    run(backbone, "classical", ["score_by=patient"])
    [before] = Store(Path("r")).results()
    run(backbone, "linear_probe")
    run(backbone, "classical", ["score_by=patient"])
    assert Store(Path("r")).results() == [before], "with its seconds: nothing was trained"


def test_budgets_that_were_not_run_on_the_new_data_leave_the_tables_too(backbone: str) -> None:
    run(backbone, "classical", budget="4")
    run(backbone, "classical", ["test_share=0.5"], budget="8")
    assert list(bench.load("r")["budget"]) == ["8"]
    assert "| 4 | Of other data: " in report()


def test_another_strategy_on_the_same_data_adds_to_the_tables(backbone: str, caplog: pytest.LogCaptureFixture) -> None:
    run(backbone, "classical", ["score_by=patient"])
    run(backbone, "linear_probe", ["score_by=patient"])
    assert strategies() == ["classical", "linear_probe"]
    assert "other data" not in caplog.text + report()
