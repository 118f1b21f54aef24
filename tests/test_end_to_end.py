"""Three sources of backbones per domain, on data as people have them, from the command line to the report."""

import csv
import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from bench.cli import main
from bench.results.store import Store
from tests.bench.backbones.huggingface.snapshots import write_text_model
from tests.bench.backbones.huggingface.test_audio import save_snapshot
from tests.bench.backbones.huggingface.test_series import mixer, patchtst

CONFIG = """
budgets = [0.5, 1.0]
seeds = 1

[recipe]
batch_size = 4
max_steps = 2

[strategies.scratch]
kind = "finetune"
weights = "random"
head = "zero"

[strategies.classical]
kind = "classical"

[strategies.linear_probe]
kind = "probe"

[strategies.partial]
kind = "finetune"
trained = 0.5

[strategies.full]
kind = "finetune"
"""

GENERATOR = np.random.default_rng(0)


def write_pictures() -> list[str]:
    """Write pictures of many sizes whose class is a colour."""
    for number in range(24):
        height, width = GENERATOR.integers(40, 90, size=2)
        pixels = GENERATOR.integers(0, 90, size=(height, width, 3))
        pixels[..., number % 2] += 120
        place = Path("data", ("red", "green")[number % 2], f"{number}.png")
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels.astype(np.uint8)).save(place)
    return ["folder:data", "untrained:timm/test_resnet", "untrained:timm/test_vit", "untrained:timm/test_convnext"]


def write_texts() -> list[str]:
    with Path("data.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["text", "label"])
        for number in range(24):
            words = " ".join(f"w{word}" for word in GENERATOR.integers(3, 30, size=1 + number % 5))
            rows.writerow([f"w{number % 2} {words}", ("good", "bad")[number % 2]])
    return ["csv:data.csv", *(f"hf:{write_text_model(Path(kind), kind)}" for kind in ("bert", "gpt2", "t5"))]


def write_recordings() -> list[str]:
    """Write recordings of many lengths and two rates whose class is a pitch."""
    for number in range(24):
        rate = (8_000, 16_000)[number % 3 == 0]
        times = np.arange(int(rate * GENERATOR.uniform(0.2, 0.6))) / rate
        place = Path("data", ("low", "high")[number % 2], f"{number}.wav")
        place.parent.mkdir(parents=True, exist_ok=True)
        tone = 0.4 * np.sin(math.tau * (200, 900)[number % 2] * times) + GENERATOR.normal(0, 0.05, len(times))
        soundfile.write(place, tone, rate)
    for kind in ("wav2vec2-base", "whisper"):
        save_snapshot(kind, Path(kind))
    return ["folder:data", "hf:wav2vec2-base", "hf:whisper", "bundled:spoken-words"]


def write_series() -> list[str]:
    """Write three daily series with a weekly cycle."""
    with Path("data.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["day", "north", "south", "west"])
        days = np.datetime64("2023-01-01") + np.arange(260)
        for step, day in enumerate(days):
            cycle = math.sin(math.tau * step / 7)
            rows.writerow([day, *(f"{level + cycle + GENERATOR.normal(0, 0.1):.4f}" for level in (5, 50, 500))])
    for name, config in (("patchtst", patchtst()), ("mixer", mixer())):
        Path(name).mkdir()
        Path(name, "config.json").write_text(json.dumps(config.to_dict()))
    return ["csv:data.csv", "untrained:hf/patchtst", "untrained:hf/mixer", "bundled:series"]


@pytest.mark.parametrize(
    ("write", "options"),
    [
        (write_pictures, []),
        (write_texts, []),
        (write_recordings, ["--option", "seconds=0.4"]),
        (write_series, ["--option", "context=32", "--option", "horizon=7"]),
    ],
    ids=["pictures", "texts", "recordings", "series"],
)
def test_three_sources_are_adapted_by_every_strategy_and_compared(
    write: Callable[[], list[str]],
    options: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bench.toml").write_text(CONFIG)
    address, *backbones = write()
    selection = ["--data", address, "--backbones", *backbones, *options]
    assert main(["run", *selection, "--workers", "1"]) == 0
    results = list(Store(Path("results/data")).results())
    assert len(results) == 3 * 5 * 2
    assert {result.cell.backbone for result in results} == set(backbones)
    full = [result for result in results if result.cell.strategy == "full"]
    assert all((one.trainable_parameters == one.total_parameters) == (one.kept != "probe") for one in full)
    assert all(np.isfinite(result.score) for result in results)
    classical = [result for result in results if result.cell.strategy == "classical"]
    assert len({result.key for result in classical}) == 2, "one for each budget, whatever the backbone"
    n_trained = sum(not name.startswith("untrained:") for name in backbones)
    assert ("Which pretraining?" in Path("results/data/report.md").read_text()) == (n_trained > 1)
    capsys.readouterr()
    assert main(["rank", *selection]) == 0
    said = capsys.readouterr().out
    assert "A run, on its largest budget, put in the same order" in said
    assert "classical" not in said, "which tells no backbone from another"
    assert max(map(len, said.splitlines())) <= 80
