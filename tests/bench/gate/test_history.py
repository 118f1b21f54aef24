"""The history of nights: areas, since when they changed, and what else changed."""

import csv
import io
import json
import math
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from bench.budget import ALL, Count, Share
from bench.cell import Outcome, Result
from bench.errors import StoreError
from bench.gate.chart import chart
from bench.gate.history import History, Series, find_nights, history_of
from bench.gate.matching import Run
from bench.gate.nights import to_json, to_markdown, to_text
from bench.gate.spreadsheet import to_csv
from bench.metrics.forecast import MAE
from bench.results.manifest import Manifest
from tests.bench.analysis.example import scored
from tests.bench.gate.example import HARM, Change, failed, harmful, lost, night, stored, where, with_fields, worse

N_NIGHTS = 10


def jitter(number: int, then: Change) -> Change:
    """Return a change that moves every score a little, another way each night, and then makes another."""

    def change(result: Result) -> Outcome | None:
        return then(scored(result, result.score + 0.002 * math.sin(7 * number + result.cell.seed)))

    return change


def nights(change: Change, *, since: int = N_NIGHTS) -> list[Run]:
    """Return ten nights that were changed from one on."""
    return [night(jitter(number, change if number >= since else lambda result: result)) for number in range(N_NIGHTS)]


def history(runs: list[Run]) -> History:
    """Return the history of nights named by their number."""
    return history_of((f"night-{number}", run) for number, run in enumerate(runs))


def series(found: History, task: str, strategy: str | None = None) -> Series:
    """Return a series of a history."""
    return next(one for one in found.series if (one.task, one.strategy) == (task, strategy))


def test_areas_are_over_amounts_however_budgets_are_asked_for() -> None:
    asked_otherwise = night()
    # 200 pictures and 50 windows are all of them, and a count comes before shares in the order of cells
    cells = {
        cell: replace(cell, budget=Count(200 if cell.task == "pictures" else 50)) if cell.budget == ALL else cell
        for cell in asked_otherwise.outcomes
    }
    outcomes = {cells[cell]: one and replace(one, cell=cells[cell]) for cell, one in asked_otherwise.outcomes.items()}
    keys = {cells[cell]: key for cell, key in asked_otherwise.manifest.cells.items()}
    renamed = Run("counts", replace(asked_otherwise.manifest, cells=keys), dict(sorted(outcomes.items())))
    assert [one.areas for one in history([renamed]).series] == [one.areas for one in history([night()]).series]


def test_an_area_is_the_mean_over_strategies_of_the_areas_of_seeds() -> None:
    found = series(history([night()]), "pictures")
    # two budgets: half the sum of their skills; SCORES of the example, chance 0.1
    by_strategy = [(mean - 0.1) / 0.9 for mean in (0.55, 0.76, 0.805)]
    assert found.areas[0] == pytest.approx(sum(by_strategy) / 3)
    assert found.margins[0] == pytest.approx(4.30265 * 0.01 / 0.9 / math.sqrt(3), rel=1e-5)


def test_an_interval_of_a_night_is_over_seeds_and_test_examples() -> None:
    def scattered(result: Result) -> Outcome | None:
        without = {name: _shaken(several) for name, several in result.scores.without.items()}
        return replace(result, scores=replace(result.scores, without=without))

    steady, shaken = series(history([night()]), "pictures"), series(history([night(scattered)]), "pictures")
    assert shaken.areas == pytest.approx(steady.areas)
    # twenty blocks whose scores are 0.02 better or worse than the mean, with every seed, row and budget
    of_examples = 0.02 / math.sqrt(19) / 0.9
    of_seeds = 0.01 / math.sqrt(3) / 0.9
    deviation = math.sqrt(of_examples**2 + of_seeds**2)
    assert (
        1.96 * deviation < shaken.margins[0] < 4.303 * deviation
    )  # Student's quantile of 2 to many degrees of freedom


def _shaken(several: tuple[float | None, ...]) -> tuple[float | None, ...]:
    """Return scores without each block, every other of which is better than the mean."""
    return tuple(None if one is None else one + 0.02 / 19 * (-1) ** place for place, one in enumerate(several))


def test_a_drop_is_told_with_its_night_and_what_fell_with_it() -> None:
    found = history(nights(worse("series", 0.1), since=6))
    assert [step.first for step in series(found, "series").steps] == [6]
    assert series(found, "pictures").steps == ()
    said = to_text(found)
    assert said.startswith("series fell from ")
    assert "with night-6, as did full, linear_probe and scratch." in " ".join(said.split())
    assert re.search(r"^night-6 +36/36 +\S+ +\S+v$", said, flags=re.MULTILINE)


def test_a_strategy_that_moves_alone_is_told_alone() -> None:
    found = history(nights(where(worse("series", -0.02), strategy="full"), since=6))
    assert to_text(found).startswith("series · full rose from ")


def test_nights_without_a_change_are_said_to_have_none() -> None:
    assert to_text(history(nights(lost))).startswith("No change of level in 10 nights.")


def test_a_night_without_all_its_budgets_has_no_area() -> None:
    runs = [night(), night(where(lost, task="pictures", strategy="full", budget=ALL))]
    found = history(runs)
    assert math.isnan(series(found, "pictures").areas[1])
    assert math.isnan(series(found, "pictures", "full").areas[1])
    assert not math.isnan(series(found, "pictures", "scratch").areas[1])
    assert "33/36" in to_text(found)


