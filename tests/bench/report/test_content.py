"""What a report says: ties and gaps are marked, savings are no guesses, every claim has its verdict."""

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bench.analysis.claims import Claim
from bench.analysis.curves import find_curves
from bench.analysis.horizontal import Crossover, LabelSavings
from bench.analysis.tables import read_tables
from bench.budget import ALL
from bench.report.content import contents
from bench.report.document import Document, Overview, Paragraph, Picture, Section, Table, Value
from bench.report.sections import claims as claims_section
from bench.report.sections.costs import cost_section
from bench.report.sections.savings import crossed, saved
from bench.results.store import Store
from tests.bench.analysis.drawn import drawn_tables
from tests.bench.analysis.example import BACKBONES, STRATEGIES, TASKS, example
from tests.bench.analysis.measured import measured

NAN, INF = float("nan"), float("inf")


def said(store: Store) -> Document:
    tables = read_tables(store)
    return contents(tables, find_curves(tables))


def within(section: Section) -> Iterator[Section]:
    yield section
    for inner in section.sections:
        yield from within(inner)


def section_of(document: Document, anchor: str) -> Section:
    return next(one for outer in document.sections for one in within(outer) if one.anchor == anchor)


def table_of(section: Section, place: int = 0) -> Table:
    return [block for block in section.blocks if isinstance(block, Table)][place]


def column(table: Table, title: str) -> list[Value]:
    place = [one.title for one in table.columns].index(title)
    return [row[place] for row in table.rows]


def words(value: Value) -> str:
    return " ".join((value.text, *(detail for detail in value.details if detail))).replace("\N{NO-BREAK SPACE}", " ")


def test_the_leaderboard_says_ranks_areas_and_cells_with_their_intervals(tmp_path: Path) -> None:
    table = table_of(section_of(said(example(tmp_path)), "leaderboard"))
    assert [one.title for one in table.columns[:2]] == ["Rank", "Strategy"]
    assert {words(one) for one in column(table, "Strategy")[:2]} == {  # each leads on one of two tasks
        "full fine-tuning tied for best",
        "linear probe tied for best",
    }
    assert all("[" in words(one) for one in (*column(table, "Rank"), *column(table, "Win rate")))
    assert [words(one) for one in column(table, "Cells scored")] == ["12 of 12"] * len(STRATEGIES)
    assert [one.mark for one in column(table, "Pictures")].count("best") == 1


def test_the_leaderboard_shows_failed_and_missing_cells(tmp_path: Path) -> None:
    gaps = {"failed": [{"strategy": "full", "budget": ALL}], "not_run": [{"strategy": "scratch", "seed": 2}]}
    section = section_of(said(example(tmp_path, **gaps)), "leaderboard")  # type: ignore[arg-type]  # lists of mappings
    table = table_of(section)
    cells = dict(zip((one.text for one in column(table, "Strategy")), column(table, "Cells scored"), strict=True))
    assert words(cells["full fine-tuning"]) == "6 of 12 6 failed"
    assert words(cells["scratch"]) == "8 of 12 4 not run"
    assert {one.mark for one in column(table, "Win rate")} >= {"missing", "best"}
    assert any(isinstance(block, Paragraph) and "no area" in block.text for block in section.blocks)


def test_an_untrained_backbone_is_not_called_pretrained(tmp_path: Path) -> None:
    backbones = {name: replace(card, trained=name != "bundled:eyes") for name, card in BACKBONES.items()}
    words_of = str(section_of(said(example(tmp_path, backbones=backbones)), "curves"))
    assert "Untrained: Eyes (1.2 M parameters)." in words_of
    assert "Pretrained: Eyes" not in words_of
    assert "Pretrained: Clock" in words_of


def test_a_caption_says_what_its_intervals_are_of(tmp_path: Path) -> None:
    assert "mean of 3 seeds with its 95 % interval" in str(section_of(said(example(tmp_path / "three")), "curves"))
    lone = measured(tmp_path / "lone", {"full": {20: [0.7]}}, revise=lambda one: replace(one, folds=5, n_train=160.0))
    assert "mean of 1 seed, without an interval" in str(contents(lone, find_curves(lone)))


def test_strategies_that_cannot_be_told_from_the_best_are_marked_as_tied(tmp_path: Path) -> None:
    store = example(tmp_path, tasks={"pictures": TASKS["pictures"]}, strategies=("scratch", "one", "another"))
    rows = [words(one) for one in column(table_of(section_of(said(store), "leaderboard")), "Strategy")]
    assert sorted(rows) == ["another tied for best", "one tied for best", "scratch"]


@pytest.mark.parametrize(
    ("one", "text"),
    [
        (LabelSavings("full", "scratch", 40, "exactly", 204.0, 5.1, 3.9, 7.0), "5.1 × [3.9, 7] full fine-tuning; 200"),
        (LabelSavings("full", "scratch", 40, "at least", 400.0, 10.0, 7.5, INF), "more than 10 × [7.5 or more]"),
        (
            LabelSavings("full", "scratch", 54, "at least", 5390.0, 99.8, 99.8, INF),
            "more than 99 × [99 or more] full fine-tuning; more than 5,390 labels",
        ),
        (LabelSavings("full", "scratch", 40, "at most", 20.0, 0.5, -INF, 0.7), "at most 0.5 × [0.7 or less]"),
        (LabelSavings("full", "scratch", 40, "exactly", 80.0, 2.0, NAN, NAN), "2 × full fine-tuning; 80 labels"),
    ],
)
def test_label_savings_say_what_was_measured_and_what_is_open(one: LabelSavings, text: str) -> None:
    assert words(saved(one)).startswith(text)
    assert saved(one).mark == ("good" if one.lower > 1 else "bad" if one.upper < 1 else "")


