"""Data that change while a run uses them: no score and nothing in the cache is of other bytes than were hashed."""

import io
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import datasets
import numpy as np
import pytest
import soundfile
from bench_tasks.opening import open_task
from PIL import Image

from bench.backbones.catalog import MINILM
from bench.backbones.descriptions import describe
from bench.backbones.loading import load_backbone
from bench.budget import ALL
from bench.cell import Cell, Failure, Outcome, Result
from bench.config.data import DataSpec
from bench.domains.options import DataOptions
from bench.execution.engine import Engine
from bench.planning.plan import PlannedCell, cell_key, group_into_jobs
from bench.runtime.cache import Cache
from bench.strategies.classical import Classical
from bench.strategy import Strategy
from bench.task import Split, Task
from tests.formats import write_parquet, write_speech_commands
from tests.offline import cut_network
from tests.toys import FULL, PROBE

CLASSICAL: Final = Classical(name="classical")
N: Final = 24
SIDE: Final = 8
RATE_HZ: Final = 8_000

Contents = dict[Path, bytes]


class Disturbed(Task):
    """A task whose files change as soon as its examples were loaded, and before anybody looked at them."""

    def __init__(self, task: Task, change: Callable[[], None]) -> None:
        self.card, self.target = task.card, task.target
        self._task, self._change = task, change

    def split(self, fold: int, cache: Cache) -> Split:
        split = self._task.split(fold, cache)
        self._change()
        return split


class Kind(NamedTuple):
    """A kind of data: written into a folder; `other` are other bytes for its files, as many and as sound."""

    write: Callable[[Path], DataSpec]
    other: Callable[[Path], Contents]
    backbone: str
    strategies: Sequence[Strategy] = (CLASSICAL, PROBE)