def test_a_seed_that_failed_does_not_count() -> None:
    found = series(history([night(where(failed("no"), seed=2, budget=Share(0.1)))]), "pictures")
    assert found.areas[0] > series(history([night()]), "pictures").areas[0]  # seed 2 is the lowest


def other_metric(manifest: Manifest) -> Manifest:
    """Score the series by another metric."""
    entry = replace(manifest.tasks["series"], metric=MAE.card)
    return replace(manifest, tasks={**manifest.tasks, "series": entry})


def test_what_measures_something_else_than_the_night_before_is_marked() -> None:
    found = history([night(), night(manifest=other_metric), night(manifest=other_metric, rekeyed={"full": "new"})])
    assert dict(series(found, "series").changes) == {1: "another metric: MASE, now MAE", 2: "another recipe"}
    assert dict(series(found, "pictures").changes) == {2: "another recipe"}
    assert "* series, night-1: another metric: MASE, now MAE" in to_text(found)
    assert dict(series(history([night(seeds=2), night(seeds=3)]), "series").changes) == {1: "other budgets or seeds"}


def test_another_precision_is_marked() -> None:
    half = where(with_fields(precision="bfloat16"), strategy="full", seed=0)
    found = history([night(), night(half), night(half)])
    assert dict(series(found, "series").changes) == {1: "precision was float32, now bfloat16 and float32"}
    assert not series(found, "series", "scratch").changes


def test_a_night_without_a_task_is_passed_over() -> None:
    fewer = night()
    outcomes = {cell: one for cell, one in fewer.outcomes.items() if cell.task != "series"}
    found = history([night(), fewer._replace(outcomes=outcomes), night()])
    assert math.isnan(series(found, "series").areas[1])
    assert not series(found, "series").changes


def test_the_formats_agree_and_fit() -> None:
    found = history(nights(worse("series", 0.1), since=6))
    assert max(map(len, to_text(found).splitlines())) <= 80
    assert "| night-6 | 36 of 36 |" in to_markdown(found)
    record = json.loads(to_json(found))
    whole = next(one for one in record["series"] if (one["task"], one["strategy"]) == ("series", None))
    assert [step["night"] for step in whole["steps"]] == [6]
    lines = list(csv.DictReader(io.StringIO(to_csv(found))))
    assert len(lines) == N_NIGHTS * len(found.series)
    step = next(line for line in lines if (line["night"], line["task"], line["strategy"]) == ("night-6", "series", ""))
    assert float(step["step"]) == pytest.approx(whole["steps"][0]["after"] - whole["steps"][0]["before"], abs=1e-6)


def test_many_tasks_go_below_each_other() -> None:
    run = night()
    cells = {
        replace(cell, task=f"task-{copy:02}"): one
        for copy in range(12)
        for cell, one in run.outcomes.items()
        if cell.task == "pictures"
    }
    tasks = {cell.task: run.manifest.tasks["pictures"] for cell in cells}
    many = run._replace(manifest=replace(run.manifest, tasks=tasks, cells=dict.fromkeys(cells, "key")), outcomes=cells)
    said = to_text(history([many, many]))
    assert max(map(len, said.splitlines())) <= 80
    assert said.count("night-1") == 2
    assert "task-11" in said


def test_the_chart_marks_the_change_and_is_the_same_every_time() -> None:
    runs = nights(worse("series", 0.1), since=6)
    drawn = chart(history(runs))
    assert drawn == chart(history(runs))
    texts = [found.strip() for found in re.findall(r">([^<]*)</text>", drawn)]
    assert {"pictures", "series", "-0.080", "night-9"} <= set(texts)
    assert texts.count("-0.080") == 1


def test_a_night_that_measures_something_else_is_hollow_in_the_chart() -> None:
    assert chart(history([night(), night()])).count('fill="#fff" stroke') == 0
    assert chart(history([night(), night(rekeyed={"full": "new"})])).count('fill="#fff" stroke') == 2


@pytest.mark.parametrize("runs", [[night()], [night(lost)], nights(lost, since=3)], ids=["one", "empty", "stopped"])
def test_a_chart_is_drawn_whatever_is_missing(runs: list[Run]) -> None:
    assert chart(history(runs)).startswith("<svg")
    assert to_text(history(runs))


def test_names_that_mean_harm_do_none() -> None:
    found = history_of((f"{HARM}{number}", harmful(run)) for number, run in enumerate(nights(lost)[:3]))
    tags = {element.tag.rpartition("}")[2] for element in ET.fromstring(chart(found)).iter()}  # noqa: S314 - our own
    assert "script" not in tags
    assert "<script>" not in to_markdown(found)
    assert not any(line.startswith("=") for line in to_text(found).splitlines())
    assert all(letter.isprintable() or letter == "\n" for letter in to_text(found) + to_markdown(found))
    names = history_of([("=cmd()", night())])
    assert {line["night"] for line in csv.DictReader(io.StringIO(to_csv(names)))} == {"'=cmd()"}


def test_a_folder_of_nights_stands_for_them_by_name(tmp_path: Path) -> None:
    for name in ("2026-01-02", "2026-01-01"):
        stored(night(seeds=1), tmp_path / "nights" / name)
    inside = [tmp_path / "nights" / "2026-01-01", tmp_path / "nights" / "2026-01-02"]
    assert find_nights([tmp_path / "nights"]) == inside
    assert find_nights(inside[::-1]) == inside[::-1]
    with pytest.raises(StoreError, match="is no results folder and holds none"):
        find_nights([tmp_path / "elsewhere"])
