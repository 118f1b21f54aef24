"""Exponential smoothing of a level, a damped trend and a season: the additive method of Holt and Winters.

It is the state space model ETS(A,Ad,A) (Hyndman, Koehler, Ord and Snyder 2008, Forecasting with Exponential Smoothing,
chapter 3), for all windows at once. Each window has the parameters, of a grid, with the least squared errors a step
ahead.
"""

from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]

LEVELS: Final = (0.05, 0.2, 0.4, 0.7, 0.95)
TRENDS: Final = (0.0, 0.05, 0.2)
SEASONS: Final = (0.0, 0.1, 0.3)
DAMPINGS: Final = (0.9, 0.98)

GRID: Final = tuple(product(LEVELS, TRENDS, SEASONS, DAMPINGS))
"""Weights of the newest error in level, trend and season, and what is left of a trend after a step."""


def holt_winters(past: Doubles, season: int, steps: int) -> Doubles:
    """Return forecasts [n, steps] of pasts [n, context]; a past without two cycles has no season."""
    cycle = season if past.shape[1] >= 2 * season else 1
    grid = [one for one in GRID if cycle > 1 or one[2] == 0]
    errors = np.stack([_smooth(past, cycle, steps, one)[1] for one in grid])  # [grid, n]
    best = errors.argmin(axis=0)
    found = np.empty((len(past), steps))
    for place in np.unique(best):
        rows = np.flatnonzero(best == place)
        found[rows] = _smooth(past[rows], cycle, steps, grid[place])[0]
    return found


def _smooth(
    past: Doubles, cycle: int, steps: int, weights: tuple[float, float, float, float]
) -> tuple[Doubles, Doubles]:
    """Return forecasts [n, steps], and the sum of squared errors a step ahead after the first cycle [n].

    It begins with the mean of the first cycle, the mean change from the first to the second a step, and what the first
    cycle deviates from that line.
    """
    of_level, of_trend, of_season, damping = weights
    length = past.shape[1]
    level, trend = past[:, :cycle].mean(axis=1), np.zeros(len(past))
    if length >= 2 * cycle:
        trend = (past[:, cycle : 2 * cycle].mean(axis=1) - level) / cycle
    around = np.arange(cycle) - (cycle - 1) / 2
    seasons = past[:, :cycle] - level[:, None] - trend[:, None] * around if cycle > 1 else np.zeros((len(past), 1))
    level = level + trend * (cycle - 1) / 2  # at the end of the first cycle
    squares = np.zeros(len(past))
    for step in range(cycle, length):
        place = step % cycle
        ahead = level + damping * trend
        error = past[:, step] - ahead - seasons[:, place]
        squares += error**2
        level = ahead + of_level * error
        trend = damping * trend + of_level * of_trend * error
        seasons[:, place] += of_season * (1 - of_level) * error
    damped = np.cumsum(damping ** np.arange(1, steps + 1))
    places = np.arange(length, length + steps) % cycle
    forecasts: Doubles = level[:, None] + trend[:, None] * damped + (seasons[:, places] if cycle > 1 else 0.0)
    return forecasts, squares
