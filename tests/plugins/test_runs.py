"""Plug-ins run end to end: from the config to cells, exports, predictions, a report and a comparison."""

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from bench_tasks import load_family
from PIL import Image

from bench.backbone import Reader
from bench.backbones.loading import load_backbone
from bench.cell import Failure
from bench.cli import main
from bench.column import Ragged
from bench.domains.audio.raw import AudioArray
from bench.domains.vision.raw import ImageArray
from bench.errors import WeightsError
from bench.prediction.exported import read_exported
from bench.prediction.model import load_model
from bench.results.manifest import Curve
from bench.results.store import Store
from bench.runtime.cache import Cache
from bench.strategy import BACKBONE
from bench.testing.backbones import predictions_of
from tests.plugins.pairs import RECIPES, TASKS, fitting, strategy_named

SHOWN = 3  # files that are predicted


def config() -> str:
    """Return a config of all tasks and strategies of plug-ins, with two budgets and two seeds."""
    lines = ['budgets = [0.5, "all"]', "seeds = 2"]
    for name, recipe in RECIPES.items():
        lines += [f"[strategies.{name}]", *(f"{key} = {json.dumps(value)}" for key, value in recipe.items())]
    for name, backbone in TASKS.items():
        lines += [f"[tasks.{name}]", f'backbones = ["{backbone}"]', f"[suites.{name}]", f'tasks = ["{name}"]']
    return "\n".join(lines)


def write_files(task: str, folder: Path) -> list[str]:
    """Write a few test examples of a task as files, pictures twice as large."""
    raw = load_family(task).split(0, Cache(folder)).test.raw.take(np.arange(SHOWN))
    paths = []
    if isinstance(raw, ImageArray):
        for place, picture in enumerate(raw.pictures()):
            paths.append(folder / f"{place}.png")
            Image.fromarray(np.kron(picture, np.ones((2, 2, 1), dtype=np.uint8)).squeeze()).save(paths[-1])
    elif isinstance(raw, AudioArray):
        for place, samples in enumerate(raw.samples):
            paths.append(folder / f"{place}.wav")
            heard = samples[: np.flatnonzero(samples)[-1] + 1]
            soundfile.write(paths[-1], heard, raw.rate_hz, subtype="FLOAT")
    else:  # clouds of points
        for place, cloud in enumerate(raw.points()):  # type: ignore[attr-defined]  # of the plug-in
            paths.append(folder / f"{place}.xyz")
            np.savetxt(paths[-1], cloud)
    return [str(path) for path in paths]


@pytest.fixture
def chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[str]]:
    """Return what names the strategies that fit a task, as arguments; there is a config in the working folder."""
    monkeypatch.chdir(tmp_path)
    Path("bench.toml").write_text(config())

    def arguments(task: str) -> list[str]:
        strategies = [pair.strategy for pair in fitting() if pair.task == task]
        return ["--suite", task, *(part for name in strategies for part in ("--strategy", name))]

    return arguments