def picture(label: int, generator: np.random.Generator) -> bytes:
    """Return a picture as a file whose length tells nothing: noise, brighter in one half for a label of 1 or 2."""
    pixels = generator.integers(0, 160, (SIDE, SIDE, 3), dtype=np.uint8)
    if label:
        pixels[: SIDE // 2] += 25 if label == 1 else 0
        pixels[SIDE // 2 :] += 25 if label == 2 else 0
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "BMP")
    return file.getvalue()


def recording(label: int, generator: np.random.Generator) -> bytes:
    """Return a recording as a file: noise, with a tone for a label of 1 or 2."""
    times = np.arange(RATE_HZ // 4) / RATE_HZ
    tone = 0.1 * np.sin(2 * np.pi * 600 * label * times)
    file = io.BytesIO()
    soundfile.write(file, tone + 0.2 * generator.standard_normal(len(times)), RATE_HZ, format="WAV")
    return file.getvalue()


def write_pictures(folder: Path) -> DataSpec:
    generator = np.random.default_rng(0)
    for number in range(N):
        path = folder / "photos" / "ab"[number % 2] / f"{number:02}.bmp"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture(1 + number % 2, generator))
    return DataSpec("image_classification", f"folder:{folder}/photos")


def other_pictures(folder: Path) -> Contents:
    generator = np.random.default_rng(1)
    return {path: picture(0, generator) for path in sorted(folder.rglob("*.bmp"))}


def write_recordings(folder: Path) -> DataSpec:
    generator = np.random.default_rng(0)
    for number in range(N):
        path = folder / "tones" / "ab"[number % 2] / f"{number:02}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(recording(1 + number % 2, generator))
    return DataSpec("audio_classification", f"folder:{folder}/tones", DataOptions(rate_hz=RATE_HZ))


def other_recordings(folder: Path) -> Contents:
    generator = np.random.default_rng(1)
    return {path: recording(0, generator) for path in sorted(folder.rglob("*.wav"))}


def write_spoken_words(folder: Path) -> DataSpec:
    write_speech_commands(folder / "torch" / "datasets")
    return DataSpec("audio_classification", "torchaudio:SPEECHCOMMANDS")


def other_spoken_words(folder: Path) -> Contents:
    return {path: path.read_bytes()[:44] + path.read_bytes()[:43:-1] for path in sorted(folder.rglob("*.wav"))}


def write_listed_pictures(folder: Path) -> DataSpec:
    write_pictures(folder)
    rows = [f"{path.relative_to(folder)},{path.parent.name}\n" for path in sorted(folder.rglob("*.bmp"))]
    (folder / "listed.csv").write_text("image,label\n" + "".join(rows))
    return DataSpec("image_classification", f"csv:{folder}/listed.csv")


def write_texts(folder: Path) -> DataSpec:
    generator = np.random.default_rng(0)
    words = [f"w{number % 2} " + " ".join(f"w{word}" for word in generator.integers(0, 5, 4)) for number in range(N)]
    rows = [f"{text},{'ab'[number % 2]}\n" for number, text in enumerate(words)]
    (folder / "texts.csv").write_text("text,label\n" + "".join(rows))
    return DataSpec("text_classification", f"csv:{folder}/texts.csv")


def other_texts(folder: Path) -> Contents:
    return {folder / "texts.csv": (folder / "texts.csv").read_bytes().replace(b"w0", b"w1")}


def write_series(folder: Path) -> DataSpec:
    values = np.random.default_rng(0).uniform(100, 900, 200).round()
    (folder / "demand.csv").write_text("step,y\n" + "".join(f"{step},{y:.0f}\n" for step, y in enumerate(values)))
    return DataSpec("forecasting", f"csv:{folder}/demand.csv", DataOptions(context=24, horizon=6, season=4))


def other_series(folder: Path) -> Contents:
    lines = (folder / "demand.csv").read_text().splitlines()
    turned = [f"{line.partition(',')[0]},{1000 - int(line.partition(',')[2])}" for line in lines[1:]]
    return {folder / "demand.csv": "\n".join([lines[0], *turned, ""]).encode()}


OWN: Final = """
from pathlib import Path

import numpy as np

from bench.card import TaskCard
from bench.column import dense
from bench.domains.vision.raw import ImageArray
from bench.targets.classes import Classes
from bench.task import Examples, Split, Task


class Mine(Task):
    card = TaskCard(
        name="mine", title="Mine", domain="vision", description="", source="", licence="", citation="", version=1,
        sha256="", pinned=False,
    )
    target = Classes(("a", "b"))

    def split(self, fold, cache):
        pixels = np.frombuffer(Path(__file__).with_name("pixels").read_bytes(), dtype=np.uint8).reshape(24, 8, 8, 3)
        everything = Examples(ImageArray(pixels), {"class": dense(**{"class": np.arange(24) % 2})})
        return Split(everything.take(np.arange(16)), everything.take(np.arange(16, 24)))
"""


def write_own(folder: Path) -> DataSpec:
    generator = np.random.default_rng(0)
    (folder / "mine.py").write_text(OWN)
    (folder / "pixels").write_bytes(generator.integers(0, 256, (N, SIDE, SIDE, 3), dtype=np.uint8).tobytes())
    return DataSpec("image_classification", f"python:{folder}/mine.py")


def other_own(folder: Path) -> Contents:
    return {folder / "pixels": (folder / "pixels").read_bytes()[::-1]}


def write_hub_pictures(folder: Path) -> DataSpec:
    generator = np.random.default_rng(0)
    features = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=["a", "b"])})
    cells = [{"bytes": picture(1 + number % 2, generator), "path": None} for number in range(N)]
    columns = {"image": cells, "label": [number % 2 for number in range(N)]}
    return DataSpec(
        "image_classification", f"hf:{write_parquet(folder / 'hub', {'train': columns}, features)}", DataOptions()
    )


