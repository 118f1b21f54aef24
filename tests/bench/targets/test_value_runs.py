"""Values of pictures, texts and recordings are learnt by every kind of strategy, scored, exported and predicted."""

import csv
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from PIL import Image
from scipy.stats import spearmanr
from sklearn.metrics import mean_absolute_error, r2_score

from bench.results.store import Store
from tests.bench.backbones.huggingface.snapshots import write_text_model
from tests.bench.targets.running import exported, predicted, run

N = 40
RATE_HZ = 8_000


def prices() -> NDArray[np.float64]:
    """Return values between 100 and 200, in a random order."""
    found: NDArray[np.float64] = np.random.default_rng(0).permutation(np.linspace(100, 200, N))
    return found


def write_table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    with Path("houses.csv").open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def write_pictures() -> str:
    """Write pictures that are brighter the dearer they are."""
    Path("photos").mkdir()
    generator = np.random.default_rng(1)
    for number, price in enumerate(prices()):
        pixels = generator.integers(0, 60, (12, 12, 3)) + int(1.5 * (price - 100))
        Image.fromarray(pixels.astype(np.uint8)).save(f"photos/{number}.png")
    write_table(["image", "price"], [(f"photos/{number}.png", price) for number, price in enumerate(prices())])
    return "bundled:glyphs"


def write_texts() -> str:
    """Write texts in which one word is the more frequent the dearer they are."""
    rows = [
        (" ".join(["w1"] * int((price - 100) / 10) + ["w2", f"w{number}"]), price)
        for number, price in enumerate(prices())
    ]
    write_table(["text", "price"], rows)
    return f"hf:{write_text_model(Path('bert'), 'bert')}"


def write_recordings() -> str:
    """Write tones that are higher the dearer they are."""
    Path("tones").mkdir()
    times = np.arange(RATE_HZ // 2) / RATE_HZ
    for number, price in enumerate(prices()):
        soundfile.write(f"tones/{number}.wav", 0.5 * np.sin(2 * np.pi * 10 * price * times), RATE_HZ)
    write_table(["audio", "price"], [(f"tones/{number}.wav", price) for number, price in enumerate(prices())])
    return "bundled:spoken-words"


@pytest.mark.parametrize(
    ("write", "asked"),
    [
        (write_pictures, ["photos/0.png", "photos/1.png"]),
        (write_texts, ["--text", "w1 w2 w3", "--text", "w1 w1"]),
        (write_recordings, ["tones/0.wav", "tones/1.wav"]),
    ],
    ids=["pictures", "texts", "recordings"],
)
def test_values_of_a_table_are_learnt_scored_and_predicted(
    write: Callable[[], str],
    asked: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = run("csv:houses.csv", write(), "--option", "label=price")
    assert set(ran.results) == {"scratch", "classical", "linear_probe", "full"}
    truth = ran.tested.labels["value"]
    assert set(truth.tolist()) <= set(prices().tolist())
    for strategy, result in ran.results.items():
        values = ran.predictions[strategy]["value"]
        assert result.score == pytest.approx(r2_score(truth, values))
        assert result.scores.values["mae"] == pytest.approx(mean_absolute_error(truth, values))
        if len(np.unique(values)) > 1:
            assert result.scores.values["spearman"] == pytest.approx(spearmanr(truth, values).statistic)
    assert max(ran.results["classical"].score, ran.results["linear_probe"].score) > 0.5
    assert "R²" in ran.report
    for strategy in ("linear_probe", "full"):
        answers = predicted(exported(strategy), capsys, *asked)
        assert all(0 < answer["value"] < 300 for answer in answers)


def test_a_task_in_python_has_values_that_an_export_gives_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_pictures()
    Path("own.py").write_text(OWN)
    ran = run("python:own.py", "bundled:glyphs")
    names = [f"photos/{number}.png" for number in range(30, N)]
    for strategy in ("linear_probe", "full", "scratch"):
        answers = predicted(exported(strategy), capsys, *names)
        expected = ran.predictions[strategy]["value"]
        np.testing.assert_allclose([answer["value"] for answer in answers], expected, rtol=1e-4)
    assert Store(Path("results/own")).manifest.tasks["own"].card.domain == "vision"


OWN = """
import numpy as np
import pandas as pd
from PIL import Image

from bench.card import TaskCard
from bench.column import dense
from bench.domains.vision.raw import ImageArray
from bench.targets.value import Value
from bench.task import Examples, Split, Task


class Houses(Task):
    target = Value()
    card = TaskCard(
        name="houses", title="Houses", domain="vision", description="Prices.", source="here", licence="none",
        citation="none", version=1, sha256="", pinned=False,
    )

    def split(self, fold, cache):
        table = pd.read_csv("houses.csv")
        pixels = np.stack([np.asarray(Image.open(path)) for path in table["image"]])
        everything = Examples(ImageArray(pixels), {"value": dense(value=table["price"].to_numpy())})
        return Split(everything.take(np.arange(30)), everything.take(np.arange(30, 40)))
"""
