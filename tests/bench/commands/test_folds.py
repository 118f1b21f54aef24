"""Data without a split are tested in folds: what runs, resumes, rescores, exports and reports say of them."""

import csv
import json
import logging
from pathlib import Path

import pytest

import bench
from bench.cell import Result
from bench.cli import main
from bench.prediction.exported import Refit, read_exported
from bench.results.store import Store
from tests.bench.backbones.huggingface.snapshots import write_text_model
from tests.bench.test_cli import mistake

N = 40


@pytest.fixture(name="command")
def _command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Write a table of texts by ten people, and return the command that runs classical models on it."""
    monkeypatch.chdir(tmp_path)
    with Path("notes.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["text", "label", "who"])
        rows.writerows([f"w{n % 2} w{5 + n}", ("cough", "fever")[n % 2], f"p{n // 4}"] for n in range(N))
    backbone = f"hf:{write_text_model(Path('bert'), 'bert')}"
    shared = ["--backbones", backbone, "--budget", "all", "--workers", "1", "--no-shifts", "--out", "r"]
    return ["run", "--data", "csv:notes.csv", *shared]


CLASSICAL = ["--strategy", "classical"]
PROBE = ["--strategy", "linear_probe"]


def report() -> str:
    return Path("r/report.md").read_text()


@pytest.mark.parametrize("groups", [[], ["--option", "group=who"]])
def test_five_seeds_test_every_example_once_by_default(
    command: list[str], groups: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    assert main([*command, *CLASSICAL, *groups]) == 0
    assert "notes: every example tested once, in 5 folds" in caplog.text
    cells = bench.load("r")
    assert cells["seed"].tolist() == cells["fold"].tolist() == [0, 1, 2, 3, 4]
    assert set(cells["folds"]) == {5}
    assert (cells["n_train"] + cells["n_test"]).tolist() == [N] * 5
    assert cells["amount"].tolist() == cells["n_train"].tolist()
    store = Store(Path("r"))
    tested = [store.tested(result) for result in store.results()]
    assert sorted(name for one in tested for name in one.rows["name"].tolist()) == sorted(
        f"row {number}" for number in range(2, N + 2)
    )
    groups_of = [set(one.rows["group"].tolist()) for one in tested if groups]
    assert len(set().union(*groups_of)) == sum(map(len, groups_of))
    for result, one in zip(store.results(), tested, strict=True):
        assert len(store.predictions(result.key)) == len(one.labels) == result.n_test
    assert "**Every example tested once, in 5 folds.** Each seed learns from all folds but one" in report()


def test_fewer_seeds_say_how_many_folds_are_tested_and_more_are_added(
    command: list[str], caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO)
    assert main([*command, *CLASSICAL, "--seeds", "2"]) == 0
    assert "notes: 2 of 5 folds tested" in caplog.text
    assert "**2 of 5 folds tested.**" in report()
    assert "Run 5 seeds to test every example." in report()
    capsys.readouterr()
    assert main([*command, *CLASSICAL, "--dry-run"]) == 0
    assert "5 cells, 2 finished, 3 to run" in capsys.readouterr().out


def test_more_seeds_than_folds_deal_anew_and_cells_of_other_folds_leave_the_tables(
    command: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    assert main([*command, *CLASSICAL]) == 0
    assert main([*command, *PROBE, "--seeds", "6"]) == 0
    assert "the folder has 5 cells of classical" in caplog.text
    assert "on other data (5 folds, now 6), which leave its tables" in caplog.text
    cells = bench.load("r")
    assert set(cells["strategy"]) == {"linear_probe"}
    assert (set(cells["folds"]), set(cells["fold"])) == ({6}, set(range(6)))
    assert "other data: options, files or folds of the data" in report()


def test_one_split_is_kept_where_it_is_asked_for(command: list[str]) -> None:
    assert main([*command, *CLASSICAL, "--option", "test=one"]) == 0
    cells = bench.load("r")
    assert (cells["fold"].tolist(), set(cells["folds"])) == ([0, 0, 0], {1})
    assert "every example tested once" not in report().lower()


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (["test=folds", "test_share=0.2"], 'test: "folds" tests every example once: leave test_share out'),
        (["test=folds", "split=who"], 'test: "folds" tests every example once: leave split out'),
        (["test=twice"], "test: input should be 'folds' or 'one', got 'twice'"),
    ],
)
def test_what_does_not_go_together_is_one_line(
    command: list[str], said: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told in mistake(capsys, *command, *(word for one in said for word in ("--option", one)))


def test_a_stream_that_varies_alone_is_tested_on_the_fold_of_seed_zero(command: list[str]) -> None:
    assert main([*command, *PROBE, "--variance", "--seeds", "3"]) == 0
    cells = bench.load("r")
    assert cells.loc[cells["varied"] == "all", "fold"].tolist() == [0, 1, 2]
    assert cells.loc[cells["varied"] == "subset", "fold"].tolist() == [0, 0]
    assert "Where a single stream does, the test fold is that of seed 0" in report()


def test_another_metric_is_computed_on_each_fold_without_training(
    command: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    assert main([*command, *CLASSICAL]) == 0
    before = {result.key: result.scores for result in Store(Path("r")).results()}
    for path in Path("r/cells").iterdir():
        record = json.loads(path.read_text())
        for scores in (record["scores"], record["baselines"]):
            scores["values"].pop("macro_f1"), scores["without"].pop("macro_f1")
        path.write_text(json.dumps(record))
    caplog.set_level(logging.INFO)
    assert main([*command, *CLASSICAL, "--option", "metric=macro_f1"]) == 0
    assert "5 results scored by further metrics from their predictions; nothing was trained" in caplog.text
    after = {result.key: result.scores.values["macro_f1"] for result in Store(Path("r")).results()}
    assert after == {key: scores.values["macro_f1"] for key, scores in before.items()}


def test_a_refit_learns_from_every_label_and_says_what_its_recipe_scored(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    refit = [*command, *PROBE, "--export", "kept", "--refit", "all"]
    assert main(refit) == 0
    said = capsys.readouterr().out
    kept, scores = read_exported(Path("kept")).result, bench.load("r")["score"].to_numpy()
    assert isinstance(kept, Refit)
    assert kept.amount == N
    assert (kept.estimate.tested, kept.estimate.folds, kept.estimate.metric) == (5, 5, "accuracy")
    assert kept.estimate.scores == tuple(scores)
    assert kept.estimate.mean == pytest.approx(scores.mean())
    assert kept.estimate.deviation == pytest.approx(scores.std(ddof=1))
    record = json.loads(Path("kept/model.json").read_text())["result"]
    assert record["note"].startswith("trained on all 40 labels, itself not tested; its recipe scored accuracy ")
    assert f"{scores.mean():.3f} ± {scores.std(ddof=1):.3f} (5 seeds on 5 folds" in said
    written = Path("kept/model.safetensors").stat().st_mtime_ns
    assert main(refit) == 0
    assert Path("kept/model.safetensors").stat().st_mtime_ns == written, "nothing is trained twice"
    capsys.readouterr()
    assert main(["predict", "kept", "--text", "w0 w5", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["text"] == "w0 w5"


def test_a_refit_of_data_with_one_split_has_the_scores_of_that(command: list[str]) -> None:
    assert main([*command, *PROBE, "--option", "test=one", "--seeds", "1", "--export", "kept", "--refit", "all"]) == 0
    kept = read_exported(Path("kept")).result
    assert isinstance(kept, Refit)
    [result] = Store(Path("r")).results()
    assert (kept.amount, kept.estimate.scores, kept.estimate.deviation) == (N, (result.score,), None)
    assert str(kept.estimate) == f"accuracy {result.score:.3f} (one seed on one test split)"


def test_a_model_of_some_labels_is_no_refit(command: list[str]) -> None:
    assert main([*command, *PROBE, "--seeds", "1", "--export", "kept"]) == 0
    kept = read_exported(Path("kept")).result
    assert isinstance(kept, Result)
    assert (kept.fold, kept.folds, kept.amount) == (0, 5, N - kept.n_test)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--refit", "all"], "--refit all is about a model that is kept: say where with --export DIR"),
        (["--refit", "all", "--export", "kept", "--budget", "10"], "test it with all of them too: add --budget all"),
    ],
)
def test_refits_that_nothing_is_known_of_are_refused(
    command: list[str], options: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = [word for word in command if "--budget" not in options or word not in {"--budget", "all"}]
    assert told in mistake(capsys, *asked, *PROBE, *options)
    assert not Path("kept").exists()


def test_a_recipe_that_was_never_scored_leaves_no_model(command: list[str], caplog: pytest.LogCaptureFixture) -> None:
    spoil = "def broken(predictions, labels, facts):\n    raise ValueError('no score')\n"
    Path("mine.py").write_text(f"higher_is_better = True\nperfect = 1.0\n{spoil}")
    options = ["--option", "metric=python:mine.py:broken", "--export", "kept", "--refit", "all", "--seeds", "1"]
    assert main([*command, *PROBE, *options]) == 1
    assert "no cell of it has a score, so that no model is kept" in caplog.text
    assert not Path("kept/model.json").exists()
