"""Small tasks in files of the real formats, and models adapted to them and exported."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import soundfile
from bench_tasks.forecasts.forecasting import open_forecasting
from PIL import Image

from bench.backbones.descriptions import describe
from bench.backbones.loading import load_backbone
from bench.budget import ALL
from bench.card import TaskCard
from bench.cell import Cell, Result
from bench.column import Column
from bench.config.data import DataSpec
from bench.domain import DomainName, Raw
from bench.domains.audio.files import AudioFiles
from bench.domains.options import DataOptions
from bench.domains.text.raw import Texts
from bench.domains.vision.files import ImageFiles
from bench.execution.engine import Engine
from bench.planning.plan import PlannedCell, cell_key, group_into_jobs
from bench.runtime.arithmetic import PrecisionRequest, WantedPrecision
from bench.runtime.cache import Cache, file_sha256
from bench.strategy import Strategy
from bench.targets.classes import Classes
from bench.task import Examples, Split, Task
from tests.toys import labelled

RATE_HZ = 8_000
LENGTH = 6_000

FINE_DAYS = ("a fine day", "sunshine all week", "a mild evening", "the sun is out", "clear skies", "warm and bright")
BAD_DAYS = ("awful weather", "rain again", "a cold grey morning", "storms at night", "sleet and hail", "thick fog")


class Given(Task):
    """Classes of examples that were made elsewhere: every third is for testing."""

    def __init__(self, domain: DomainName, names: tuple[str, ...], raw: Raw, labels: Sequence[int]) -> None:
        self.target = Classes(names)
        everything = labelled(raw, labels)
        held_out = np.arange(len(raw)) % 3 == 2
        self._split = Split(everything.take(np.flatnonzero(~held_out)), everything.take(np.flatnonzero(held_out)))
        self.card = TaskCard(
            name=f"{domain}-task",
            title="A task",
            domain=domain,
            description="Made by the tests.",
            source="made by the tests",
            licence="none needed",
            citation="none",
            version=1,
            sha256="made by the tests",
            pinned=False,
        )

    def split(self, fold: int, cache: Cache) -> Split:
        return self._split


class Adapted(NamedTuple):
    """What is known of an exported model: its folder, the task, the cell's result and its predictions."""

    folder: Path
    task: Task
    result: Result
    predictions: Column

    @property
    def test(self) -> Examples:
        """The test split."""
        return self.task.split(0, Cache(self.folder)).test


def adapt(
    task: Task,
    backbone: str,
    strategy: Strategy,
    folder: Path,
    options: DataOptions | None = None,
    *,
    precision: WantedPrecision = "auto",
) -> Adapted:
    """Return a backbone adapted to a task and exported into `folder`."""
    cell = Cell(task.card.name, backbone, strategy.name, ALL, 0)
    cache = Cache(folder / "cache")
    key = cell_key(cell, task=task.card, backbone=describe(backbone, cache), strategy=strategy)
    spec = DataSpec("of the tests", "folder:made", options or DataOptions())
    planned = PlannedCell(cell, spec, task.card.sha256, strategy, key)
    engine = Engine(
        lambda *_: task,
        load_backbone,
        cache=cache,
        device="cpu",
        exports={key: folder / "model"},
        request=PrecisionRequest(precision),
    )
    (scored,) = engine.run(group_into_jobs([planned])[0])
    assert isinstance(scored.outcome, Result), scored.outcome.traceback
    assert scored.predictions is not None
    return Adapted(folder / "model", task, scored.outcome, scored.predictions)


def picture_task(folder: Path) -> Given:
    """Return twelve pictures of upright and of lying strokes, in files."""
    paths = []
    generator = np.random.default_rng(0)
    for number in range(12):
        pixels = generator.integers(220, 256, size=(24, 24, 3), dtype=np.uint8)
        start = 6 + number
        stroke = (slice(4, 20), slice(start, start + 3))
        pixels[stroke if number % 2 else stroke[::-1]] = 10
        paths.append(folder / f"stroke-{number:02}.png")
        Image.fromarray(pixels).save(paths[-1])
    raw = ImageFiles(tuple(paths), tuple(map(file_sha256, paths)))
    return Given("vision", ("lying", "upright"), raw, [number % 2 for number in range(12)])


def recording_task(folder: Path) -> Given:
    """Return twelve tones, high and low, in wav files of another rate than they are heard at."""
    paths = []
    generator = np.random.default_rng(0)
    for number in range(12):
        seconds = np.arange(12_000) / 16_000
        tone = np.sin(2 * np.pi * (300 + 1_500 * (number % 2) + 20 * number) * seconds)
        paths.append(folder / f"tone-{number:02}.wav")
        soundfile.write(paths[-1], 0.5 * tone + 0.05 * generator.standard_normal(12_000), 16_000)
    raw = AudioFiles(tuple(paths), tuple(map(file_sha256, paths)), rate_hz=RATE_HZ, length=LENGTH)
    return Given("audio", ("low", "high"), raw, [number % 2 for number in range(12)])


def text_task() -> Given:
    """Return twelve short texts about the weather."""
    texts = [text for pair in zip(FINE_DAYS, BAD_DAYS, strict=True) for text in pair]
    return Given("text", ("fine", "bad"), Texts(tuple(texts)), [number % 2 for number in range(12)])


def series_table(path: Path, *, rows: int = 500) -> pd.DataFrame:
    """Write two daily series with a weekly cycle to a table and return it."""
    days = np.arange(rows)
    noise = np.random.default_rng(0).standard_normal((2, rows))
    table = pd.DataFrame(
        {
            "date": pd.date_range("2021-03-01", periods=rows, freq="D").strftime("%Y-%m-%d"),
            "north": 100 + 0.1 * days + 5 * np.sin(days / 7 * 2 * np.pi) + noise[0],
            "south": 2 + 0.3 * np.cos(days / 7 * 2 * np.pi) + 0.02 * noise[1],
        }
    )
    table.to_csv(path, index=False)
    return table


def series_task(path: Path) -> Task:
    """Return the task to forecast 24 days from 96, of the series in `series_table`."""
    return open_forecasting(
        "demand", DataSpec("forecasting", f"csv:{path}", DataOptions()), Cache(path.parent / "cache")
    )
