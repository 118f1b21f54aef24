"""`run --export` keeps models and `predict` uses them: what is printed, and one line for whatever cannot be read."""

import io
import json
import logging
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from bench.backbones.catalog import MINILM
from bench.budget import ALL, Count, Share
from bench.cell import Result
from bench.cli import main
from bench.commands.exports import choose_exports
from bench.domains.options import DataOptions
from bench.errors import ConfigError
from bench.prediction import model
from bench.prediction.exported import Exported, read_exported
from bench.results.store import Store
from bench.strategies.classical import Classical
from bench.strategies.nearest import Nearest
from bench.strategies.probe import Probe
from bench.strategy import Strategy
from bench.targets.classes import Classes
from tests.bench.prediction.exporting import (
    Adapted,
    adapt,
    picture_task,
    recording_task,
    series_table,
    series_task,
    text_task,
)
from tests.toys import FULL, PROBE, toy_cell

LINEAR = Probe(name="linear_probe", penalties=(0.1,))

CONFIG = """
budgets = [0.05, 0.1]
seeds = 2

[strategies.linear_probe]
kind = "probe"

[strategies.full]
kind = "finetune"
epochs = 1
min_steps = 2
max_steps = 2

[tasks.co2]
backbones = ["bundled:series"]

[suites.all]
tasks = ["co2"]
"""


@pytest.fixture(autouse=True)
def _working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bench.toml").write_text(CONFIG)


@pytest.fixture(scope="module")
def strokes(tmp_path_factory: pytest.TempPathFactory) -> Adapted:
    folder = tmp_path_factory.mktemp("strokes")
    return adapt(picture_task(folder), "bundled:glyphs", LINEAR, folder)


@pytest.fixture(scope="module")
def tones(tmp_path_factory: pytest.TempPathFactory) -> Adapted:
    folder = tmp_path_factory.mktemp("tones")
    return adapt(recording_task(folder), "bundled:spoken-words", LINEAR, folder)


@pytest.fixture(scope="module")
def weather(tmp_path_factory: pytest.TempPathFactory) -> Adapted:
    folder = tmp_path_factory.mktemp("weather")
    return adapt(text_task(), MINILM.name, LINEAR, folder, DataOptions(text="said"))


@pytest.fixture(scope="module")
def demand(tmp_path_factory: pytest.TempPathFactory) -> Adapted:
    folder = tmp_path_factory.mktemp("demand")
    series_table(folder / "demand.csv")
    return adapt(series_task(folder / "demand.csv"), "bundled:series", LINEAR, folder)


def predict(adapted: Adapted, *arguments: str | Path) -> int:
    return main(["predict", str(adapted.folder), *map(str, arguments)])


def records(said: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in said.splitlines()]


def labels(adapted: Adapted) -> list[str]:
    target = adapted.task.target
    assert isinstance(target, Classes)
    return [target.names[place] for place in adapted.predictions["logit"].argmax(axis=1)]


