"""Another metric in the config ranks what was predicted before: no cell is trained for it."""

import logging
from pathlib import Path

import pytest

import bench
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


def run(caplog: pytest.LogCaptureFixture, metric: str = "") -> str:
    """Run the suite with a metric and return what is logged."""
    Path("bench.toml").write_text(CONFIG.replace("{metric}", metric))
    caplog.clear()
    assert main(["run", "--workers", "1"]) == 0
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
