"""Scores, chance and losses are what a hand calculation or an independent implementation says."""

import numpy as np
import pytest
import torch

from bench.domain import Texts, Windows
from bench.subsets.seeds import stream
from bench.target import Classes, Horizon

CLASSES = Classes(("a", "b", "c"))
WORDS = Texts(("x",) * 4)


def test_accuracy_counts_the_largest_output() -> None:
    outputs = np.array([[3, 1, 0], [0, 2, 1], [0, 0, 1], [9, 0, 0]], dtype=np.float32)
    assert CLASSES.score(outputs, np.array([0, 1, 2, 2]), WORDS) == 0.75


def test_chance_is_what_the_best_constant_answer_gets() -> None:
    assert CLASSES.chance(np.array([0, 0, 0, 1]), WORDS) == 0.75


def test_the_loss_of_classes_is_torchs_cross_entropy() -> None:
    outputs, labels = torch.randn(5, 3, generator=torch.Generator().manual_seed(0)), torch.tensor([0, 1, 2, 0, 1])
    expected = torch.nn.functional.cross_entropy(outputs, labels)
    torch.testing.assert_close(CLASSES.loss(outputs, labels), expected)
    smoothed = torch.nn.functional.cross_entropy(outputs, labels, label_smoothing=0.1)
    torch.testing.assert_close(Classes(CLASSES.names, smoothing=0.1).loss(outputs, labels), smoothed)


def test_folds_need_two_examples_of_every_class() -> None:
    assert CLASSES.folds(np.array([0, 0, 1, 1, 2]), stream(0, "folds")) is None
    folds = CLASSES.folds(np.array([0, 0, 1, 1, 2, 2]), stream(0, "folds"))
    assert folds is not None
    assert set(folds.tolist()) == {0, 1}


def windows(season: int = 4) -> tuple[Windows, np.ndarray]:
    """Return windows of a saw-tooth of period 4 that climbs by 1 a season, and their next 6 steps."""
    series = (np.arange(40) % 4 + np.arange(40) // 4).astype(np.float32)
    past = np.lib.stride_tricks.sliding_window_view(series, 14)
    return Windows(past[:, :8].copy(), season=season, unit=np.ones(len(past))), past[:, 8:].copy()


def test_chance_of_a_forecast_is_the_last_season_once_more() -> None:
    raw, future = windows()
    # Each season is 1 higher than the one before: off by 1 for four steps, by 2 for the next two.
    assert Horizon(6).chance(future, raw) == pytest.approx((4 * 1 + 2 * 2) / 6)


def test_mase_counts_errors_in_units_of_the_seasonal_difference() -> None:
    raw, future = windows()
    halved = Windows(raw.past, season=4, unit=np.full(len(raw), 2.0))
    assert Horizon(6).score(future + 3, future, raw) == pytest.approx(3)
    assert Horizon(6).score(future + 3, future, halved) == pytest.approx(1.5)


def test_a_window_is_learnt_on_the_scale_of_its_own_past() -> None:
    raw, future = windows()
    moved = Windows(raw.past * 10 + 500, season=4, unit=np.full(len(raw), 10.0))
    np.testing.assert_allclose(
        Horizon(6).encode(future * 10 + 500, moved), Horizon(6).encode(future, raw), rtol=1e-3, atol=1e-3
    )


def test_a_constant_past_can_be_learnt_from_too() -> None:
    raw = Windows(np.full((2, 8), 7, dtype=np.float32), season=4, unit=np.full(2, 2.0))
    encoded = Horizon(6).encode(np.full((2, 6), 9, dtype=np.float32), raw)
    np.testing.assert_allclose(encoded, 1.0)


def test_a_budget_of_windows_is_the_most_recent_ones() -> None:
    assert Horizon(6).budget_order(np.zeros((5, 6), dtype=np.float32), stream(0, "subset"))[:3].tolist() == [4, 3, 2]


@pytest.mark.parametrize(("windows", "enough"), [(1, False), (70, False), (80, True), (1480, True)])
def test_folds_of_windows_need_more_than_what_overlaps(windows: int, enough: bool) -> None:  # noqa: FBT001
    folds = Horizon(24).folds(np.zeros((windows, 24), dtype=np.float32), stream(0, "folds"))
    assert (folds is not None) == enough


def two_series() -> tuple[Windows, np.ndarray]:
    """Return one window of each of two series, whose units are 1 and 10, and futures of zeros."""
    return Windows(np.ones((2, 8), dtype=np.float32), season=4, unit=np.array([1.0, 10.0])), np.zeros(
        (2, 2), np.float32
    )


def test_each_series_errors_are_counted_in_its_own_unit() -> None:
    raw, future = two_series()
    forecasts = np.array([[1, 2], [10, -30]], dtype=np.float32)
    assert Horizon(2).score(forecasts, future, raw) == pytest.approx((1 + 2 + 1 + 3) / 4)
    assert Horizon(2, error="mse").score(forecasts, future, raw) == pytest.approx((1 + 4 + 1 + 9) / 4)


def test_the_metric_says_which_error_is_meant() -> None:
    assert (Horizon(2).metric.name, Horizon(2, error="mse").metric.name) == ("mase", "mse")


def test_windows_that_are_taken_keep_their_unit() -> None:
    raw, future = two_series()
    last = np.array([1])
    assert Horizon(2).score(future[last] + 5, future[last], raw.take(last)) == pytest.approx(0.5)
    assert raw.take(last).columns() != Windows(raw.past[last], season=4, unit=np.ones(1)).columns()


def test_whose_unit_is_whose_is_part_of_the_content() -> None:
    raw, _ = two_series()
    assert raw.columns() != Windows(raw.past, season=4, unit=raw.unit[::-1].copy()).columns()


def test_a_constant_past_of_each_series_is_scaled_by_its_own_unit() -> None:
    raw, future = two_series()
    np.testing.assert_allclose(Horizon(2).encode(future + 11, raw), [[10, 10], [1, 1]])


def test_windows_of_several_series_overlap_as_many_times_as_many() -> None:
    assert Horizon(24, side_by_side=7).overlap == 23 * 7
    labels = np.zeros((400, 24), dtype=np.float32)
    assert Horizon(24).folds(labels, stream(0, "folds")) is not None
    assert Horizon(24, side_by_side=7).folds(labels, stream(0, "folds")) is None


def test_horizons_as_long_are_one_however_errors_are_counted() -> None:
    assert Horizon(24) == Horizon(24, error="mse", side_by_side=7) != Horizon(25)
