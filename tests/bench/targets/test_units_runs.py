"""Runs of data in which several examples are scored as one, held against pandas and scikit-learn."""

import csv
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.special import expit, softmax
from sklearn.metrics import accuracy_score, average_precision_score, f1_score, mean_absolute_error, r2_score

import bench
from bench.cli import main
from bench.results.store import Store
from tests.bench.backbones.huggingface.snapshots import write_text_model
from tests.bench.targets.running import CONFIG, Run, run

PATIENTS = 24
NOTES = 3  # of each patient
NAMES = ("cough", "fever")


@pytest.fixture(autouse=True)
def _working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def patients() -> list[int]:
    return [patient for patient in range(PATIENTS) for _ in range(NOTES)]


def write_notes(label: str, labels: Sequence[object], *, part: bool = False) -> str:
    """Write notes of patients with a label each, in whose words that shows now and then; return a backbone of texts."""
    generator = np.random.default_rng(0)
    with Path("notes.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["text", label, "patient", *(["part"] if part else [])])
        for number, patient in enumerate(patients()):
            words = [
                f"w{(patient % 2) + 2 * (generator.random() < 0.4)}",
                f"w{5 + number % 25}",
                f"w{patient % 4 + 30}",
            ]
            side = ["test" if patient % 6 < 2 else "train"] if part else []
            rows.writerow([" ".join(words), labels[patient], f"p{patient}", *side])
    return f"hf:{write_text_model(Path('bert'), 'bert')}"


def by_unit(ran: Run, values: np.ndarray, how: str = "mean") -> np.ndarray:
    """Return what belongs to each patient, in the order of their names."""
    frame = pd.DataFrame(values.reshape(len(values), -1)).groupby(ran.tested.rows["unit"])
    found: np.ndarray = frame.agg(how).to_numpy()
    return found


def check_sizes(ran: Run) -> None:
    """Check that patients are what is counted, each in one block, and examples what is kept."""
    rows = ran.tested.rows.arrays()
    for strategy, result in ran.results.items():
        assert len(ran.predictions[strategy]) == len(rows["unit"]) == NOTES * result.n_test
        assert sum(result.block_sizes) == result.n_test == len(set(rows["unit"].tolist()))
        assert result.amount % 1 == 0
        assert result.amount == NOTES * PATIENTS - len(rows["unit"]), "budgets count single examples"
    pairs = set(zip(rows["unit"].tolist(), rows["block"].tolist(), strict=True))
    assert len(pairs) == len(set(rows["unit"].tolist()))


@pytest.mark.parametrize("published", [False, True])
def test_classes_of_patients_are_scored_by_the_mean_probability_of_their_notes(*, published: bool) -> None:
    backbone = write_notes("label", ["ill" if one % 2 else "well" for one in range(PATIENTS)], part=published)
    ran = run("csv:notes.csv", backbone, "--option", "score_by=patient", *(["--option", "split=part"] * published))
    check_sizes(ran)
    units = ran.tested.rows["unit"]
    if published:
        assert set(units.tolist()) == {f"p{patient}" for patient in range(PATIENTS) if patient % 6 < 2}
    truth, blocks = by_unit(ran, ran.tested.labels["class"])[:, 0], by_unit(ran, ran.tested.rows["block"])[:, 0]
    for strategy, result in ran.results.items():
        chances = by_unit(ran, softmax(ran.predictions[strategy]["logit"].astype(np.float64), axis=1))
        answers = chances.argmax(axis=1)
        assert result.score == pytest.approx(accuracy_score(truth, answers))
        assert result.scores.values["macro_f1"] == pytest.approx(f1_score(truth, answers, average="macro"))
        for block, value in enumerate(result.scores.without["accuracy"]):
            assert value == pytest.approx(accuracy_score(truth[blocks != block], answers[blocks != block]))
        baseline = by_unit(ran, softmax(ran.tested.baselines[""]["logit"].astype(np.float64), axis=1))
        assert result.chance == pytest.approx(accuracy_score(truth, baseline.argmax(axis=1)))
        assert result.shifted, "texts are scored under typos"
    n = len(truth)
    in_all, where = (n, "") if published else (PATIENTS, " in all 5 folds")
    said = f"**Scored per patient, not per text:** {in_all} to test on{where}, with {NOTES * in_all} texts, whose "
    assert said in ran.report
    page = (next(Path("results").iterdir()) / "index.html").read_text()
    assert "Scored per patient, not per text:" in page
    cells = bench.load("results/notes")
    assert set(cells["scored_by"]) == {"patient"}
    assert set(cells["n_test"]) == {n}


def test_values_of_patients_are_scored_by_the_mean_of_their_notes() -> None:
    ran = run("csv:notes.csv", write_notes("age", [20.5 + 3 * one for one in range(PATIENTS)]), "--option", "label=age",
              "--option", "score_by=patient", "--option", "target=value")  # fmt: skip
    check_sizes(ran)
    truth = by_unit(ran, ran.tested.labels["value"])
    for strategy, result in ran.results.items():
        values = by_unit(ran, ran.predictions[strategy]["value"])
        assert result.score == pytest.approx(r2_score(truth, values))
        assert result.scores.values["mae"] == pytest.approx(mean_absolute_error(truth, values))


@pytest.mark.parametrize(("combine", "how"), [("mean", "mean"), ("maximum", "max")])
def test_labels_of_patients_are_scored_by_mean_or_maximum(combine: str, how: str) -> None:
    signs = [";".join(name for bit, name in enumerate(NAMES) if one >> bit & 1) for one in range(PATIENTS)]
    ran = run("csv:notes.csv", write_notes("label", signs), "--option", "score_by=patient", "--option",
              f"combine={combine}", "--option", "target=labels")  # fmt: skip
    check_sizes(ran)
    truth = by_unit(ran, ran.tested.labels["present"], "max")
    for strategy, result in ran.results.items():
        chances = by_unit(ran, expit(ran.predictions[strategy]["logit"].astype(np.float64)), how)
        assert result.score == pytest.approx(average_precision_score(truth, chances, average="macro"))
        expected = f1_score(truth, chances > 0.5, average="micro", zero_division=0)
        assert result.scores.values["micro_f1"] == pytest.approx(expected)
    assert f"combined into one by their {combine}" in ran.report


def write_scans() -> None:
    """Write three noisy pictures of each patient, brighter ones of the ill."""
    generator = np.random.default_rng(1)
    for number, patient in enumerate(patients()):
        path = Path("scans") / ("ill" if patient % 2 else "well") / f"p{patient}_{number % NOTES}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = generator.integers(0, 120, (12, 12, 3)) + 60 * (patient % 2)
        Image.fromarray(pixels.astype(np.uint8)).save(path)


def test_patients_in_the_names_of_pictures_are_scored_and_scored_anew_without_training(
    caplog: pytest.LogCaptureFixture,
) -> None:
    write_scans()
    pattern = ["--option", "score_by=(?P<patient>p[0-9]+)_"]
    ran = run("folder:scans", "bundled:glyphs", *pattern)
    check_sizes(ran)
    truth = by_unit(ran, ran.tested.labels["class"])[:, 0]
    store = Store(Path("results/scans"))
    for strategy, result in ran.results.items():
        chances = by_unit(ran, softmax(ran.predictions[strategy]["logit"].astype(np.float64), axis=1))
        assert result.score == pytest.approx(accuracy_score(truth, chances.argmax(axis=1)))
        for one in result.shifted:
            under = by_unit(ran, softmax(store.predictions(result.key, one.shift)["logit"].astype(np.float64), axis=1))
            assert one.score == pytest.approx(accuracy_score(truth, under.argmax(axis=1)))
    Path("own.py").write_text(OWN)
    caplog.set_level(logging.INFO)
    command = ["run", "--data", "folder:scans", "--backbones", "bundled:glyphs", "--workers", "1", *pattern]
    assert main([*command, "--option", "metric=python:own.py:hits"]) == 0
    assert "nothing was trained" in caplog.text
    assert "0 scored now, 4 found finished" in caplog.text
    again = {result.cell.strategy: result for result in Store(Path("results/scans")).results()}
    for strategy, result in ran.results.items():
        assert again[strategy].score == pytest.approx(result.score * result.n_test), "hits of patients, not of pictures"
        assert again[strategy].chance == pytest.approx(result.chance * result.n_test)
        assert [one.score for one in again[strategy].shifted] == pytest.approx(
            [one.score * result.n_test for one in result.shifted]
        )
    assert main(["compare", "results/scans", "results/scans"]) == 0


OWN = """
def hits(predictions, labels, facts):
    return float((predictions["logit"].argmax(axis=1) == labels["class"]).sum())


hits.perfect = 1000
"""


def test_another_unit_does_not_reuse_results(caplog: pytest.LogCaptureFixture) -> None:
    write_scans()
    Path("bench.toml").write_text(CONFIG)
    caplog.set_level(logging.INFO)
    command = [
        "run",
        "--data",
        "folder:scans",
        "--backbones",
        "bundled:glyphs",
        "--workers",
        "1",
        "--strategy",
        "classical",
    ]
    tested = []
    for options in ([], ["--option", "group=(p[0-9]+)_"], ["--option", "score_by=(p[0-9]+)_"]):
        caplog.clear()
        assert main([*command, *options]) == 0
        assert "1 scored now, 0 found finished" in caplog.text
        tested += [result.n_test for result in Store(Path("results/scans")).results()]
    assert tested[1] == NOTES * tested[2]


def test_the_list_of_tasks_says_what_is_scored(capsys: pytest.CaptureFixture[str]) -> None:
    data = 'family = "text_classification"\ndata = "csv:notes.csv"\nbackbones = ["hf:x"]\nscore_by = "patient"\n'
    Path("bench.toml").write_text(f'[tasks.notes]\n{data}[suites.all]\ntasks = ["notes"]\n')
    assert main(["list", "tasks"]) == 0
    assert "text, scored by patient: csv:notes.csv" in capsys.readouterr().out