def other_hub_pictures(folder: Path) -> Contents:
    """Return the prepared table with every picture replaced."""
    generator = np.random.default_rng(0)
    [table] = folder.rglob("*.arrow")
    content = table.read_bytes()
    for number in range(N):
        before = picture(1 + number % 2, generator)
        assert before in content
        content = content.replace(before, picture(0, np.random.default_rng(number + 1)))
    return {table: content}


def write_hub_texts(folder: Path) -> DataSpec:
    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.Value("string")})
    columns = {"text": [f"w{row % 2} w{row % 5}" for row in range(N)], "label": ["ab"[row % 2] for row in range(N)]}
    return DataSpec("text_classification", f"hf:{write_parquet(folder / 'hub', {'train': columns}, features)}")


def other_hub_texts(folder: Path) -> Contents:
    [table] = folder.rglob("*.arrow")
    return {table: table.read_bytes().replace(b"w0", b"w1")}


FILES: Final = {
    "pictures in a folder": Kind(write_pictures, other_pictures, "bundled:glyphs", (CLASSICAL, PROBE, FULL)),
    "recordings in a folder": Kind(
        write_recordings, other_recordings, "bundled:spoken-words", (CLASSICAL, PROBE, FULL)
    ),
    "pictures that a table names": Kind(write_listed_pictures, other_pictures, "bundled:glyphs"),
    "recordings that a library lists": Kind(write_spoken_words, other_spoken_words, "bundled:spoken-words"),
    "pictures in a hub's table": Kind(write_hub_pictures, other_hub_pictures, "bundled:glyphs"),
}
"""Data that stay in their files until they are looked at."""

HELD: Final = {
    "texts in a table": Kind(write_texts, other_texts, MINILM.name, (CLASSICAL,)),
    "series in a table": Kind(write_series, other_series, "bundled:series"),
    "texts in a hub's table": Kind(write_hub_texts, other_hub_texts, MINILM.name, (CLASSICAL,)),
    "a task of one's own": Kind(write_own, other_own, "bundled:glyphs"),
}
"""Data that are read as a whole when they are loaded."""

REREAD: Final = ("texts in a hub's table", "a task of one's own")
"""Data of these that are looked at when a task is opened, and read again when it is loaded."""


@pytest.fixture(autouse=True)
def _own_homes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have all libraries keep their data in the folder of the test, without a network."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "hf")
    datasets.disable_progress_bars()
    cut_network(monkeypatch)


def rewrite(contents: Contents) -> Contents:
    """Write files in their place, of the same size and time of writing as before; return what was in them."""
    before = {path: path.read_bytes() for path in contents}
    for path, content in contents.items():
        status = path.stat()
        assert len(content) == status.st_size
        assert content != before[path]
        with path.open("r+b") as file:
            file.write(content)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    return before


def plan(kind: Kind, spec: DataSpec, cache: Cache) -> list[PlannedCell]:
    task, card = open_task("data", spec, cache).card, describe(kind.backbone, cache)
    cells = [(strategy, Cell("data", kind.backbone, strategy.name, ALL, 0)) for strategy in kind.strategies]
    return [
        PlannedCell(
            cell, spec, task.sha256, strategy, cell_key(cell, task=task, backbone=card, strategy=strategy), shifts=True
        )
        for strategy, cell in cells
    ]


def execute(
    planned: Sequence[PlannedCell], cache: Cache, open_one: Callable[[str, DataSpec, Cache], Task] = open_task
) -> Iterator[Outcome]:
    engine = Engine(open_one, load_backbone, cache=cache, device="cpu", memory_bytes=0)
    for job in group_into_jobs(planned):
        yield from (scored.outcome for scored in engine.run(job))


def disturbing(kind: Kind, folder: Path, originals: Contents) -> Callable[[str, DataSpec, Cache], Task]:
    """Return what opens a task whose files change once it is loaded; `originals` gets what was in them."""

    def open_disturbed(name: str, spec: DataSpec, cache: Cache) -> Task:
        return Disturbed(open_task(name, spec, cache), lambda: originals.update(rewrite(kind.other(folder))))

    return open_disturbed


