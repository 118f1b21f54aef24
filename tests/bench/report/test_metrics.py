"""Every metric of a task has its mean at the largest budget, and one that is missing looks missing."""

from dataclasses import replace
from pathlib import Path

import pytest

from bench.analysis.curves import find_curves
from bench.analysis.tables import read_tables
from bench.report.document import Section, Table
from bench.report.sections.metrics import metrics_section
from bench.results.store import Store
from tests.bench.analysis.example import TASKS, example
from tests.bench.analysis.measured import measured


def section(store: Store) -> Section | None:
    tables = read_tables(store)
    return metrics_section(tables, find_curves(tables))


def tables_of(store: Store) -> list[Table]:
    found = section(store)
    assert found is not None
    return [block for one in found.sections for block in one.blocks if isinstance(block, Table)]


def rows(table: Table) -> dict[str, list[str]]:
    """Return the words of a table's rows by their first."""
    return {row[0].text: [" ".join((one.text, *filter(None, one.details))) for one in row[1:]] for row in table.rows}


def test_a_row_for_each_strategy_and_a_column_for_each_metric_by_hand(tmp_path: Path) -> None:
    pictures, series = tables_of(example(tmp_path))
    assert pictures.caption == "Pictures: all metrics with 200 labelled examples"
    assert [column.title for column in pictures.columns] == ["Strategy", "accuracy ↑", "log loss ↓"]
    assert rows(pictures) == {
        "scratch": ["0.800", "12.000"],
        "linear probe": ["0.820", "11.800"],
        "full fine-tuning": ["0.920", "10.800"],
    }
    assert [column.title for column in series.columns] == ["Strategy", "MASE ↓", "MAE ↓"]


def test_the_best_of_each_metric_is_marked_by_its_own_direction(tmp_path: Path) -> None:
    pictures, series = tables_of(example(tmp_path))
    marked = {
        (table.caption.split(":")[0], column.title): row[0].text
        for table in (pictures, series)
        for place, column in enumerate(table.columns)
        for row in table.rows
        if row[place].mark == "best"
    }
    assert marked == {
        ("Pictures", "accuracy ↑"): "full fine-tuning",
        ("Pictures", "log loss ↓"): "full fine-tuning",
        ("Series", "MASE ↓"): "scratch",
        ("Series", "MAE ↓"): "linear probe",  # here the second metric falls as the first rises
    }


def test_the_metric_that_ranks_comes_first_whatever_the_order_of_the_task(tmp_path: Path) -> None:
    entry = replace(TASKS["pictures"], metric=TASKS["pictures"].metrics[1])
    (table,) = tables_of(example(tmp_path, tasks={"pictures": entry}))
    assert [column.title for column in table.columns] == ["Strategy", "log loss ↓", "accuracy ↑"]


def test_seeds_without_a_value_are_told_and_none_at_all_is_missing(tmp_path: Path) -> None:
    undefined = measured(tmp_path / "one", {"scratch": {20: [1.4, 1.5]}, "full": {20: [1.4, 1.4]}})
    found = metrics_section(undefined, find_curves(undefined))
    assert found is not None
    (table,) = (block for block in found.sections[0].blocks if isinstance(block, Table))
    assert rows(table) == {"scratch": ["1.450", "5.000 1 of 2 seeds"], "full fine-tuning": ["1.400", "–"]}


def test_failed_cells_count_as_seeds_without_a_value(tmp_path: Path) -> None:
    pictures, _ = tables_of(example(tmp_path, failed=[{"strategy": "full", "seed": 0}]))
    assert rows(pictures)["full fine-tuning"][0] == "0.920 2 of 3 seeds"


@pytest.mark.parametrize("gap", ["one metric", "nothing scored"])
def test_without_a_second_metric_or_any_score_there_is_no_section(gap: str, tmp_path: Path) -> None:
    entry = TASKS["pictures"]
    alone = replace(entry, metrics=entry.metrics[:1]) if gap == "one metric" else entry
    failed = [{"task": "pictures"}] if gap == "nothing scored" else []
    assert section(example(tmp_path, tasks={"pictures": alone}, failed=failed)) is None
