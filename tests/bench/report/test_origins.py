"""Where numbers are from: the recipe that each strategy went by."""

from dataclasses import replace
from pathlib import Path

from bench.analysis.tables import read_tables
from bench.report.document import Table
from bench.report.sections.origins import provenance_section
from bench.results.manifest import Curve
from tests.bench.analysis.example import example

RECIPE = {"learning_rate": 0.5, "penalties": [0.1, 1.0], "default_penalty": 0.1}


def test_a_recipe_says_what_concerns_its_strategy(tmp_path: Path) -> None:
    store = example(tmp_path)
    recipes = {Curve("pictures", "bundled:eyes", name): RECIPE for name in ("linear_probe", "full")}
    store.extend(replace(store.manifest, recipes=recipes))
    tables = [one for one in provenance_section(read_tables(store)).blocks if isinstance(one, Table)]
    (table,) = (one for one in tables if one.caption == "Recipes")
    assert [[value.text for value in row] for row in table.rows] == [
        ["Pictures", "linear_probe", "penalties 0.1 1.0, default_penalty 0.1"],
        ["Pictures", "full", "learning_rate 0.5, penalties 0.1 1.0, default_penalty 0.1"],
    ]


def test_without_recipes_there_is_no_such_table(tmp_path: Path) -> None:
    blocks = provenance_section(read_tables(example(tmp_path))).blocks
    assert "Recipes" not in {one.caption for one in blocks if isinstance(one, Table)}
