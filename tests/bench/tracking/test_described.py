"""What trackers are told of a cell: all that it was asked for and all that came of it, under plain names."""

from dataclasses import replace
from pathlib import PurePosixPath

import pytest

from bench.budget import Share
from bench.cell import Cell, Failure, Scores, to_record
from bench.planning.plan import PlannedCell
from bench.results.manifest import Manifest, StrategyEntry
from bench.tracking.described import curves, describe, metrics
from bench.tracking.tracker import Point, TrackedCell
from tests.bench.analysis.example import BACKBONES, TASKS, outcome
from tests.toys import FULL, toy_cell

CELL = Cell("series", "bundled:clock", "full", Share(0.1), 2)
KEY = "0123456789abcdef01234567"
MANIFEST = Manifest(
    suite="example",
    tasks=TASKS,
    backbones=BACKBONES,
    strategies={"full": StrategyEntry(name="full", kind="finetune", start="pretrained", trained_fraction=1.0)},
    cells={CELL: KEY},
)
PLANNED = PlannedCell(CELL, toy_cell(FULL).spec, "0" * 64, FULL, KEY)


def told() -> TrackedCell:
    return describe(outcome(CELL, KEY), PLANNED, MANIFEST)


def test_parameters_are_the_cell_its_recipe_the_cards_and_where_it_ran() -> None:
    parameters = told().parameters
    wanted = {
        "suite": "example",
        "task": "series",
        "backbone": "bundled:clock",
        "strategy": "full",
        "budget": "0.1",
        "seed": 2,
        "key": KEY,
        "strategy_card.start": "pretrained",
        "strategy_card.trained_fraction": 1.0,
        "recipe.kind": "finetune",
        "recipe.learning_rate": 0.01,
        "recipe.penalties": "0.01, 0.1",
        "task_card.licence": "CC0-1.0",
        "task_card.metric": "mase",
        "backbone_card.stages": "one, two",
        "provenance.torch": "2.11",
        "device": "cpu",
    }
    assert {name: parameters.get(name) for name in wanted} == wanted


def test_metrics_are_every_number_of_the_result_and_its_skill() -> None:
    found = told().metrics
    assert found["skill"] == pytest.approx(1 - found["score"] / 1.25)
    assert found["chance"] == 1.25
    assert {"amount", "seconds", "training_seconds", "peak_mib", "steps", "trainable_parameters"} <= set(found)
    assert "penalty" not in found  # a full fine-tuning chooses none


def test_every_metric_that_is_defined_is_there_by_its_name() -> None:
    found = told().metrics
    assert found["metric.mase"] == found["score"]
    assert found["metric.mae"] == pytest.approx(20 - 10 * found["score"])
    record = to_record(replace(outcome(CELL, KEY), scores=Scores({"mase": 1.5, "mae": None}, {"mase": (), "mae": ()})))
    assert "metric.mae" not in metrics(record, perfect=0.0)


def test_scores_under_shifts_are_metrics_of_their_own() -> None:
    record = to_record(outcome(CELL, KEY))
    record["shifted"] = [{"shift": "later", "title": "a later period", "score": 1.4, "chance": 1.3}]
    found = metrics(record, perfect=0.0)
    assert (found["score.later"], found["chance.later"]) == (1.4, 1.3)


def test_the_loss_is_a_curve_over_the_steps() -> None:
    record = to_record(outcome(CELL, KEY)) | {"steps": 90, "losses": [3.0, 2.0, 1.5, 1.0]}
    assert curves(record) == {"loss": [Point(22, 3.0), Point(45, 2.0), Point(68, 1.5), Point(90, 1.0)]}


def test_what_was_not_trained_has_no_curve() -> None:
    assert curves(to_record(outcome(CELL, KEY)) | {"losses": []}) == {}


def test_a_failed_cell_has_its_reason_its_parameters_and_no_number() -> None:
    failure = Failure(cell=CELL, key=KEY, reason="it rained", traceback="line 1")
    said = describe(failure, PLANNED, MANIFEST)
    assert said.reason == "it rained"
    assert said.parameters["recipe.learning_rate"] == 0.01
    assert not said.metrics
    assert not said.curves
    assert told().reason is None


def test_a_path_stays_in_its_folder_whatever_the_names() -> None:
    cell = Cell("../../etc", "hf:who/what", "..", Share(0.1), 2)
    manifest = Manifest(
        suite="example",
        tasks={cell.task: TASKS["series"]},
        backbones={cell.backbone: BACKBONES["bundled:clock"]},
        strategies={cell.strategy: MANIFEST.strategies["full"]},
    )
    planned = PlannedCell(cell, PLANNED.spec, PLANNED.data_sha256, FULL, KEY)
    path = describe(Failure(cell=cell, key=KEY, reason="", traceback=""), planned, manifest).path
    assert path == "etc/hf-who-what/unnamed/0.1-seed2-01234567"
    assert ".." not in PurePosixPath(path).parts
