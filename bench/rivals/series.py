"""The classical model of series: the seasonal Theta method, applied to each window's past by itself.

Theta won the M3 competition (Assimakopoulos and Nikolopoulos 2000, doi:10.1016/S0169-2070(00)00066-2). As Hyndman and
Billah (2003, doi:10.1016/S0169-2070(01)00143-1) showed, it is simple exponential smoothing with half the slope of the
least-squares line as drift, of the series without its season. Nothing is learnt from labels, so every budget and seed
has the same forecasts.

In closed form, for all windows at once: statsmodels' `ThetaModel`, whose forecasts these are (the tests hold one
against the other), takes 15 to 60 ms a window, 5 to 20 minutes for the 19,495 test windows of ETTh1; this takes
seconds.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import convolve1d

from bench.budget import Budget
from bench.column import Array, Column, dense
from bench.context import Context
from bench.domain import Raw
from bench.domains.contract import PASTS
from bench.domains.series.raw import expect_windows
from bench.rivals.rival import Rival, keep
from bench.runtime.cache import content_key
from bench.strategy import Cost, Model, Parts
from bench.target import Target
from bench.targets.forecast import LABEL
from bench.versions import ALGORITHM

if TYPE_CHECKING:
    from bench.probing.heads import Penalties

CHUNK: Final = 1_024  # windows forecast at a time

SMOOTHING: Final = tuple(np.linspace(0.05, 1.0, 20).tolist())
"""What weight smoothing may give the newest value: of these, each window has the one with the least squared errors."""

Doubles = NDArray[np.float64]


class Theta(Rival):
    """Theta forecasts: nothing is learnt from labels, so they are the same for every budget."""

    needs: ClassVar[str] = PASTS
    learns: ClassVar[bool] = False

    def predicts(self, target: Target) -> bool:
        return target.horizon > 0

    def fit(self, context: Context, budgets: Sequence[Budget[Column]], penalties: "Penalties") -> Iterator[Model]:
        steps, tested = context.target.horizon, context.tested
        key = content_key("classical", ALGORITHM, "theta in float64", context.content, steps)
        forecasts, work = keep(context.cache, key, "Theta forecasts, test", lambda: forecast(tested, steps))
        made: dict[Raw, Array] = {tested: forecasts}  # by identity, as all raw examples are
        for _ in budgets:
            yield ThetaModel(steps, made, Cost(seconds=0.0, precision="float64", work=(work,)))


@dataclass(frozen=True, slots=True, eq=False)
class ThetaModel:
    """Theta forecasts of `steps` values. What was `made` is shared with the models of other budgets."""

    steps: int
    made: dict[Raw, Array]
    cost: Cost

    def predict(self, raw: Raw) -> Column:
        """Return forecasts on the scale of the series."""
        if raw not in self.made:
            self.made[raw] = forecast(raw, self.steps)
        return dense(**{LABEL: self.made[raw]})

    def parts(self) -> Parts | None:
        """Return None: there is no network to export."""
        return None


def forecast(raw: Raw, steps: int) -> Doubles:
    """Return Theta forecasts of the next `steps` values after each past, float64 [n, steps]."""
    windows = expect_windows(raw)
    pasts = (windows.past[start : start + CHUNK] for start in range(0, len(windows), CHUNK))
    return np.concatenate([seasonal_theta(past, windows.season, steps) for past in pasts])


def seasonal_theta(past: Doubles, season: int, steps: int) -> Doubles:
    """Return forecasts [n, steps] of pasts [n, context]: Theta without the season, and the season added again."""
    length = past.shape[1]
    profile = seasonal_profile(past, season)  # [n, season]
    season = profile.shape[1]
    level = past - profile[:, np.arange(length) % season]
    return theta(level, steps) + profile[:, np.arange(length, length + steps) % season]


def theta(past: Doubles, steps: int, smoothing: Iterable[float] = SMOOTHING) -> Doubles:
    """Return forecasts [n, steps] of pasts [n, context] without a season.

    After smoothing by alpha from the first value on, the drift of b / 2 a step has been missed for as long as smoothing
    looks back: the h-th forecast is level + b / 2 * (h - 1 + 1 / alpha - (1 - alpha)^context / alpha).
    """
    alphas = np.array(tuple(smoothing))
    length = past.shape[1]
    level = np.repeat(past[:, :1], len(alphas), axis=1)  # [n, alphas]
    squares = np.zeros_like(level)
    for step in range(1, length):
        errors = past[:, step, None] - level
        squares += errors**2
        level += alphas * errors
    best = squares.argmin(axis=1)
    alpha = alphas[best][:, None]
    ahead = np.arange(steps) + (1 - (1 - alpha) ** length) / alpha  # [n, steps]
    newest = level[np.arange(len(past)), best][:, None]
    forecasts: Doubles = newest + slope(past)[:, None] / 2 * ahead
    return forecasts


def slope(values: Doubles) -> Doubles:
    """Return the slope of the least-squares line through each row of [n, length], 0 for a single value."""
    times = np.arange(values.shape[1]) - (values.shape[1] - 1) / 2
    found: Doubles = (values - values.mean(axis=1, keepdims=True)) @ times / max(times @ times, 1.0)
    return found


def seasonal_profile(past: Doubles, season: int) -> Doubles:
    """Return what each place in the cycle adds, [n, season], of mean 0; [n, 1] zeros where there is no cycle.

    The trend to take off first is the mean over one cycle about each moment, where there are two cycles (classical
    decomposition); else the line that rises by the mean change from one cycle to the next.
    """
    length = past.shape[1]
    if season <= 1 or length < season:
        return np.zeros((len(past), 1))
    if length >= 2 * season:
        ends = 0.5 if season % 2 == 0 else 1.0
        weights = np.ones(season + 1 - season % 2)
        weights[[0, -1]] = ends
        reach = len(weights) // 2
        moments = np.arange(reach, length - reach)
        trend = convolve1d(past, weights / season, axis=1)[:, moments]
    else:
        moments = np.arange(length)
        change = past[:, season:] - past[:, :-season]
        trend = change.sum(axis=1, keepdims=True) / max(1, change.shape[1]) / season * moments
    detrended = past[:, moments] - trend
    profile = np.stack([detrended[:, moments % season == place].mean(axis=1) for place in range(season)], axis=1)
    centred: Doubles = profile - profile.mean(axis=1, keepdims=True)
    return centred
