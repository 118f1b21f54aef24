"""Runs of tables as people have them, from the command line to what is kept: every kind of strategy, and exports."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bench.cell import Result
from bench.cli import main
from bench.column import Column
from bench.results.store import Store
from bench.results.tested import Tested

CONFIG = """
budgets = ["all"]
seeds = 1
shifts = true

[recipe]
batch_size = 8
max_steps = 3

[strategies.scratch]
kind = "finetune"
weights = "random"
head = "zero"

[strategies.classical]
kind = "classical"

[strategies.linear_probe]
kind = "probe"

[strategies.full]
kind = "finetune"
"""


class Run(NamedTuple):
    """The outcomes of a run, by strategy."""

    results: Mapping[str, Result]
    predictions: Mapping[str, Column]
    tested: Tested
    report: str


def run(address: str, backbone: str, *options: str, code: int = 0) -> Run:
    """Run all strategies on data in the working directory, export into `models`, and return what is kept."""
    Path("bench.toml").write_text(CONFIG)
    command = ["run", "--data", address, "--backbones", backbone, "--workers", "1", "--export", "models", *options]
    assert main(command) == code
    [folder] = Path("results").iterdir()
    store = Store(folder)
    results = {result.cell.strategy: result for result in store.results()}
    predictions = {name: store.predictions(result.key) for name, result in results.items()}
    tested = store.tested(next(iter(results.values())))
    return Run(results, predictions, tested, (folder / "report.md").read_text())


def exported(strategy: str) -> Path:
    """Return the folder of the model of a strategy."""
    [folder] = Path("models").glob(f"*/*/{strategy}")
    return folder


def predicted(folder: Path, capsys: pytest.CaptureFixture[str], *asked: str) -> list[dict[str, Any]]:
    """Return what an exported model says of what it is asked about."""
    capsys.readouterr()
    assert main(["predict", str(folder), *asked, "--format", "json"]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]
