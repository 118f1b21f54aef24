"""The classical model of series is the one that does best at the end of the budget's own history."""

from pathlib import Path

import numpy as np
import pytest
from bench_tasks.bundled.series import Co2, ElNino
from numpy.typing import NDArray
from statsmodels.tsa.exponential_smoothing.ets import ETSModel

from bench.budget import ALL, Asked, Count
from bench.column import dense
from bench.context import Context
from bench.domains.series.raw import Windows
from bench.planning.budgets import Budgets
from bench.rivals.forecasters import Autoregression, HistoryMeans
from bench.rivals.smoothing import GRID, holt_winters
from bench.rivals.smoothing import _smooth as smooth
from bench.runtime.cache import Cache
from bench.strategies.classical import Classical
from bench.targets.forecast import Forecast
from bench.task import Examples, Split, Task

Doubles = NDArray[np.float64]


def walk(length: int, season: int) -> Doubles:
    generator = np.random.default_rng(season)
    wave = 3 * np.sin(2 * np.pi * np.arange(length) / season)
    found: Doubles = np.cumsum(generator.normal(0.1, 0.3, length)) + wave + generator.normal(0, 1, length)
    return found


@pytest.mark.parametrize("weights", [GRID[10], GRID[40], (0.4, 0.5, 0.3, 0.9)])
@pytest.mark.parametrize("season", [4, 12])
def test_exponential_smoothing_is_that_of_statsmodels(season: int, weights: tuple[float, float, float, float]) -> None:
    series = walk(80, season)
    of_level, of_trend, of_season, damping = weights
    level, trend = series[:season].mean(), (series[season : 2 * season].mean() - series[:season].mean()) / season
    model = ETSModel(
        series[season:],
        error="add",
        trend="add",
        damped_trend=True,
        seasonal="add",
        seasonal_periods=season,
        initialization_method="known",
        initial_level=level + trend * (season - 1) / 2,
        initial_trend=trend,
        initial_seasonal=series[:season] - level - trend * (np.arange(season) - (season - 1) / 2),
    )
    theirs = model.smooth(np.array([of_level, of_level * of_trend, of_season * (1 - of_level), damping])).forecast(15)
    np.testing.assert_allclose(smooth(series[None], season, 15, weights)[0][0], theirs, rtol=1e-9)


def test_each_window_is_smoothed_with_what_errs_least_on_it() -> None:
    past = np.stack([walk(60, 6), np.cumsum(walk(60, 7)), np.tile(walk(6, 6), 10)])
    errors = np.stack([smooth(past, 6, 4, one)[1] for one in GRID])
    for row, best in enumerate(errors.argmin(axis=0)):
        np.testing.assert_allclose(holt_winters(past, 6, 4)[row], smooth(past, 6, 4, GRID[best])[0][row])
    np.testing.assert_allclose(holt_winters(past, 6, 4)[2], past[2, :4], atol=1e-9, err_msg="a cycle goes on")
    np.testing.assert_allclose(holt_winters(np.full((1, 5), 2.0), 12, 3), 2.0)


def windows(values: Doubles, context: int, steps: int, season: int) -> tuple[Windows, Doubles]:
    cut = np.lib.stride_tricks.sliding_window_view(values, context + steps)
    return Windows(cut[:, :context].copy(), season, np.ones(len(cut))), cut[:, context:].copy()


def test_an_autoregression_finds_the_one_that_the_series_is() -> None:
    season, values = 3, np.zeros(300)
    values[:3] = [1.0, -2.0, 0.5]
    shocks = np.random.default_rng(0).normal(size=300)
    for step in range(4, 300):
        change = values[step - 1] - values[step - 4]
        values[step] = values[step - 3] + 0.6 * change + shocks[step]
    raw, futures = windows(values, 24, 6, season)
    forecast = Autoregression().learn(raw, futures, np.arange(len(raw)))
    assert forecast is not None
    ahead = forecast(raw.take(np.array([200])))[0]
    past = [*raw.past[200]]
    for _ in range(6):
        past.append(past[-3] + 0.6 * (past[-1] - past[-4]))
    assert np.abs(ahead - past[-6:]).max() < 0.6


