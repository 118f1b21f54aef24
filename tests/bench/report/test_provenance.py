"""Where numbers are from: the recipe that each strategy went by."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.analysis.tables import read_tables
from bench.report.document import Table
from bench.report.sections.provenance import provenance_section
from bench.results.manifest import Curve
from bench.results.store import Store
from bench.runtime.arithmetic import PrecisionChoice
from tests.bench.analysis.example import example

RECIPES: Mapping[str, Mapping[str, Any]] = {
    "linear_probe": {"kind": "probe", "penalties": [0.1, 1.0]},
    "full": {"kind": "finetune", "learning_rate": 0.5, "penalties": [0.1, 1.0]},
}


def test_every_setting_of_a_recipe_is_said(tmp_path: Path) -> None:
    store = example(tmp_path)
    recipes = {Curve("pictures", "bundled:eyes", name): recipe for name, recipe in RECIPES.items()}
    store.extend(replace(store.manifest, recipes=recipes))
    tables = [one for one in provenance_section(read_tables(store)).blocks if isinstance(one, Table)]
    (table,) = (one for one in tables if one.caption == "Recipes")
    assert [[value.text for value in row] for row in table.rows] == [
        ["Pictures", "linear_probe", "kind probe, penalties 0.1 1.0"],
        ["Pictures", "full", "kind finetune, learning_rate 0.5, penalties 0.1 1.0"],
    ]


def test_what_was_asked_for_says_what_strategies_start_from_and_how_much_they_train(tmp_path: Path) -> None:
    tables = read_tables(example(tmp_path, strategies=("scratch", "classical", "linear_probe")))
    (table,) = (
        one
        for one in provenance_section(tables).blocks
        if isinstance(one, Table) and one.caption == "What was asked for"
    )
    assert [[value.text for value in row[:3]] for row in table.rows] == [
        ["scratch", "random weights", "100%"],
        ["classical", "nothing, without a network", "100%"],
        ["linear_probe", "pretrained weights", "0%"],
    ]


def test_a_timed_precision_is_shown_with_its_times(tmp_path: Path) -> None:
    store = example(tmp_path)
    choice = PrecisionChoice(
        key="k",
        processor="a processor",
        task="pictures",
        backbone="bundled:eyes",
        depth=0.5,
        batch_size=32,
        float32_seconds=0.25,
        bfloat16_seconds=0.0125,
        precision="bfloat16",
    )
    store.keep_choice(choice)
    tables = [one for one in provenance_section(read_tables(Store(tmp_path))).blocks if isinstance(one, Table)]
    (table,) = (one for one in tables if one.caption.startswith("Precision of training"))
    assert [[value.text for value in row] for row in table.rows] == [
        ["a processor", "Pictures, Eyes", "50%", "32", "250.0 ms", "12.5 ms", "bfloat16"]
    ]


def test_without_recipes_and_choices_there_are_no_such_tables(tmp_path: Path) -> None:
    blocks = provenance_section(read_tables(example(tmp_path))).blocks
    captions = {one.caption for one in blocks if isinstance(one, Table)}
    assert "Recipes" not in captions
    assert not [caption for caption in captions if caption.startswith("Precision")]


def test_recipes_that_were_tuned_say_on_what_and_whether_on_labels_of_the_task_itself(tmp_path: Path) -> None:
    store = example(tmp_path)
    full, probe = (Curve("pictures", "bundled:eyes", name) for name in ("full", "linear_probe"))
    card = {
        "on": ["letters", "signs"],
        "labels": 0,
        "date": "2026-11-27",
        "budgets": ["40", "160"],
        "seeds": 2,
        "tried": 7,
    }

    def said(tuned: Mapping[Curve, Mapping[str, Any]]) -> list[str]:
        recipes = {one: RECIPES[one.strategy] for one in (full, probe)}
        store.extend(replace(store.manifest, recipes=recipes, tuned=tuned))
        tables = [one for one in provenance_section(read_tables(store)).blocks if isinstance(one, Table)]
        (table,) = (one for one in tables if one.caption == "Recipes")
        assert table.columns[-1].title == "Tuned on"
        return [row[-1].text for row in table.rows]

    assert said({full: card}) == ["letters and signs: 40 and 160 labels, 2 seeds, 7 candidates, 2026-11-27", "–"]
    [own, _] = said({full: {**card, "labels": 120}})
    assert own.startswith("letters and signs, with 120 labels of this task itself: ")
