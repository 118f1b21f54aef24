"""Several labels of pictures, texts and recordings are learnt by every kind of strategy, scored and predicted."""

import csv
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from PIL import Image
from sklearn.metrics import average_precision_score, f1_score

from tests.bench.backbones.huggingface.snapshots import write_text_model
from tests.bench.targets.running import exported, predicted, run

N = 48
NAMES = ("dark", "left", "right")
RATE_HZ = 8_000


def present() -> NDArray[np.bool_]:
    """Return which labels each example has, [n, 3]; an eighth of them have none."""
    return np.array([[number & 1, number & 2, number & 4] for number in range(N)], dtype=np.bool_)


def cells() -> list[str]:
    """Return what the label column says."""
    return [";".join(name for name, has in zip(NAMES, row, strict=True) if has) for row in present()]


def write_table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    with Path("scenes.csv").open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def write_pictures() -> list[str]:
    """Write pictures that are dark or not, with a patch to the left, to the right or both."""
    Path("photos").mkdir()
    generator = np.random.default_rng(1)
    for number, (dark, left, right) in enumerate(present()):
        pixels = generator.integers(0, 60, (12, 12, 3)) + (10 if dark else 90)
        pixels[3:9, 0:5] += 100 * left
        pixels[3:9, 7:12] += 100 * right
        Image.fromarray(pixels.astype(np.uint8)).save(f"photos/{number}.png")
    flags = [[f"photos/{number}.png", *("yes" if has else "no" for has in row)] for number, row in enumerate(present())]
    write_table(["image", *NAMES], flags)
    return ["bundled:glyphs", "--option", 'labels=["dark", "left", "right"]']


def write_texts() -> list[str]:
    """Write texts in which a word stands for each label."""
    rows = [
        (" ".join([f"w{place}" for place in range(3) if row[place]] + [f"w{3 + number % 30}", "w35"]), cell)
        for number, (row, cell) in enumerate(zip(present(), cells(), strict=True))
    ]
    write_table(["text", "label"], rows)
    return [f"hf:{write_text_model(Path('bert'), 'bert')}"]


def write_recordings() -> list[str]:
    """Write recordings of up to three tones."""
    Path("tones").mkdir()
    generator = np.random.default_rng(1)
    times = np.arange(RATE_HZ // 2) / RATE_HZ
    for number, row in enumerate(present()):
        tones = sum(
            (0.2 * np.sin(2 * np.pi * hertz * times) for hertz, has in zip((300, 900, 2_500), row, strict=True) if has)
        )
        soundfile.write(f"tones/{number}.wav", tones + 0.02 * generator.standard_normal(len(times)), RATE_HZ)
    write_table(["audio", "label"], [(f"tones/{number}.wav", cell) for number, cell in enumerate(cells())])
    return ["bundled:spoken-words", "--option", "separator=;"]


@pytest.mark.parametrize(
    ("write", "asked"),
    [
        (write_pictures, ["photos/0.png", "photos/1.png"]),
        (write_texts, ["--text", "w1 w2 w3", "--text", "w1 w1"]),
        (write_recordings, ["tones/0.wav", "tones/1.wav"]),
    ],
    ids=["pictures", "texts", "recordings"],
)
def test_several_labels_of_a_table_are_learnt_scored_and_predicted(
    write: Callable[[], list[str]],
    asked: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = run("csv:scenes.csv", *write())
    assert set(ran.results) == {"scratch", "classical", "linear_probe", "full"}
    truth = ran.tested.labels["present"]
    for strategy, result in ran.results.items():
        logits = ran.predictions[strategy]["logit"]
        values = result.scores.values
        assert result.score == pytest.approx(average_precision_score(truth, logits, average="macro"))
        assert values["macro_f1"] == pytest.approx(f1_score(truth, logits > 0, average="macro", zero_division=0))
        assert values["micro_f1"] == pytest.approx(f1_score(truth, logits > 0, average="micro", zero_division=0))
    assert ran.results["classical"].score > 0.9
    assert ran.results["classical"].chance == pytest.approx(truth.mean())
    assert "macro average precision" in ran.report
    for strategy in ("linear_probe", "full"):
        answers = predicted(exported(strategy), capsys, *asked)
        assert all(set(answer["labels"]) <= set(NAMES) for answer in answers)


def test_a_task_in_python_has_several_labels_that_an_export_gives_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_pictures()
    Path("own.py").write_text(OWN)
    ran = run("python:own.py", "bundled:glyphs")
    names = [f"photos/{number}.png" for number in range(32, N)]
    for strategy in ("linear_probe", "full", "scratch"):
        answers = predicted(exported(strategy), capsys, *names, "--top", "3")
        logits = ran.predictions[strategy]["logit"]
        expected = 1 / (1 + np.exp(-logits.astype(np.float64)))
        for answer, row in zip(answers, expected, strict=True):
            said = {one["label"]: one["probability"] for one in answer["likeliest"]}
            np.testing.assert_allclose([said[name] for name in NAMES], row, atol=1e-4)


OWN = """
import numpy as np
import pandas as pd
from PIL import Image

from bench.card import TaskCard
from bench.column import dense
from bench.domains.vision.raw import ImageArray
from bench.targets.labels import Labels
from bench.task import Examples, Split, Task

NAMES = ("dark", "left", "right")


class Scenes(Task):
    target = Labels(NAMES)
    card = TaskCard(
        name="scenes", title="Scenes", domain="vision", description="Scenes.", source="here", licence="none",
        citation="none", version=1, sha256="", pinned=False,
    )

    def split(self, fold, cache):
        table = pd.read_csv("scenes.csv")
        pixels = np.stack([np.asarray(Image.open(path)) for path in table["image"]])
        present = (table[list(NAMES)] == "yes").to_numpy()
        everything = Examples(ImageArray(pixels), {"present": dense(present=present)})
        return Split(everything.take(np.arange(32)), everything.take(np.arange(32, len(table))))
"""