def scores(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """Return the scores of all cells, plain and under shifts."""
    found = {}
    for one in outcomes:
        assert isinstance(one, Result), one.traceback
        found[one.cell.strategy] = one.score
        found |= {f"{one.cell.strategy} under {shifted.shift}": shifted.score for shifted in one.shifted}
    return found


def assert_failed(outcomes: Sequence[Outcome], reason: str = "changed since it was looked at") -> None:
    for one in outcomes:
        assert isinstance(one, Failure), f"{one.cell} scored {one.score}"
        assert reason in one.reason
        assert one.reason.count("give the same command once more") == 1


def score_afresh(kind: Kind, spec: DataSpec, folder: Path) -> dict[str, float]:
    """Return the scores of data that nobody changes, with a cache of their own."""
    cache = Cache(folder / "fresh")
    return scores(list(execute(plan(kind, spec, cache), cache)))


def same(expected: dict[str, float]) -> object:
    """Return what scores compare equal to that are the same but for the rounding of sums."""
    return pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("name", FILES)
def test_files_that_change_before_they_are_looked_at_fail_their_cells_and_leave_nothing_in_the_cache(
    name: str, tmp_path: Path
) -> None:
    kind, cache = FILES[name], Cache(tmp_path / "cache")
    spec = kind.write(tmp_path)
    expected = score_afresh(kind, spec, tmp_path)
    outcomes: list[Outcome] = []
    for planned in plan(kind, spec, cache):
        originals: Contents = {}
        outcomes += execute([planned], cache, disturbing(kind, tmp_path, originals))
        rewrite(originals)
    assert scores(list(execute(plan(kind, spec, cache), cache))) == same(expected)
    assert_failed(outcomes)


@pytest.mark.parametrize("name", ["pictures in a folder", "recordings in a folder"])
def test_files_that_change_between_two_looks_fail_what_looks_again(name: str, tmp_path: Path) -> None:
    kind, cache = FILES[name], Cache(tmp_path / "cache")
    spec = kind.write(tmp_path)
    expected = score_afresh(kind, spec, tmp_path)
    planned = plan(kind, spec, cache)
    outcomes = execute(planned, cache)
    finished = [next(outcomes) for planned_cell in planned if planned_cell.strategy.together]
    originals = rewrite(kind.other(tmp_path))
    assert_failed(list(outcomes))
    rewrite(originals)
    assert scores([*finished, *execute(planned[len(finished) :], cache)]) == same(expected)


@pytest.mark.parametrize("name", HELD)
def test_data_that_change_after_they_were_loaded_are_scored_as_they_were(name: str, tmp_path: Path) -> None:
    kind, cache = HELD[name], Cache(tmp_path / "cache")
    spec = kind.write(tmp_path)
    expected = score_afresh(kind, spec, tmp_path)
    outcomes: list[Outcome] = []
    for planned in plan(kind, spec, cache):
        originals: Contents = {}
        outcomes += execute([planned], cache, disturbing(kind, tmp_path, originals))
        rewrite(originals)
    assert scores(outcomes) == same(expected)


@pytest.mark.parametrize("name", REREAD)
def test_data_that_change_between_opening_and_loading_fail_their_cells(name: str, tmp_path: Path) -> None:
    kind, cache = HELD[name], Cache(tmp_path / "cache")
    spec = kind.write(tmp_path)
    expected = score_afresh(kind, spec, tmp_path)
    planned = plan(kind, spec, cache)
    originals: Contents = {}

    def open_and_change(name: str, spec: DataSpec, cache: Cache) -> Task:
        task = open_task(name, spec, cache)
        originals.update(rewrite(kind.other(tmp_path)))
        return task

    assert_failed(list(execute(planned[:1], cache, open_and_change)))
    rewrite(originals)
    assert scores(list(execute(plan(kind, spec, cache), cache))) == same(expected)
