"""Theta forecasts are those of statsmodels, in closed form, and bear constants, short pasts and no season."""

import numpy as np
import pytest
from numpy.typing import NDArray
from statsmodels.tsa.forecasting.theta import ThetaModel
from statsmodels.tsa.seasonal import seasonal_decompose

from bench.domains.series.raw import Windows
from bench.rivals.series import CHUNK, forecast, seasonal_profile, seasonal_theta, theta


def walks(n: int, length: int, season: int) -> NDArray[np.float64]:
    """Return seasonal series that wander and drift, [n, length]."""
    generator = np.random.default_rng(season)
    levels = np.cumsum(generator.normal(0.1, 0.3, size=(n, length)), axis=1)
    cycle = 3 * np.sin(2 * np.pi * np.arange(length) / season)
    series: NDArray[np.float64] = levels + cycle + generator.normal(0, 1, size=(n, length))
    return series


@pytest.mark.parametrize(("season", "length"), [(12, 96), (7, 60), (24, 200)])
def test_forecasts_are_those_of_statsmodels(season: int, length: int) -> None:
    past = walks(8, length, season)
    ours = seasonal_theta(past, season, 20)
    for row, series in zip(ours, past, strict=True):
        theirs = ThetaModel(series, period=season, method="additive", use_test=False).fit().forecast(20)
        assert np.abs(row - theirs).max() < 0.05 * series.std()


@pytest.mark.parametrize(("season", "length"), [(12, 96), (7, 60), (52, 110)])
def test_the_season_is_that_of_classical_decomposition(season: int, length: int) -> None:
    past = walks(3, length, season)
    for profile, series in zip(seasonal_profile(past, season), past, strict=True):
        expected = seasonal_decompose(series, period=season).seasonal[:season]
        np.testing.assert_allclose(profile, expected, atol=1e-9)


def test_a_worked_case_of_theta() -> None:
    # Of 0, 2, 4 the slope is 2, half of it the drift. Smoothing by 1/2 from 0 on: levels 0, 1, 2.5. The drift that was
    # missed is 1 x (1 - 1/8) / (1/2) = 1.75, and each further step adds 1.
    np.testing.assert_allclose(theta(np.array([[0.0, 2.0, 4.0]]), 3, smoothing=[0.5]), [[4.25, 5.25, 6.25]])


def test_with_one_and_a_half_cycles_a_season_on_a_line_goes_on() -> None:
    season, length = 8, 12
    line = 0.5 * np.arange(length + 6)
    series = line + np.tile([3.0, -1.0, 0.0, 2.0, -4.0, 1.0, -2.0, 1.0], 3)[: length + 6]
    [ahead] = seasonal_theta(series[None, :length], season, 6)
    drifted = ahead - series[length:]
    # Theta goes on by half the slope, and everything else is exact.
    np.testing.assert_allclose(np.diff(drifted), -0.25, atol=1e-9)
    assert abs(drifted[0]) < 0.5


def test_with_a_single_cycle_it_is_the_seasonal_naive_forecast() -> None:
    past = np.array([[5.0, -1.0, 2.0, 2.0]])
    np.testing.assert_allclose(seasonal_theta(past, 4, 6), past[:, [0, 1, 2, 3, 0, 1]])


@pytest.mark.parametrize(("context", "season"), [(1, 1), (2, 1), (3, 7), (24, 12), (30, 24)])
@pytest.mark.parametrize("value", [0.0, -3.5, 1e6])
def test_a_constant_past_stays_constant(value: float, context: int, season: int) -> None:
    raw = Windows(np.full((2, context), value), season, np.ones(2))
    np.testing.assert_allclose(forecast(raw, 5), np.full((2, 5), value), rtol=1e-6)


def test_windows_are_forecast_each_by_itself() -> None:
    past = walks(CHUNK + 2, 30, 5)
    raw = Windows(past, 5, np.ones(len(past)))
    together = forecast(raw, 4)
    assert together.dtype == np.float64
    np.testing.assert_allclose(together[-2:], forecast(raw.take(np.array([CHUNK, CHUNK + 1])), 4), rtol=1e-6)
