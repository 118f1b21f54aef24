"""Data of one's own on the command line: a run without a config, and one helpful line for every mistake."""

import csv
import math
from pathlib import Path

import pytest

from bench.cli import main
from bench.store import Store
from tests.bench.test_cli import mistake

RECIPE = ["--strategy", "linear_probe", "--seeds", "1", "--workers", "1"]


@pytest.fixture(autouse=True)
def _working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write_demand(path: Path, length: int = 600) -> None:
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["ds", "demand"])
        for step in range(length):
            value = 10 + math.sin(math.tau * step / 24) + 0.1 * ((step * 7919) % 13)
            rows.writerow([f"2024-01-{1 + step // 24:02d} {step % 24:02d}:00" if step < 744 else "", f"{value:.3f}"])


def test_a_series_needs_its_file_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    write_demand(Path("demand.csv"))
    assert main(["run", "--data", "csv:demand.csv", "--fraction", "0.5", *RECIPE]) == 0
    assert "results/demand/report.md" in capsys.readouterr().out
    [result] = Store(Path("results/demand")).results()
    assert result.cell.backbone == "bundled:series"
    assert result.score < result.chance


def test_the_same_command_again_finds_everything_finished_until_the_file_changes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_demand(Path("demand.csv"))
    command = ["run", "--data", "csv:demand.csv", "--fraction", "0.5", "--dry-run", *RECIPE]
    assert main([one for one in command if one != "--dry-run"]) == 0
    capsys.readouterr()
    assert main(command) == 0
    assert "1 cells, 1 finished, 0 to run" in capsys.readouterr().out
    write_demand(Path("demand.csv"), length=580)
    assert main(command) == 0
    assert "1 cells, 0 finished, 1 to run" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--data", "csv:none.csv"], "none.csv"),
        (["--data", "folder:none"], "there is neither a picture nor a recording in none"),
        (["--data", "cvs:demand.csv", "--family", "forecasting"], "got 'cvs:demand.csv'; did you mean 'csv'?"),
        (["--data", "csv:demand.csv", "--suite", "all"], "--data and --suite all: one or the other"),
        (["--data", "csv:demand.csv", "--option", "horizn=3"], "horizn: unknown key; did you mean 'horizon'?"),
        (["--data", "csv:demand.csv", "--option", "horizon=0"], "horizon: input should be greater than 0, got 0"),
        (["--data", "csv:demand.csv", "--option", "horizon"], "--option takes KEY=VALUE"),
        (["--data", "csv:demand.csv", "--option", "seconds=2"], "seconds: says nothing of forecasting"),
        (["--data", "csv:demand.csv", "--family", "forcasting"], "unknown task family 'forcasting'; did you mean"),
        (["--data", "csv:demand.csv", "--backbone", "bundled:glyphs"], "is of the domain 'series', but backbone"),
        (["--data", "csv:demand.csv", "--backbone", "bundled:seris"], "did you mean 'bundled:series'?"),
        (["--data", "csv:demand.csv", "--backbone", "tim:resnet18"], "unknown backbone 'tim:resnet18'"),
        (["--suite", "all"], "there is no config bench.toml"),
        (["--skip-bad"], "there is no config bench.toml"),
    ],
)
def test_a_mistake_is_one_line_that_says_what_to_do(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write_demand(Path("demand.csv"))
    assert said in mistake(capsys, "run", *arguments)


def test_options_of_data_need_data(capsys: pytest.CaptureFixture[str]) -> None:
    Path("bench.toml").write_text('[tasks.co2]\nbackbones = ["bundled:series"]\n[suites.all]\ntasks = ["co2"]\n')
    assert "--fill is about data named by --data" in mistake(capsys, "run", "--fill")
    assert "--option is about data named by --data" in mistake(capsys, "run", "--option", "horizon=3")


def test_a_suite_can_be_narrowed_to_a_backbone(capsys: pytest.CaptureFixture[str]) -> None:
    Path("bench.toml").write_text('[tasks.co2]\nbackbones = ["bundled:series"]\n[suites.all]\ntasks = ["co2"]\n')
    assert main(["run", "--backbone", "bundled:series", "--dry-run"]) == 0
    assert "60 cells" in capsys.readouterr().out
    assert "unknown backbone 'bundled:seris'; did you mean" in mistake(capsys, "run", "--backbone", "bundled:seris")


def test_ranking_needs_two_backbones(capsys: pytest.CaptureFixture[str]) -> None:
    write_demand(Path("demand.csv"))
    said = mistake(capsys, "rank", "--data", "csv:demand.csv", "--backbone", "bundled:series")
    assert "name two backbones or more" in said
