"""What is said of curves depends on how many labels there were, and not on how they were asked for."""

from dataclasses import replace
from pathlib import Path

import pytest

from bench.analysis.curves import find_curves
from bench.analysis.shifts import shifted_scores
from bench.analysis.tables import Tables
from bench.budget import ALL, Asked, Count, Share
from bench.cell import Result, Scores, ShiftedScore
from bench.report.charts.chart import task_chart
from bench.report.content import contents
from bench.report.html.rendering import write_html
from bench.report.page import write_markdown
from bench.report.sections.robustness import robustness_section
from bench.report.spreadsheets import curves_csv, results_csv
from tests.bench.analysis.drawn import LABELS, around, as_share, drawn_tables
from tests.bench.analysis.measured import measured

SCORES = {
    "scratch": around(0.2, 0.3, 0.5, 0.7, 0.9),
    "linear_probe": around(0.6, 0.62, 0.64, 0.66, 0.68, shift=1),
    "full": around(0.4, 0.6, 0.7, 0.8, 0.92, shift=2),
}


def mixed(amount: int) -> Asked:
    """Ask for every other budget by its number, so that the order of what is asked for is not that of amounts."""
    return Count(amount) if LABELS.index(amount) % 2 else as_share(amount)


@pytest.fixture
def both(tmp_path: Path) -> tuple[Tables, Tables]:
    """Return the same scores with budgets asked for as shares, and mixed."""
    return (drawn_tables(tmp_path / "shares", SCORES), drawn_tables(tmp_path / "mixed", SCORES, ask=mixed))


def test_a_page_says_the_same_but_for_what_was_asked_for(both: tuple[Tables, Tables]) -> None:
    shares, mix = (write_markdown(contents(tables, find_curves(tables))) for tables in both)
    asked = "0.0001, 0.001, 0.01, 0.1, all"
    assert asked in shares
    assert shares.replace(asked, "100, 10000, 0.0001, 0.01, all") == mix


def test_a_chart_places_budgets_by_their_amount(both: tuple[Tables, Tables]) -> None:
    charts = [task_chart(tables, "pictures", find_curves(tables)["pictures"]) for tables in both]
    assert charts[0] == charts[1]
    assert charts[1].stops == LABELS
    assert charts[1].x_title == "number of labelled examples"
    assert charts[1].stop_titles[2] == "1,000 labelled examples"


def test_tables_say_what_was_asked_for_and_what_was_used(both: tuple[Tables, Tables]) -> None:
    _, tables = both
    lines = curves_csv(tables.curves).splitlines()
    assert lines[0].startswith("task,backbone,strategy,budget,amount,")
    first = [line.split(",")[3:5] for line in lines[1:6]]
    assert first == [["100", "100"], ["10000", "10000"], ["0.0001", "10"], ["0.01", "1000"], ["all", "100000"]]
    row = results_csv(tables.cells).splitlines()[1]
    assert row.startswith("pictures,bundled:eyes,scratch,100,0,all,vision,accuracy,,scored,100,")


def test_an_amount_that_is_not_whole_has_its_decimals(tmp_path: Path) -> None:
    tables = measured(
        tmp_path,
        {"scratch": {20: [0.3, 0.4]}, "full": {20: [0.5, 0.6]}},
        revise=lambda one: replace(one, amount=2.5),
    )
    assert [line.split(",")[4] for line in curves_csv(tables.curves).splitlines()[1:]] == ["2.5", "2.5"]
    document = contents(tables, find_curves(tables))
    assert "With 2.5 labelled examples" in write_markdown(document)
    assert "2.5 labelled examples" in write_html(document)


def test_two_ways_to_ask_for_the_same_labels_are_one_point_of_a_curve(tmp_path: Path) -> None:
    asked: dict[int, Asked] = {20: Share(0.1), 199: Count(200), 200: ALL}  # of 200
    scores = {name: {amount: [0.5, 0.6] for amount in asked} for name in ("scratch", "full")}
    [curves] = find_curves(measured(tmp_path, scores, ask=asked))["pictures"]
    assert curves.budgets == [20.0, 200.0]
    assert curves.points["budget"].tolist() == ["0.1", "all", "0.1", "all"]


def test_scores_under_shift_are_shown_at_the_largest_amount(tmp_path: Path) -> None:
    def under_noise(one: Result) -> Result:
        lower = Scores({"accuracy": one.score - 0.1}, {})
        guess = Scores({"accuracy": 0.1}, {})
        return replace(one, shifted=(ShiftedScore("noise", "noise", one.score - 0.1, 0.1, 1.0, lower, guess),))

    tables = measured(
        tmp_path,
        {"scratch": {20: [0.3, 0.4], 100: [0.6, 0.7]}, "full": {20: [0.5, 0.6], 100: [0.8, 0.9]}},
        ask={20: Share(0.1), 100: Count(100)},
        revise=under_noise,
    )
    assert shifted_scores(tables)[["budget", "amount"]].drop_duplicates().to_numpy().tolist() == [
        ["100", 100.0],
        ["0.1", 20.0],
    ]
    section = robustness_section(tables, find_curves(tables))
    assert section is not None
    table = section.sections[0].blocks[0]
    assert "scores with 100 labelled examples" in str(table)
    assert "0.850" in str(table)
    assert "0.350" not in str(table), "which is of scratch with 20"
