"""What `run --variance` tells, by hand."""

from pathlib import Path

import pytest

from bench.analysis.tables import read_tables
from bench.analysis.variance import dominant_stream, variance_sentences, variance_table
from bench.report.document import Table
from bench.report.sections.randomness import randomness_section
from bench.report.spreadsheets import variance_csv
from tests.bench.analysis.example import example
from tests.bench.analysis.measured import Scores, measured

# Of full fine-tuning at 20 labels, from seed 0 on: .50, .54, .52 when all follow the seed.
ORDINARY: Scores = {
    "scratch": {20: [0.3, 0.3, 0.3]},
    "linear_probe": {20: [0.50, 0.54, 0.52]},
    "full": {20: [0.50, 0.54, 0.52]},
}
ALONE: dict[str, Scores] = {
    "subset": {"full": {20: [0.90, 0.10]}, "linear_probe": {20: [0.54, 0.52]}},
    "initialisation": {"full": {20: [0.502, 0.501]}},
    "order": {"full": {20: [0.5000000000000001, 0.50]}},  # a difference of rounding
}


def test_each_stream_has_its_deviation_with_seed_0_of_the_ordinary_cells(tmp_path: Path) -> None:
    table = variance_table(measured(tmp_path, ORDINARY, varied=ALONE))
    own = table[table["strategy"] == "full"].set_index("varied")
    assert own.index.tolist() == ["subset", "initialisation", "order", "all"]
    assert own["n_seeds"].tolist() == [3, 3, 3, 3]
    # .5, .9, .1 deviate by .4; .5, .502, .501 by .001; three times .5 not at all; .50, .54, .52 by .02.
    assert own["deviation"].tolist() == pytest.approx([0.4, 0.001, 0.0, 0.02])
    # Two degrees of freedom: chi-square is exponential with mean 2, its quantiles -2 ln(1 - p) = .0506 and 7.378.
    factors = (2 / 7.3778) ** 0.5, (2 / 0.050636) ** 0.5
    assert own[["lower", "upper"]].to_numpy()[0] == pytest.approx([0.4 * factor for factor in factors], 1e-4)
    assert own[["lower", "upper"]].to_numpy()[2].tolist() == [0.0, 0.0]


def test_a_strategy_has_no_row_for_what_it_does_not_draw_from(tmp_path: Path) -> None:
    table = variance_table(measured(tmp_path, ORDINARY, varied=ALONE))
    assert table.loc[table["strategy"] == "linear_probe", "varied"].tolist() == ["subset", "all"]
    assert "scratch" not in set(table["strategy"])  # nothing of it was varied alone


def test_a_stream_is_named_where_its_interval_lies_above_the_others(tmp_path: Path) -> None:
    tables = measured(tmp_path, ORDINARY, varied=ALONE)
    assert variance_sentences(tables, variance_table(tables), "pictures") == [
        "What moves scores of full fine-tuning most: the subset at 20 labelled examples."
    ]


def test_streams_whose_intervals_overlap_are_not_told_apart(tmp_path: Path) -> None:
    alike = {name: {"full": {20: [0.52, 0.54]}} for name in ALONE}
    tables = measured(tmp_path, ORDINARY, varied=alike)
    table = variance_table(tables)
    assert dominant_stream(table) is None
    assert variance_sentences(tables, table, "pictures") == [
        "What moves scores of full fine-tuning most: not decided at 20 labelled examples."
    ]


def test_what_is_missing_has_no_deviation_and_decides_nothing(tmp_path: Path) -> None:
    gaps: dict[str, Scores] = {**ALONE, "order": {"full": {20: [None, None]}}}
    table = variance_table(measured(tmp_path, ORDINARY, varied=gaps))
    own = table[table["strategy"] == "full"]
    order = own[own["varied"] == "order"]
    assert order["n_seeds"].tolist() == [1]
    assert order[["deviation", "lower", "upper"]].isna().all(axis=None)
    assert dominant_stream(own) is None


def test_without_seed_0_the_other_seeds_are_left(tmp_path: Path) -> None:
    headless = {**ORDINARY, "full": {20: [None, 0.54, 0.52]}}
    table = variance_table(measured(tmp_path, headless, varied=ALONE)).set_index(["strategy", "varied"])
    assert table.loc[("full", "subset"), "n_seeds"] == 2
    assert table.loc[("full", "subset"), "deviation"] == pytest.approx(0.8 / 2**0.5)


def test_an_ordinary_run_has_no_rows(tmp_path: Path) -> None:
    tables = read_tables(example(tmp_path))
    table = variance_table(tables)
    assert table.empty
    assert variance_sentences(tables, table, "pictures") == []


def test_the_file_has_fixed_formats(tmp_path: Path) -> None:
    lines = variance_csv(variance_table(measured(tmp_path, ORDINARY, varied=ALONE))).splitlines()
    assert lines[0] == "task,backbone,strategy,budget,amount,varied,deviation,lower,upper,n_seeds"
    assert "pictures,bundled:eyes,full,0.1,20,initialisation,0.001000,0.000521,0.006285,3" in lines


def test_the_report_has_a_row_for_each_point_and_a_column_for_each_stream(tmp_path: Path) -> None:
    section = randomness_section(measured(tmp_path, ORDINARY, varied=ALONE))
    assert section is not None
    (table,) = (block for block in section.blocks if isinstance(block, Table))
    assert [one.title for one in table.columns[2:]] == ["Labels", "Subset", "Initialisation", "Order", "All"]
    probe, full = table.rows
    assert [one.text for one in probe] == ["Pictures", "linear probe", "20", "0.020", "–", "–", "0.020"]
    assert [one.text for one in full] == ["Pictures", "full fine-tuning", "20", "0.400", "0.001", "0.000", "0.020"]
    assert randomness_section(measured(tmp_path / "plain", ORDINARY)) is None


def test_cells_of_one_stream_count_neither_in_curves_nor_on_the_leaderboard(tmp_path: Path) -> None:
    plain, varied = measured(tmp_path / "plain", ORDINARY), measured(tmp_path / "varied", ORDINARY, varied=ALONE)
    assert varied.curves.equals(plain.curves)
    assert varied.leaderboard.rows.equals(plain.leaderboard.rows)
