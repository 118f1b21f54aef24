"""The section on scores under shift, by hand."""

from pathlib import Path

from bench.analysis.curves import find_curves
from bench.analysis.tables import read_tables
from bench.report.document import Paragraph, Table
from bench.report.sections.robustness import robustness_section
from bench.report.writing import write_report
from bench.results.store import Store
from tests.bench.analysis.example import example
from tests.bench.analysis.measured import measured
from tests.bench.analysis.test_shifts import SCORES, under_noise_and_blur


def test_each_strategy_has_its_plain_score_and_that_under_each_shift_at_the_largest_budget(tmp_path: Path) -> None:
    tables = measured(tmp_path, SCORES, revise=under_noise_and_blur)
    section = robustness_section(tables, find_curves(tables))
    assert section is not None
    (task,) = section.sections
    table, note = task.blocks
    assert isinstance(table, Table)
    assert isinstance(note, Paragraph)
    assert "200" in table.caption
    assert [one.title for one in table.columns] == ["Strategy", "Plain", "Noise", "Blur"]
    assert [[one.text for one in row] for row in table.rows] == [["full fine-tuning", "0.900", "0.800", "0.900"]]
    assert note.text == "Noise: =noise (chance 0.200); Blur: blur (chance 0.100)."


def test_intervals_stand_beside_means(tmp_path: Path) -> None:
    scores = {name: {20: curve[20]} for name, curve in SCORES.items()}
    tables = measured(tmp_path, scores, revise=under_noise_and_blur)
    section = robustness_section(tables, find_curves(tables))
    assert section is not None
    table = section.sections[0].blocks[0]
    assert isinstance(table, Table)
    assert [row[0].text for row in table.rows] == ["scratch", "full fine-tuning"]
    assert table.rows[1][2].details == ("[0.701,\xa00.958]",)  # worked out in the tests of shifts


def test_the_files_are_there_where_there_is_something_to_say(tmp_path: Path) -> None:
    measured(tmp_path / "shifted", SCORES, varied={"order": {"full": {20: [0.1]}}}, revise=under_noise_and_blur)
    write_report(Store(tmp_path / "shifted"))
    assert {"shifts.csv", "variance.csv"} <= {path.name for path in (tmp_path / "shifted").iterdir()}
    tables = read_tables(example(tmp_path / "plain"))
    assert robustness_section(tables, find_curves(tables)) is None
    write_report(Store(tmp_path / "plain"))
    assert not {"shifts.csv", "variance.csv"} & {path.name for path in (tmp_path / "plain").iterdir()}
