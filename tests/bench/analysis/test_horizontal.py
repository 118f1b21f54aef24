"""Curves read horizontally: labels saved and crossings, of every budget and every two strategies."""

import math
from pathlib import Path

import pytest

from bench.analysis.horizontal import Crossover, crossover_of, crossovers_of, label_savings_of, learned_something
from tests.bench.analysis.drawn import around, drawn_curves
from tests.bench.analysis.example import TASKS

GAP = [math.nan] * 5


def test_savings_are_those_of_the_best_pretrained_strategy_at_every_budget_against_each_rival(tmp_path: Path) -> None:
    curves = drawn_curves(
        tmp_path,
        {
            "scratch": around(0.3, 0.5, 0.7),
            "classical": around(0.4, 0.6, 0.8),
            "linear_probe": around(0.6, 0.65, 0.7),
            "full": around(0.5, 0.7, 0.9),
        },
    )
    found = label_savings_of(curves)
    assert [(one.ours, one.theirs, one.amount) for one in found] == [
        (ours, theirs, amount)
        for theirs in ("scratch", "classical")
        for ours, amount in (("linear_probe", 10), ("full", 100), ("full", 1000))
    ]
    # 0.6 lies half way between 100 and 1,000 labels of scratch. All curves move alike, so that nothing is unsure but
    # the steps of an accuracy of 100,000 examples: 2.07 x sqrt(2) / 100,000 of .2 per power of ten.
    first = found[0]
    assert [first.needed, first.ratio] == pytest.approx([10**2.5, 10**1.5])
    assert [first.lower, first.upper] == pytest.approx([10 ** (1.5 - 0.000146), 10 ** (1.5 + 0.000146)], rel=1e-5)
    assert (first.kind, found[2].kind, found[2].lower, found[2].upper) == ("exactly", "at least", 1, math.inf)


def test_an_error_is_saved_as_an_accuracy_is(tmp_path: Path) -> None:
    curves = drawn_curves(
        tmp_path, {"scratch": around(0.7, 0.5, 0.3), "full": around(0.4, 0.3, 0.2)}, entry=TASKS["series"], chance=1.0
    )
    assert label_savings_of(curves)[0].ratio == pytest.approx(10**1.5)


def test_crossovers_ask_from_where_the_dearer_of_two_strategies_wins(tmp_path: Path) -> None:
    curves = drawn_curves(
        tmp_path,
        {
            "scratch": around(0.2, 0.5, 0.6),
            "classical": around(0.4, 0.5, 0.6),
            "linear_probe": around(0.5, 0.6, 0.7),
            "full": around(0.3, 0.6, 0.9),
        },
    )
    found = {(one.ours, one.theirs): one for one in crossovers_of(curves)}
    assert list(found) == [
        ("linear_probe", "classical"),
        ("full", "classical"),
        ("scratch", "classical"),
        ("full", "linear_probe"),
        ("scratch", "linear_probe"),
        ("scratch", "full"),
    ]
    assert found["linear_probe", "classical"] == Crossover("linear_probe", "classical", "everywhere", 10, -math.inf, 10)
    # 0.1 behind at 10 labels, 0.1 ahead at 100
    assert found["full", "classical"].amount == pytest.approx(10**1.5)
    assert found["scratch", "linear_probe"].kind == "none in the range"


def test_a_crossover_needs_seeds_and_budgets_that_both_have(tmp_path: Path) -> None:
    curves = drawn_curves(
        tmp_path,
        {
            "linear_probe": [*around(0.5, 0.6), GAP],
            "partial": [[0.5, *GAP[1:]], [0.7, *GAP[1:]], GAP],
            "full": [GAP, GAP, *around(0.9)],
        },
    )
    assert crossover_of(curves, "full", "linear_probe") is None
    alone = crossover_of(curves, "partial", "linear_probe")
    assert alone is not None
    assert math.isnan(alone.lower)
    assert alone.kind == "everywhere"


def test_a_rival_has_learned_something_where_it_clearly_beats_the_baseline_and_uses_its_labels(tmp_path: Path) -> None:
    curves = drawn_curves(
        tmp_path,
        {
            "scratch": around(0.09, 0.102, 0.105),  # .105 less 2.132 x .0035 is below chance, .1
            "classical": around(0.4, 0.4, 0.4),  # the same with any number of labels
            "linear_probe": around(0.1, 0.2, 0.1),  # once
            "full": around(0.6, 0.7, 0.8),
        },
    )
    assert {name: learned_something(curves, name) for name in curves.by_cost} == {
        "classical": False,
        "linear_probe": True,
        "full": True,
        "scratch": False,
    }
    assert label_savings_of(curves) == []


def test_an_error_above_that_of_the_baseline_is_nothing_learned(tmp_path: Path) -> None:
    scores = {"scratch": around(1.3, 1.2), "full": around(0.9, 0.8)}
    curves = drawn_curves(tmp_path, scores, entry=TASKS["series"], chance=1.0)
    assert not learned_something(curves, "scratch")
    assert learned_something(curves, "full")
