"""What is fetched once is there for later: all of a suite, told line by line, and run without a network."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.backbones import catalog
from bench.cli import main
from tests.offline import cut_network

CONFIG = """
budgets = [1.0]
seeds = 1

[strategies.linear_probe]
kind = "probe"

[tasks.land]
family = "image_classification"
data = "torchvision:EuroSAT"
backbones = ["bundled:glyphs"]

[tasks.digits]
backbones = ["bundled:glyphs"]

[tasks.reviews]
family = "text_classification"
data = "hf:stanfordnlp/sst2"
text = "sentence"
backbones = ["hf:sentence-transformers/all-MiniLM-L6-v2"]

[suites.all]
tasks = ["land", "digits"]

[suites.more]
tasks = ["reviews", "land"]
"""


@pytest.fixture(autouse=True)
def tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Make a folder with a config and a small EuroSAT, without a network; return the connections tried."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    Path("bench.toml").write_text(CONFIG)
    generator = np.random.default_rng(0)
    for number in range(24):
        path = (
            tmp_path / "torch/datasets/EuroSAT/eurosat/2750" / ("Forest" if number % 2 else "River") / f"{number}.jpg"
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        shade = generator.integers(0, 100, (16, 16, 3)) + 150 * (number % 2)
        Image.fromarray(shade.astype(np.uint8)).save(path)
    return cut_network(monkeypatch)


def test_everything_is_told_with_size_licence_and_place(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["fetch"]) == 0
    land, digits, glyphs, summary = capsys.readouterr().out.splitlines()
    place = tmp_path / "torch/datasets/EuroSAT"
    assert re.fullmatch(rf"land: EuroSAT, licence: MIT, 0\.\d MiB in {place}", land)
    assert digits.endswith("comes with the project or its packages")
    assert glyphs.startswith("bundled:glyphs: ")
    assert "M parameters, licence: " in glyphs
    assert summary == "all 3 are here: what needs them now runs without a network, with HF_HUB_OFFLINE=1 too"


def test_what_was_fetched_is_planned_and_run_without_a_network(
    monkeypatch: pytest.MonkeyPatch, tried: list[object]
) -> None:
    assert main(["fetch"]) == 0
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert main(["run", "--task", "land", "--workers", "1"]) == 0
    assert Path("results/all/results.csv").read_text().count("land") == 1
    assert tried == []


def test_one_thing_that_cannot_be_fetched_does_not_keep_the_others(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert main(["fetch", "more"]) == 2
    said = capsys.readouterr()
    assert re.search(r"^reviews: FAILED: hf:stanfordnlp/sst2 is not in .*, and HF_HUB_OFFLINE is set: run", said.out)
    assert "\nland: EuroSAT" in said.out
    assert f"\n{catalog.MINILM.name}: " in said.out
    assert said.out.endswith("1 of 4 could not be fetched; the same command goes on from there\n")
    assert "Traceback" not in said.err


def test_data_are_fetched_by_their_address_without_a_config(capsys: pytest.CaptureFixture[str]) -> None:
    Path("bench.toml").unlink()
    assert main(["fetch", "--data", "torchvision:EuroSAT", "--backbone", "bundled:glyphs"]) == 0
    assert "EuroSAT: EuroSAT, licence: MIT" in capsys.readouterr().out


def test_an_unknown_suite_is_a_mistake_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fetch", "al"]) == 2
    assert capsys.readouterr().err == "bench: unknown suite 'al'; did you mean 'all'? (there are: all, more)\n"