def test_pictures_and_folders_of_them_get_the_names_of_their_classes(
    strokes: Adapted, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = strokes.folder.parent
    test = [folder / f"stroke-{number:02}.png" for number in (2, 5, 8, 11)]
    assert predict(strokes, *test, "--format", "json") == 0
    said = records(capsys.readouterr().out)
    assert [one["file"] for one in said] == list(map(str, test))
    assert [one["label"] for one in said] == labels(strokes)
    assert predict(strokes, folder, "--top", "2") == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + 2 * 12
    assert max(map(len, lines)) <= 80


def test_a_file_that_changes_before_it_is_predicted_is_one_line(
    strokes: Adapted, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(shutil.copy(strokes.folder.parent / "stroke-02.png", tmp_path))
    load_model = model.load_model

    def change_and_load(
        folder: Path, exported: Exported, *, device: str, trust_remote_code: bool
    ) -> model.ExportedModel:
        shutil.copy(strokes.folder.parent / "stroke-05.png", path)
        return load_model(folder, exported, device=device, trust_remote_code=trust_remote_code)

    monkeypatch.setattr(model, "load_model", change_and_load)
    assert predict(strokes, path) == 2
    said = capsys.readouterr()
    assert f"the picture {path} changed since it was looked at: give the same command once more\n" in said.err
    assert (said.out, said.err.count("\n")) == ("", 1)


def test_recordings_get_the_names_of_their_classes(tones: Adapted, capsys: pytest.CaptureFixture[str]) -> None:
    test = [tones.folder.parent / f"tone-{number:02}.wav" for number in (2, 5, 8, 11)]
    assert predict(tones, *test, "--format", "json") == 0
    assert [one["label"] for one in records(capsys.readouterr().out)] == labels(tones)


def test_texts_come_from_lines_tables_standard_input_and_the_command_itself(
    weather: Adapted, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("lines.txt").write_text("sunny\nfoggy\n")
    Path("table.csv").write_text('said,mood\n"rain, again",grey\n')
    Path("table.tsv").write_text("text\tsaid\nno\ta mild day\n")
    Path("table.jsonl").write_text('{"said": "sleet"}\n{"said": "blue skies"}\n')
    monkeypatch.setattr("sys.stdin", io.StringIO("hail\n"))
    files = ("lines.txt", "table.csv", "table.tsv", "table.jsonl", "-")
    assert predict(weather, *files, "--text", "storms at night", "--format", "json") == 0
    said = records(capsys.readouterr().out)
    texts = ["sunny", "foggy", "rain, again", "a mild day", "sleet", "blue skies", "hail", "storms at night"]
    assert [one["text"] for one in said] == texts
    assert [one.get("row") for one in said] == [1, 2, 2, 2, 1, 2, 1, None]
    assert {one["label"] for one in said} == {"fine", "bad"}
    assert predict(weather, "table.csv", "--column", "mood") == 0
    assert "grey" in capsys.readouterr().out


def test_series_are_forecast_in_a_table_and_as_records(demand: Adapted, capsys: pytest.CaptureFixture[str]) -> None:
    table = demand.folder.parent / "demand.csv"
    assert predict(demand, table) == 0
    _, heading, *rows = capsys.readouterr().out.splitlines()
    assert heading.split() == ["time", "north", "south"]
    assert [rows[0].split()[0], rows[-1].split()[0]] == ["2022-07-14", "2022-08-06"]
    assert predict(demand, table, "--column", "south", "--format", "json") == 0
    (one,) = records(capsys.readouterr().out)
    assert one["series"] == "south"
    assert isinstance(one["forecast"], list)
    assert len(one["forecast"]) == 24
    assert 1.5 < np.mean(one["forecast"]) < 2.5


def test_what_cannot_be_read_is_named_and_the_rest_predicted(
    strokes: Adapted, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    whole = strokes.folder.parent / "stroke-00.png"
    Path("half.png").write_bytes(whole.read_bytes()[:100])
    Path("words.png").write_text("no picture")
    soundfile.write("beep.wav", np.zeros(100), 8_000)
    Path("empty").mkdir()
    assert predict(strokes, "half.png", "words.png", "gone.png", "beep.wav", "empty", "-", whole) == 1
    assert capsys.readouterr().out.count("stroke-00.png") == 1
    told = [record.message for record in caplog.records]
    assert len(told) == 6
    assert "cannot read the picture half.png" in told[0]
    assert "cannot read the picture words.png" in told[1]
    assert told[2] == "there is no file gone.png"
    assert told[3] == "beep.wav is a recording, but this model reads pictures"
    assert told[4] == "there are no pictures in the folder empty"
    assert told[5] == "standard input holds texts, but this model reads pictures: name files of these"


def test_recordings_and_texts_that_cannot_be_read_are_named_too(
    tones: Adapted, weather: Adapted, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    soundfile.write("empty.wav", np.zeros(0), 8_000)
    Image.new("L", (4, 4)).save("grey.png")
    Path("latin.txt").write_bytes("schön".encode("latin-1"))
    Path("gaps.txt").write_text("rain\n \nsun\n")
    Path("other.csv").write_text("text\nrain\n")
    assert predict(tones, "empty.wav", "grey.png") == 1
    assert predict(weather, "latin.txt", "gaps.txt", "other.csv", "grey.png", "--text", "") == 1
    assert len(capsys.readouterr().out.splitlines()) == 3
    told = [record.message for record in caplog.records]
    assert told[0].startswith("cannot read the recording empty.wav: it holds no sound")
    assert told[1] == "grey.png is a picture, but this model reads recordings"
    assert "latin.txt is not UTF-8 text" in told[2]
    assert told[3] == "gaps.txt, row 2: an empty text"
    assert "other.csv has no column 'said' (there are: text)" in told[4]
    assert told[5:] == ["grey.png is a picture, but this model reads texts and tables", "--text: an empty text"]


def test_series_that_cannot_be_forecast_are_named_too(
    demand: Adapted, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    table = series_table(Path("gaps.csv"), rows=120)
    table.loc[118, "south"] = np.nan
    table.to_csv("gaps.csv", index=False)
    series_table(Path("short.csv"), rows=40)
    assert predict(demand, "gaps.csv", "short.csv") == 1
    assert capsys.readouterr().out.splitlines()[1].split() == ["time", "north"]
    assert [record.message.partition(",")[0] for record in caplog.records] == [
        "gaps.csv: the series 'south' lacks 1 of its last 96 values",
        "short.csv: the series 'north' has 40 values",
        "short.csv: the series 'south' has 40 values",
    ]


@pytest.mark.parametrize(
    ("model", "arguments", "message"),
    [
        ("strokes", [], "nothing to predict: name files after the folder\n"),
        ("weather", [], "or a text with --text"),
        ("strokes", ["--text", "a"], "--text: the model in"),
        ("tones", ["a.wav", "--column", "a"], "reads no tables: leave it out"),
        ("weather", ["a.csv", "--column", "a", "--column", "b"], "texts are in one column, got 2: name one"),
        ("demand", ["a.csv", "--top", "2"], "has one answer for each example: leave it out"),
    ],
)
def test_what_does_not_go_with_a_model_is_one_line(
    model: str,
    arguments: Sequence[str],
    message: str,
    request: pytest.FixtureRequest,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert predict(request.getfixturevalue(model), *arguments) == 2
    said = capsys.readouterr()
    assert said.err.startswith("bench: ")
    assert said.err.count("\n") == 1
    assert message in said.err
    assert said.out == ""


def test_a_folder_that_holds_no_model_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", "nowhere", "a.png"]) == 2
    assert "bench: there is no exported model in nowhere: `bench run" in capsys.readouterr().err


def test_the_models_of_a_run_are_those_of_the_largest_budget_and_the_first_seed() -> None:
    cells = [
        toy_cell(strategy, budget=budget, seed=seed)
        for strategy in (PROBE, FULL)
        for budget in (Share(0.3), ALL, Share(0.1))
        for seed in (0, 1)
    ]
    kept = choose_exports(cells, Path("out"))
    wanted = {"linear_probe": cells[2].key, "full": cells[8].key}
    assert kept == {key: Path("out/toy/toy-dense") / name for name, key in wanted.items()}
    assert choose_exports(cells[:6], Path("out")) == {cells[2].key: Path("out")}


def test_the_largest_budget_of_a_run_may_be_a_number_of_labels() -> None:
    few, many = (replace(toy_cell(PROBE, budget=budget), n_train=100) for budget in (Share(0.1), Count(50)))
    assert choose_exports([many, few], Path("out")) == {many.key: Path("out")}


@pytest.mark.parametrize("other", [Classical(name="classical"), Nearest(name="nearest")])
def test_what_is_no_network_is_not_exported(other: Strategy) -> None:
    plain = toy_cell(other, budget=ALL, seed=0)
    probe = toy_cell(PROBE, budget=ALL, seed=0)
    assert choose_exports([plain, probe], Path("out")) == {probe.key: Path("out")}
    with pytest.raises(ConfigError, match=f"--export keeps adapted networks.*add a strategy other than {other.name}"):
        choose_exports([plain], Path("out"))


def test_a_run_exports_what_it_scores_and_what_it_finds_finished(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    run = ["run", "--workers", "1"]
    assert main([*run, "--strategy", "full", "--export", "kept"]) == 0
    assert "model: kept (co2 · bundled:series · full · 0.1 · seed 0)" in capsys.readouterr().out
    exported = read_exported(Path("kept"))
    results = {result.key: result for result in Store(Path("results/all")).results()}
    assert isinstance(exported.result, Result)
    assert exported.result == results[exported.result.key]
    assert "trained again" not in caplog.text

    cells = {path: path.read_bytes() for path in Path("results/all").rglob("*") if path.is_file()}
    assert main([*run, "--strategy", "full", "--export", "again"]) == 0
    assert "trained again for its model" in caplog.text
    again = read_exported(Path("again")).result
    assert isinstance(again, Result)
    assert again.score == exported.result.score
    assert Path("again/model.safetensors").read_bytes() == Path("kept/model.safetensors").read_bytes()
    assert {path: path.read_bytes() for path in cells} == cells

    written = Path("kept/model.json").stat().st_mtime_ns
    assert main([*run, "--strategy", "full", "--export", "kept"]) == 0
    assert Path("kept/model.json").stat().st_mtime_ns == written
    capsys.readouterr()
    assert main([*run, "--export", "both", "--dry-run"]) == 0
    assert "8 cells, 3 finished, 5 to run" in capsys.readouterr().out
    assert not Path("both").exists()


def test_a_worker_process_exports_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--workers", "2", "--strategy", "linear_probe", "--seeds", "1", "--export", "kept"]) == 0
    assert "model: kept" in capsys.readouterr().out
    assert read_exported(Path("kept")).result.cell.budget == Share(0.1)


def test_a_place_that_cannot_hold_a_model_is_told_before_anything_is_run(capsys: pytest.CaptureFixture[str]) -> None:
    Path("taken").touch()
    assert main(["run", "--strategy", "linear_probe", "--export", "taken/model"]) == 2
    assert "bench: cannot make the folder taken/model: Not a directory; name another with --export" in (
        capsys.readouterr().err
    )
    assert not Path("results").exists()