@pytest.mark.parametrize(
    ("one", "text"),
    [
        (Crossover("full", "scratch", "from", 120.0, 80.0, 160.0), "from 120 [80, 160]"),
        (Crossover("full", "scratch", "none in the range", NAN, 400.0, INF), "none in the range [400 or more]"),
        (Crossover("full", "scratch", "everywhere", 10.0, -INF, INF), "everywhere [not decided]"),
        (Crossover("full", "scratch", "from", 120.0, NAN, NAN), "from 120 [not decided]"),
    ],
)
def test_crossovers_say_where_or_that_there_is_none(one: Crossover, text: str) -> None:
    assert words(crossed(one)) == text


def test_a_caption_promises_no_interval_where_none_is_shown(tmp_path: Path) -> None:
    few = drawn_tables(tmp_path / "few", {"full": [[0.7, 0.8]]}, moved={"full": [0.01, -0.01, 0.0]})
    enough = drawn_tables(tmp_path / "enough", {"full": [[0.7, 0.8]]})
    captions = {"mean of 2 seeds, without an interval": few, "mean of 2 seeds with its 95 % interval": enough}
    for caption, tables in captions.items():
        document = contents(tables, find_curves(tables))
        blocks = [block for outer in document.sections for one in within(outer) for block in one.blocks]
        notes = [block.text for block in blocks if isinstance(block, Paragraph) and block.note]
        assert any(f"; {caption}. " in note for note in notes)


OF_EXAMPLE = (("pictures", "bundled:eyes"), ("series", "bundled:clock"))
"""The tasks of the example, each with its backbone."""


def test_every_claim_has_a_verdict_for_every_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    claims = [
        Claim("scores", "Better scores", "supported", "By 0.1."),
        Claim("labels", "Fewer labels", "not decided", "No number."),
    ]
    monkeypatch.setattr(claims_section, "claims_of", lambda *_: dict.fromkeys(OF_EXAMPLE, claims))
    section = section_of(said(example(tmp_path)), "claims")
    verdicts, details = table_of(section), table_of(section, 1)
    assert [one.title for one in verdicts.columns] == ["Claim", "Pictures", "Series", "Supported"]
    assert [[one.text for one in row] for row in verdicts.rows] == [
        ["Better scores", "supported", "supported", "2 of 2"],
        ["Fewer labels", "not decided", "not decided", "0 of 2"],
    ]
    assert {one.text for one in column(details, "Measured")} == {"By 0.1.", "No number."}
    assert len(details.rows) == 4


def test_a_report_without_claims_has_no_section_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims_section, "claims_of", lambda *_: {})
    assert "claims" not in {section.anchor for section in said(example(tmp_path)).sections}


def test_costs_stand_beside_scores_as_table_and_chart(tmp_path: Path) -> None:
    tables = read_tables(example(tmp_path))
    section = cost_section(tables, find_curves(tables))
    assert section is not None
    table = table_of(section)
    probe = next(row for row in table.rows if row[0].text == "linear probe")
    charged = [one.title for one in table.columns].index("Own and shared, median")
    assert probe[charged].text == "5.8 s"  # 1.5 of its own, 4.25 shared
    pictures = [block for one in section.sections for block in one.blocks if isinstance(block, Picture)]
    assert [len(picture.chart.lines) for picture in pictures] == [3, 3]
    assert all(point.x > 0 for picture in pictures for line in picture.chart.lines for point in line.points)


def test_a_single_task_has_no_overview(tmp_path: Path) -> None:
    several = section_of(said(example(tmp_path / "two")), "curves")
    assert [len(block.charts) for block in several.blocks if isinstance(block, Overview)] == [2]
    single = section_of(said(example(tmp_path / "one", tasks={"pictures": TASKS["pictures"]})), "curves")
    assert single.blocks == ()


def test_every_failed_cell_is_told_with_its_reason(tmp_path: Path) -> None:
    table = table_of(section_of(said(example(tmp_path, failed=[{"seed": 1}])), "missing"))
    assert sum(one.order or 0 for one in column(table, "Cells")) == 12
    assert {one.text for one in column(table, "Seeds")} == {"1"}
    assert {one.text for one in column(table, "Label budgets")} == {"0.1, all"}
    assert {one.text for one in column(table, "Reason")} == {"=cmd() | <script>alert(1)</script>"}


def test_numbers_that_sort_are_those_that_are_said(tmp_path: Path) -> None:
    for outer in said(example(tmp_path)).sections:
        for section in within(outer):
            for block in section.blocks:
                if isinstance(block, Table):
                    orders = [value.order for row in block.rows for value in row if value.order is not None]
                    assert all(math.isfinite(order) for order in orders)
