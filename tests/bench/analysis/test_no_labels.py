"""Scores without a label stand in every table, and nothing is read off a logarithm or as a multiple of them."""

import math
from pathlib import Path

import pytest

from bench.analysis.claims import claims_of
from bench.analysis.curves import Curves, find_curves
from bench.analysis.extrapolation import more_labels_of
from bench.analysis.findings import sentences
from bench.analysis.horizontal import crossovers_of, label_savings_of
from bench.analysis.tables import Tables
from bench.analysis.verdicts import judge_page
from bench.budget import Asked, Count
from bench.report.writing import write_report
from bench.results.store import Store
from tests.bench.analysis.drawn import LABELS, Scores, around, drawn_tables

SCORES: Scores = {
    "scratch": around(0.2, 0.5, 0.8, 0.85),
    "classical": around(0.3, 0.5, 0.6, 0.65),
    "linear_probe": around(0.6, 0.7, 0.75, 0.8),
    "full": around(0.4, 0.7, 0.9, 0.92),
}
NOTHING = [math.nan] * 5
AT_NONE: Scores = {"linear_probe": around(0.55), "classical": around(0.1)}
WITH_NONE: Scores = {name: [*AT_NONE.get(name, [NOTHING]), *budgets] for name, budgets in SCORES.items()}


def ask(amount: int) -> Asked:
    """Return how that many labels are asked for."""
    return Count(amount)


@pytest.fixture
def without(tmp_path: Path) -> Tables:
    """Return the tables of a run with labels."""
    return drawn_tables(tmp_path / "without", SCORES, ask=ask)


@pytest.fixture
def with_none(tmp_path: Path) -> Tables:
    """Return those of the same run with a budget of 0 beside, which the probe and the classical model have."""
    return drawn_tables(tmp_path / "with none", WITH_NONE, ask=ask, labels=(0, *LABELS))


def curves_of(tables: Tables) -> Curves:
    return find_curves(tables)["pictures"][0]


def test_what_is_read_along_a_logarithm_is_what_it_is_without_the_budget_of_none(
    without: Tables, with_none: Tables
) -> None:
    ours, theirs = curves_of(with_none), curves_of(without)
    assert ours.budgets == [0, *theirs.budgets]
    assert label_savings_of(ours) == label_savings_of(theirs)
    assert repr(crossovers_of(ours)) == repr(crossovers_of(theirs)), "nan is told as nan"
    ours_more, theirs_more = (
        {found.strategy: found.doubled_score for found in more_labels_of([curves])["pictures", "bundled:eyes"]}
        for curves in (ours, theirs)
    )
    assert ours_more == pytest.approx(theirs_more)
    ours_said, theirs_said = (claims_of(tables, find_curves(tables)) for tables in (with_none, without))
    assert ours_said == theirs_said


def test_areas_of_curves_with_labels_do_not_change(without: Tables, with_none: Tables, tmp_path: Path) -> None:
    both = {"linear_probe", "classical"}
    some = drawn_tables(tmp_path / "some", {name: WITH_NONE[name] for name in both}, ask=ask, labels=(0, *LABELS))
    plain = drawn_tables(tmp_path / "plain", {name: SCORES[name] for name in both}, ask=ask)
    ours, theirs = (tables.leaderboard.areas["pictures"].tolist() for tables in (some, plain))
    assert ours == theirs


def test_the_first_sentence_says_what_to_do_without_a_label(with_none: Tables) -> None:
    curves = curves_of(with_none)
    said = sentences(curves, judge_page([curves]))
    assert "With 0 labelled examples, use a linear probe: 0.550" in " ".join(said)


def test_a_report_is_written_of_a_budget_of_none_beside_others_and_alone(tmp_path: Path) -> None:
    alone = {name: WITH_NONE[name][:1] for name in ("linear_probe", "classical")}
    for name, scores in (("beside", WITH_NONE), ("alone", alone)):
        drawn_tables(tmp_path / name, scores, ask=ask, labels=(0, *LABELS))
        write_report(Store(tmp_path / name))
        page = (tmp_path / name / "report.md").read_text()
        assert "A budget of 0 has no logarithm" in page
        assert "| Strategy | 0 |" in page
        assert "nan" not in (tmp_path / name / "charts/pictures.svg").read_text()
