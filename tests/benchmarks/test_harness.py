"""Sides take turns, and what comes of a pair stays a pair. Nothing here times anything."""

import pytest

from benchmarks.harness import Settings, medians, ratio, side_by_side, spread


def test_sides_take_turns_in_the_order_given() -> None:
    turns: list[str] = []

    def side(name: str) -> float:
        turns.append(name)
        return 1.0

    side_by_side({"floor": lambda: side("floor"), "ours": lambda: side("ours")}, repetitions=2)
    assert turns == ["floor", "ours", "floor", "ours"]


def test_a_warm_up_turn_counts_for_nothing() -> None:
    told = iter([100.0, 1.0, 2.0])
    assert side_by_side({"ours": lambda: next(told)}, repetitions=2, warm_up=True) == {"ours": [1.0, 2.0]}


def test_ratios_are_taken_pair_by_pair() -> None:
    """On a machine that slowed down tenfold for one pair, the ratio stays; that of the sums would not."""
    found = ratio({"floor": [1.0, 10.0, 1.0], "ours": [2.0, 20.0, 4.0]}, "ours", "floor")
    assert found == (2.0, 2.0, 4.0)


def test_spread_is_median_least_and_greatest() -> None:
    assert spread([3.0, 1.0, 2.0, 10.0]) == (2.5, 1.0, 10.0)


def test_sides_with_different_numbers_of_turns_are_no_pairs() -> None:
    with pytest.raises(ValueError, match="zip"):
        ratio({"floor": [1.0], "ours": [1.0, 2.0]}, "ours", "floor")


def test_a_quick_sample_takes_one_pair() -> None:
    assert Settings("cpu", quick=True).repetitions(7) == 1
    assert Settings("cpu", quick=False).repetitions(7) == 7


def test_medians_name_every_side() -> None:
    assert medians({"floor": [1.0, 3.0], "ours": [4.0, 4.0]}) == "floor 2 s, ours 4 s (2 turns each)"
