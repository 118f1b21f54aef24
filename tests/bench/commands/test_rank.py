"""What `rank` says of itself: the order by LogME, and how often a run put two backbones in the same order."""

from pathlib import Path

import pytest

from bench.cli import main
from bench.commands.rank import _remark, _table
from bench.ranking.ranking import Ranked
from tests.bench.commands.test_budgets import MINUTES

RANKED = [
    Ranked(name, score, 100, 2_000_000, 1.5) for name, score in (("timm:a", 0.5), ("timm:b", 0.1), ("hf:c", -2.0))
]


def test_backbones_are_listed_in_their_order_within_80_columns() -> None:
    long = Ranked(
        "file:torchvision/mobilenet_v2:/a/very/long/path/to/some/weights/of/mine.pth", -3.0, 100, 10**9, 100.0
    )
    lines = _table("Ants or bees", "labelled examples", [*RANKED, long])
    assert lines[0] == "Ants or bees: LogME of frozen features on 100 labelled examples"
    assert [line.split()[0] for line in lines[2:]] == ["1", "2", "3", "4"]
    assert [line.split()[1] for line in lines[2:5]] == ["timm:a", "timm:b", "hf:c"]
    assert max(map(len, lines)) <= 80


def test_it_is_held_against_what_a_run_found() -> None:
    probes = {"timm:a": 0.9, "timm:b": 0.7, "hf:c": 0.8}
    outcomes = {"linear_probe": probes, "full": {"timm:a": 0.9, "hf:c": 0.95}, "partial": {"hf:c": 0.5}}
    assert _remark(RANKED, outcomes) == (
        "A run, on its largest budget, put in the same order 2 of 3 pairs by linear probe and 0 of 1 pairs by full "
        "fine-tuning."
    )


def test_without_a_run_it_says_that_nothing_is_known() -> None:
    assert "Whether it was right here is not known" in _remark(RANKED, {})


def test_features_that_tell_more_come_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bench.toml").write_text("""
[tasks.digits]
backbones = ["untrained:timm/test_vit", "bundled:glyphs"]
[suites.all]
tasks = ["digits"]
""")
    assert main(["rank", "--budget", "0.1"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "Handwritten digits: LogME of frozen features on 141 labelled examples"
    assert [line.split()[1] for line in said[2:4]] == ["bundled:glyphs", "untrained:timm/test_vit"]


def test_all_is_ranked_on_where_labels_are_counted_in_another_unit_and_are_fewer_than_examples(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("clips.py").write_text(MINUTES.replace("2.5", "0.5"))
    assert main(["rank", "--data", "python:clips.py", "--backbone", "untrained:timm/test_vit", "bundled:glyphs"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "Clips: LogME of frozen features on 20 minutes"
