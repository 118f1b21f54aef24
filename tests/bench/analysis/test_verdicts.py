"""Whether pretraining helps is judged for a whole page, and corrected for how many strategies there were to choose."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats as reference

from bench.analysis.findings import sentences
from bench.analysis.verdicts import judge_page, tolerance_of
from tests.bench.analysis.drawn import around, drawn_curves
from tests.bench.analysis.example import TASKS

STEPS = np.array([0.02, -0.01, 0.0, -0.015, 0.005])
FLAT = [0.5] * 5
BEHIND = [0.48 + float(step) for step in STEPS]  # by 0.02 with p = 0.031


def test_the_p_value_of_the_cases_below() -> None:
    assert 0.05 / 2 < reference.ttest_1samp(0.02 - STEPS, 0).pvalue < 0.05


def test_a_verdict_is_corrected_for_the_number_of_budgets(tmp_path: Path) -> None:
    once = drawn_curves(tmp_path / "once", {"scratch": [BEHIND], "linear_probe": [FLAT]})
    twice = drawn_curves(tmp_path / "twice", {"scratch": [BEHIND] * 2, "linear_probe": [FLAT] * 2})
    assert judge_page([once]).of(once) == {10: "helps"}
    assert judge_page([twice]).of(twice) == {10: "not decided", 100: "not decided"}
    said = sentences(twice, judge_page([twice]))
    assert "It is not decided at any budget whether pretraining helps." in said


def test_a_verdict_is_corrected_for_all_tasks_of_the_page(tmp_path: Path) -> None:
    alone = drawn_curves(tmp_path / "alone", {"scratch": [BEHIND], "linear_probe": [FLAT]})
    other = drawn_curves(
        tmp_path / "other", {"scratch": around(0.8), "full": around(0.8, shift=2)}, entry=TASKS["series"], chance=1.0
    )
    page = judge_page([alone, other])
    assert page.of(alone) == {10: "not decided"}
    assert page.of(other) == {10: "not decided"}
    certain = replace(other, measured={**other.measured, ("full", 10.0): other.measured["scratch", 10.0].plus(-0.2)})
    assert judge_page([alone, certain]).of(alone) == {10: "helps"}, "what is certain is no burden to the next"


def test_a_verdict_is_corrected_for_how_many_the_winner_was_chosen_from(tmp_path: Path) -> None:
    two = {"scratch": [BEHIND], "linear_probe": [FLAT], "full": [[0.3] * 5]}
    curves = drawn_curves(tmp_path / "two", two)
    assert judge_page([curves]).of(curves) == {10: "not decided"}
    # The loser's side does not pay: of two rivals without weights none wins.
    hurt = {"scratch": [FLAT], "linear_probe": [BEHIND], "full": [[0.3] * 5]}
    curves = drawn_curves(tmp_path / "hurt", hurt)
    assert judge_page([curves]).of(curves) == {10: "hurts"}


def test_no_difference_is_one_that_lies_within_the_tolerance_on_both_sides(tmp_path: Path) -> None:
    # differences deviate by .01 x 1.118 / sqrt(5) = .005 for a spread of .01: t(.95; 4) = 2.132 times that is .0107
    spreads = {0.01: "not decided", 0.005: "makes no difference"}
    for spread, expected in spreads.items():
        scores = {"scratch": around(0.7, spread=spread), "full": around(0.7, spread=spread, shift=1)}
        curves = drawn_curves(tmp_path / str(spread), scores)
        assert judge_page([curves]).of(curves) == {10: expected}


def test_a_clear_difference_within_the_tolerance_still_helps(tmp_path: Path) -> None:
    curves = drawn_curves(tmp_path, {"scratch": around(0.7), "full": around(0.705)})
    assert judge_page([curves]).of(curves) == {10: "helps"}


def test_the_tolerance_is_a_point_of_accuracy_or_a_hundredth_of_the_way_from_the_baseline(tmp_path: Path) -> None:
    accuracy = drawn_curves(tmp_path / "accuracy", {"full": around(0.7)})
    error = drawn_curves(tmp_path / "error", {"full": around(0.7)}, entry=TASKS["series"], chance=1.25)
    assert tolerance_of(accuracy) == 0.01
    assert tolerance_of(error) == pytest.approx(0.0125)


def test_rivals_without_a_network_are_judged_by_themselves(tmp_path: Path) -> None:
    scores = {"scratch": around(0.3), "classical": around(0.8, shift=1), "full": around(0.6)}
    curves = drawn_curves(tmp_path, scores)
    page = judge_page([curves])
    assert (page.of(curves), page.of(curves, "nothing")) == ({10: "helps"}, {10: "hurts"})
