"""Classical forecasters: those that know each past alone, and those that learn from the windows of a budget.

Whoever learns does so from pasts [n, context] and futures [n, steps] of windows in order of time, each series in a unit
of its own, and then forecasts any windows.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from bench.column import Indices
from bench.domains.series.raw import Windows
from bench.domains.series.trivial import TRIVIAL, Trivial, seasonal_means
from bench.rivals.series import seasonal_theta
from bench.rivals.smoothing import holt_winters

Doubles = NDArray[np.float64]
Forecast = Callable[[Windows], Doubles]

CHUNK: Final = 1_024  # windows forecast at a time
MOST_LAGS: Final = 12
RIDGE: Final = 1e-3  # of the mean square of a lag: what keeps an autoregression from exploding on few values
MOST_WINDOWS: Final = 2_000  # learnt from: windows that overlap say the same many times over

KNOWN: Final[Mapping[str, Trivial]] = {**TRIVIAL, "Theta": seasonal_theta, "exponential smoothing": holt_winters}
"""Forecasters that know each past alone."""


def forecast_each(forecast: Trivial, windows: Windows, steps: int) -> Doubles:
    """Return forecasts [n, steps] of windows, a few at a time."""
    pasts = (windows.past[start : start + CHUNK] for start in range(0, len(windows), CHUNK))
    return np.concatenate([forecast(past, windows.season, steps) for past in pasts])


class Learner(ABC):
    """A forecaster that learns from the windows of a budget."""

    title: ClassVar[str]

    @abstractmethod
    def learn(self, windows: Windows, futures: Doubles, steps: Indices | None) -> Forecast | None:
        """Return the forecaster; None where too little is known, or the windows are too short.

        `steps` [n] are the numbers of the first steps of the windows in their series, if they are known.
        """


@dataclass(frozen=True, slots=True)
class Autoregression(Learner):
    """An autoregression on differences from one season to the next, one for all series: least squares."""

    title: ClassVar[str] = "autoregression on seasonal differences"

    def learn(self, windows: Windows, futures: Doubles, steps: Indices | None) -> Forecast | None:
        season, horizon = windows.season, futures.shape[1]
        differences = windows.past.shape[1] - season
        lags = min(MOST_LAGS, differences // 2)
        some = np.unique(np.linspace(0, len(windows) - 1, MOST_WINDOWS).astype(np.int64))
        values = np.concatenate([windows.past[some], futures[some]], axis=1) / windows.unit[some, None]
        changes = values[:, season:] - values[:, :-season]  # [n, differences + horizon]
        if lags < 1:
            return None
        rows = np.lib.stride_tricks.sliding_window_view(changes, lags + 1, axis=1).reshape(-1, lags + 1)
        square = np.square(rows[:, :-1]).sum(0).mean()
        if square == 0:  # a flat stretch, or the same season over and over, says nothing of changes
            return None
        lagged = np.column_stack([rows[:, :-1], np.ones(len(rows))])
        held = RIDGE * square * np.eye(lags + 1)
        held[-1, -1] = 1e-9
        weights = np.linalg.solve(lagged.T @ lagged + held, lagged.T @ rows[:, -1])

        def forecast(seen: Windows) -> Doubles:
            past = seen.past / seen.unit[:, None]
            known = [past[:, place] for place in range(past.shape[1])]
            recent = [known[place] - known[place - season] for place in range(len(known) - lags, len(known))]
            for _ in range(horizon):
                change = np.stack(recent[-lags:], axis=1) @ weights[:-1] + weights[-1]
                recent.append(change)
                known.append(known[-season] + change)
            found: Doubles = np.stack(known[-horizon:], axis=1) * seen.unit[:, None]
            return found

        return forecast


@dataclass(frozen=True, slots=True)
class HistoryMeans(Learner):
    """The mean of each place in the cycle over the whole history of a series, where its past lies best on them.

    A series that was not learnt, by its name, has the means of its own past.
    """

    title: ClassVar[str] = "seasonal means of the history"

    def learn(self, windows: Windows, futures: Doubles, steps: Indices | None) -> Forecast | None:
        season, horizon = windows.season, futures.shape[1]
        values = np.concatenate([windows.past, futures], axis=1)
        if steps is None or season < 2 or values.shape[1] < 2 * season:
            return None
        names = _names(windows)
        cycles: dict[str, Doubles] = {}
        for name in np.unique(names):
            rows = names == name
            history = dict(zip(_steps(steps[rows], values.shape[1]), values[rows].ravel().tolist(), strict=True))
            places = np.array([step % season for step in history])
            known = np.array(list(history.values()))
            cycles[str(name)] = np.array([known[places == place].mean() for place in range(season)])

        def forecast(seen: Windows) -> Doubles:
            found = seasonal_means(seen.past, season, horizon)
            named = _names(seen)
            for name, cycle in cycles.items():
                rows = np.flatnonzero(named == name)
                found[rows] = _aligned(seen.past[rows], cycle, horizon)
            return found

        return forecast


def _names(windows: Windows) -> NDArray[np.str_]:
    return windows.names if windows.names is not None else np.full(len(windows), "")


def _steps(first: Indices, length: int) -> list[int]:
    numbers: list[int] = (first[:, None] + np.arange(length)).ravel().tolist()
    return numbers


def _aligned(past: Doubles, cycle: Doubles, horizon: int) -> Doubles:
    """Return the cycle after each past [n, context], from the place in it that the past ends at, as far as one sees."""
    season, length = len(cycle), past.shape[1]
    tiled = np.stack([cycle[(np.arange(length) + start) % season] for start in range(season)])  # [season, context]
    distances = np.square(past[:, None] - tiled).sum(axis=2)  # [n, season]
    starts = distances.argmin(axis=1)
    found: Doubles = cycle[(starts[:, None] + np.arange(length, length + horizon)) % season]
    return found


LEARNERS: Final[tuple[Learner, ...]] = (Autoregression(), HistoryMeans())