def test_a_history_without_any_change_from_season_to_season_has_no_autoregression() -> None:
    for values in (np.full(60, 7.0), np.tile([5.0, 1.0, 9.0], 20)):
        raw, futures = windows(values, 24, 6, 3)
        assert Autoregression().learn(raw, futures, np.arange(len(raw))) is None


def test_means_of_a_history_know_its_place_in_the_cycle_and_other_series_have_their_own() -> None:
    cycle = np.array([5.0, 1.0, 9.0, 2.0])
    raw, futures = windows(np.tile(cycle, 20) + 0.1 * np.random.default_rng(1).normal(size=80), 8, 5, 4)
    named = Windows(raw.past, 4, raw.unit, np.full(len(raw), "known"))
    forecast = HistoryMeans().learn(named, futures, np.arange(len(raw)))
    assert forecast is not None
    seen = np.tile(cycle, 5)[None, 2:10]
    np.testing.assert_allclose(
        forecast(Windows(seen, 4, np.ones(1), np.array(["known"]))), [cycle[[2, 3, 0, 1, 2]]], atol=0.2
    )
    other = forecast(Windows(seen * 100, 4, np.ones(1), np.array(["other"])))
    np.testing.assert_allclose(other, [100 * cycle[[2, 3, 0, 1, 2]]])


def chosen(task: Task, asked: Asked, folder: Path) -> tuple[str, float]:
    """Return what is chosen of a budget, and its MASE on the test split."""
    cache = Cache(folder)
    split = task.split(0, cache)
    context = Context(task.card.name, task.target, split, needed=np.arange(len(split.train)), content="it", cache=cache)
    budget = Budgets(task.target, split.train.labels["future"], split.train.facts).draw(asked, 0)
    (model,) = Classical(name="classical").fit(context, [budget], [])
    value = task.target.metrics[0].compute(model.predict(split.test.raw), split.test.labels["future"], split.test.facts)
    assert value is not None
    return model.name, round(value, 3)  # type: ignore[attr-defined]  # of these models


def test_on_measured_series_it_is_what_one_would_choose_oneself(tmp_path: Path) -> None:
    assert chosen(ElNino(), Count(123), tmp_path) == ("seasonal means of the history", 0.562)
    assert chosen(Co2(), Count(160), tmp_path) == ("seasonal naive with drift", 0.563)
    name, score = chosen(Co2(), ALL, tmp_path)
    assert name == "ridge on lags"
    assert score < 0.4


def test_what_is_tested_has_no_say_in_the_choice(tmp_path: Path) -> None:
    task, cache = ElNino(), Cache(tmp_path)
    split = task.split(0, cache)
    wild = np.random.default_rng(0).normal(size=(len(split.test), 96))
    raw = split.test.raw
    assert isinstance(raw, Windows)
    other = Examples(Windows(wild, 12, raw.unit, raw.names), split.test.labels, split.test.facts)
    names = []
    for tested in (split.test, other):
        parts = Split(split.train, tested)
        context = Context("it", task.target, parts, needed=np.arange(len(split.train)), content="it", cache=cache)
        budget = Budgets(task.target, split.train.labels["future"], split.train.facts).draw(ALL, 0)
        (model,) = Classical(name="classical").fit(context, [budget], [])
        names.append(model.name)  # type: ignore[attr-defined]  # of these models
    assert names[0] == names[1]


def test_a_budget_of_few_windows_chooses_among_what_learns_nothing(tmp_path: Path) -> None:
    values = np.tile([1.0, 4.0, 2.0], 20)
    raw, futures = windows(values, 12, 3, 3)
    facts = dense(unit=raw.unit, moment=np.arange(len(raw)), series=np.zeros(len(raw), dtype=np.int64))
    everything = Examples(raw, {"future": dense(future=futures)}, facts)
    split = Split(everything.take(np.arange(5)), everything.take(np.arange(20, 40)))
    target = Forecast(3)
    context = Context("it", target, split, needed=np.arange(5), content="it", cache=Cache(tmp_path))
    budget = Budgets(target, split.train.labels["future"], facts.take(np.arange(5))).draw(ALL, 0)
    (model,) = Classical(name="classical").fit(context, [budget], [])
    np.testing.assert_allclose(model.predict(split.test.raw)["future"], split.test.labels["future"]["future"])