@pytest.mark.parametrize("task", TASKS)
def test_a_task_is_run_exported_predicted_reported_and_compared(
    task: str, chosen: Callable[[str], list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    strategies = [pair.strategy for pair in fitting() if pair.task == task]
    assert main(["run", *chosen(task), "--workers", "1", "--out", "night", "--export", "models"]) == 0
    store = Store(Path("night"))
    results = list(store.results())
    assert {result.cell.strategy for result in results} == set(strategies)
    assert len(results) == 4 * len(strategies)
    assert all(np.isfinite(result.score) for result in results)
    assert all(len(result.block_sizes) > 1 for result in results)

    files = write_files(task, Path.cwd())
    for name in strategies:
        if BACKBONE in strategy_named(name).requires:
            (folder,) = Path("models").glob(f"*/*/{name}")
            capsys.readouterr()
            assert main(["predict", str(folder), *files, "--format", "json"]) == 0
            told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
            assert [one["file"] for one in told] == files
            assert main(["predict", str(folder), *files]) == 0

    assert main(["report", "night"]) == 0
    page = Path("night/report.md").read_text()
    assert load_family(task).target.unit in page
    assert load_family(task).target.metrics[0].card.title in page
    assert main(["compare", "night", "night"]) == 0


def test_a_model_that_was_exported_predicts_what_its_cell_predicted(
    chosen: Callable[[str], list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    only = ["--strategy", "full", "--budget", "all", "--seeds", "1"]
    assert main(["run", "--suite", "melodies", *only, "--workers", "1", "--out", "night", "--export", "model"]) == 0
    (result,) = Store(Path("night")).results()
    column = Store(Path("night")).predictions(result.key)
    assert isinstance(column, Ragged)
    letters = load_family("melodies").target.letters  # type: ignore[attr-defined]  # of this plug-in
    files = write_files("melodies", Path.cwd())
    capsys.readouterr()
    assert main(["predict", "model", *files, "--format", "json"]) == 0
    told: list[dict[str, Any]] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["transcript"] for one in told] == [
        "".join(letters[letter] for letter in column.of("letter", row)) for row in range(SHOWN)
    ]


def test_a_metric_a_shift_a_tracker_and_an_executor_of_packages_are_used(
    chosen: Callable[[str], list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    text = Path("bench.toml").read_text().replace("[tasks.apples-weight]", '[tasks.apples-weight]\nmetric = "worst"')
    Path("bench.toml").write_text(text)
    asked = ["--suite", "apples-weight", "--strategy", "probe", "--strategy", "budget_baseline", "--seeds", "1"]
    with_packages = ["--executor", "backwards", "--track", "notebook"]
    assert main(["run", *asked, *with_packages, "--budget", "all", "--out", "night"]) == 0
    results = list(Store(Path("night")).results())
    assert all(result.score == result.scores.values["worst"] for result in results)
    assert {"mae", "worst"} <= results[0].scores.values.keys()
    shifts = {shifted.shift for shifted in results[0].shifted}
    assert {"dusk", "orchard"} <= shifts, "one of the package, one that the task brings"
    assert "orchard,smaller apples of another orchard," in Path("night/shifts.csv").read_text()
    assert "Orchard: smaller apples of another orchard" in Path("night/report.md").read_text()
    lines = Path("night/notebook.txt").read_text().splitlines()
    assert lines == ["budget_baseline scored", "probe scored"], "the last first"
    assert "largest error" in Path("night/report.md").read_text()


def test_data_of_a_domain_of_its_own_are_read_from_folders(
    chosen: Callable[[str], list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    generator = np.random.default_rng(0)
    for place in range(24):
        path = Path("data", ("ball", "rod")[place % 2], f"{place}.xyz")
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savetxt(path, generator.normal(size=(20 + place, 3)) * (1, 1, 1 + 4 * (place % 2)))
    asked = ["--strategy", "probe", "--strategy", "classical", "--budget", "all", "--seeds", "1", "--workers", "1"]
    assert main(["run", "--data", "folder:data", *asked, "--out", "night"]) == 0
    results = list(Store(Path("night")).results())
    assert {(result.cell.backbone, result.cell.strategy) for result in results} == {
        ("clouds:toy", "probe"),
        ("clouds:toy", "classical"),
    }
    assert {shifted.shift for result in results for shifted in result.shifted} == {"jitter"}


def write_clouds(folder: Path) -> None:
    """Write rods whose class shows after the first ten points alone."""
    generator = np.random.default_rng(0)
    for place in range(24):
        path = folder / ("long", "short")[place % 2] / f"{place}.xyz"
        path.parent.mkdir(parents=True, exist_ok=True)
        cloud = generator.normal(size=(30, 3))
        cloud[10:] *= (1, 1, 9 if place % 2 else 1)
        np.savetxt(path, cloud)


def test_a_domain_of_its_own_has_options_of_its_own(
    chosen: Callable[[str], list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    write_clouds(Path("data"))
    asked = ["--strategy", "classical", "--budget", "all", "--seeds", "2", "--workers", "1", "--no-shifts"]
    told = {}
    for option in ((), ("--option", "points=10")):
        folder = Path(f"night{len(option)}")
        assert main(["run", "--data", "folder:data", *option, *asked, "--out", str(folder)]) == 0
        results = list(Store(folder).results())
        told[option] = results[0].data_sha256, np.mean([result.score for result in results])
    (whole, score), (few, blind) = told.values()
    assert whole != few, "an option is part of the hash of the data"
    assert score > 0.9 > blind, "the reader is given it"
    assert "Of each the first 10 points are read." in Store(Path("night2")).manifest.tasks["data"].card.description
    lines = ["[tasks.rods]", 'family = "cloud_classification"', 'data = "folder:data"', "points = 10"]
    config = "\n".join([*lines, 'backbones = ["clouds:toy"]', "[suites.rods]", 'tasks = ["rods"]', ""])
    Path("bench.toml").write_text(f"{Path('bench.toml').read_text()}\n{config}")
    assert main(["run", "--suite", "rods", *asked, "--out", "night3"]) == 0
    assert {result.data_sha256 for result in Store(Path("night3")).results()} == {few}


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("points = 1", "tasks.rods.points: input should be greater than or equal to 2"),
        ("point = 10", "tasks.rods.point: unknown key; did you mean 'points'?"),
        ("own = 10", "tasks.rods.own: unknown key"),
        ('points = 9\nfamily = "image_classification"', "tasks.rods.points: says nothing of image_classification"),
    ],
)
def test_wrong_options_of_a_domain_are_told_with_their_key(
    line: str, problem: str, chosen: Callable[[str], list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    family = "" if "family" in line else 'family = "cloud_classification"'
    lines = ["[tasks.rods]", family, 'data = "folder:data"', line, 'backbones = ["clouds:toy"]']
    Path("bench.toml").write_text("\n".join(lines))
    assert main(["run"]) == 2
    assert problem in capsys.readouterr().err


def test_a_model_reads_others_with_the_options_of_its_data(
    chosen: Callable[[str], list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    write_clouds(Path("data"))
    asked = ["--strategy", "probe", "--budget", "all", "--seeds", "1", "--workers", "1", "--no-shifts"]
    assert main(["run", "--data", "folder:data", "--option", "points=10", *asked, "--export", "model"]) == 0
    options = read_exported(Path("model")).data.options
    assert options.own is not None
    assert options.own.model_dump() == {"points": 10}


def reasons(night: str) -> set[str]:
    """Return why cells of a folder failed."""
    outcomes = Store(Path(night)).outcomes().values()
    return {outcome.reason for outcome in outcomes if isinstance(outcome, Failure)}


def test_a_strategy_that_lacks_something_is_left_out_and_told(
    chosen: Callable[[str], list[str]], caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO)
    strategies = [part for name in ("reversal", "as_it_came") for part in ("--strategy", name)]
    asked = ["run", "--suite", "apples-grade", *strategies, "--seeds", "1", "--workers", "1", "--out", "night"]
    assert main(asked) == 2
    assert "nothing is left to be run: apples-grade: left out reversal" in capsys.readouterr().err
    assert not Path("night").exists()
    assert main([*asked, "--strategy", "probe"]) == 0
    inputs = "it needs unlabelled inputs, and the task has none"
    head = "it needs a head that came with the backbone, and bundled:glyphs brings none for grade"
    told = {"reversal": inputs, "as_it_came": head}
    assert {f"apples-grade: left out {name}: {why}" for name, why in told.items()} <= set(caplog.messages)
    store = Store(Path("night"))
    assert store.manifest.left_out == {Curve("apples-grade", "bundled:glyphs", name): why for name, why in told.items()}
    assert {result.cell.strategy for result in store.results()} == {"probe"}
    assert "It needs unlabelled inputs" in Path("night/report.md").read_text()


def test_a_whole_reader_that_was_brought_predicts_without_a_label_and_learns_by_its_own_loss(
    chosen: Callable[[str], list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["--suite", "paint", "--strategy", "probe", "--seeds", "2", "--budget", "0", "12", "all"]
    assert main(["run", *asked, "--workers", "1", "--out", "night", "--export", "models"]) == 0
    store = Store(Path("night"))
    scores = {(str(result.cell.budget), result.cell.seed): result for result in store.results()}
    none, all_ = scores["0", 0], scores["all", 0]
    assert (none.amount, none.steps, none.score) == (0, 0, scores["0", 1].score)
    assert none.score > none.chance + 0.2, "names of colours tell pictures apart"
    assert all_.steps > 0, "the loop trains it, although linear heads for classes are solved"

    backbone, raw = load_backbone("colours:toy"), load_family("paint").split(0, Cache(Path.cwd())).test.raw
    brought = backbone.brings(load_family("paint").target)
    assert isinstance(brought, Reader)
    expected = predictions_of(brought, backbone, raw).arrays()["logit"]
    np.testing.assert_allclose(store.predictions(none.key).arrays()["logit"], expected, rtol=1e-5)
    assert not np.allclose(store.predictions(all_.key).arrays()["logit"], expected, rtol=1e-2)

    assert main(["report", "night"]) == 0
    assert "| Strategy | 0 | 12 | 60 |" in Path("night/report.md").read_text()
    assert main(["compare", "night", "night"]) == 0


@pytest.mark.parametrize(("strategy", "budget"), [("probe", "0"), ("probe", "all"), ("full", "all"), ("lora", "all")])
def test_an_export_of_a_whole_reader_that_was_brought_predicts_what_its_cell_predicted(
    strategy: str,
    budget: str,
    chosen: Callable[[str], list[str]],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    only = ["--strategy", strategy, "--budget", budget, "--seeds", "1", "--workers", "1"]
    assert main(["run", "--suite", "paint", *only, "--out", "night", "--export", "model"]) == 0
    (result,) = Store(Path("night")).results()
    task = load_family("paint")
    exported = read_exported(Path("model"))
    assert exported.brought
    found = load_model(Path("model"), exported, device="cpu").predict(task.split(0, Cache(Path.cwd())).test.raw)
    expected = Store(Path("night")).predictions(result.key).arrays()["logit"]
    np.testing.assert_allclose(found.arrays()["logit"], expected, rtol=1e-5, atol=1e-5)
    assert main(["predict", "model", *write_files("paint", Path.cwd())]) == 0
    monkeypatch.setattr("bench_colours.Colours.brings", lambda self, target: None)
    with pytest.raises(WeightsError, match=r"colours:toy .* brings no reader for classes any more"):
        load_model(Path("model"), exported, device="cpu")


def write_paint(folder: str, names: tuple[str, str]) -> None:
    """Write pictures into folders of two names: of the first they are red, of the second blue."""
    for place in range(24):
        path = Path(folder, names[place % 2], f"{place}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        light = 150 + 4 * place
        Image.new("RGB", (8, 8), (0, 0, light) if place % 2 else (light, 0, 0)).save(path)


def test_a_folder_of_pictures_is_told_apart_by_the_names_of_its_classes_without_a_label(
    chosen: Callable[[str], list[str]],
) -> None:
    write_paint("data", ("red", "blue"))
    data = ["--data", "folder:data", "--backbone", "colours:toy", "--seeds", "1", "--workers", "1", "--no-shifts"]
    assert main(["run", *data, "--strategy", "probe", "--budget", "0", "--out", "night"]) == 0
    (result,) = Store(Path("night")).results()
    assert (result.amount, result.score) == (0, 1.0)


def test_a_backbone_that_knows_not_all_names_fails_what_cannot_do_without(
    chosen: Callable[[str], list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    write_paint("data", ("red", "plaid"))
    data = ["--data", "folder:data", "--backbone", "colours:toy", "--seeds", "1", "--workers", "1", "--no-shifts"]
    assert main(["run", *data, "--strategy", "probe", "--budget", "0", "all", "--out", "night"]) == 1
    assert reasons("night") == {"colours:toy brings no head for this target: it needs labels"}
    assert [str(result.cell.budget) for result in Store(Path("night")).results()] == ["all"]
    assert main(["run", *data, "--strategy", "as_it_came", "--budget", "all", "--out", "other"]) == 1
    brought = "a head that came with the backbone, and colours:toy brings none for this target"
    assert reasons("other") == {f"the strategy 'as_it_came' needs {brought}"}


def test_a_backbone_that_does_not_offer_a_readout_is_refused_before_anything_runs(
    chosen: Callable[[str], list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    text = Path("bench.toml").read_text().replace('"places:toy"', '"bundled:glyphs"')
    Path("bench.toml").write_text(text)
    assert main(["run", "--suite", "lights", "--strategy", "probe", "--strategy", "full"]) == 2
    said = capsys.readouterr().err
    assert "nothing is left to be run: lights: left out probe, full: boxes needs grid features" in said
    assert "needs grid features, but bundled:glyphs offers only pooled ones" in said
