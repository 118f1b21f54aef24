"""Forecasts that anybody can make of a past without a model: what stands for no skill in series.

Each takes pasts [n, context] of one seasonal cycle, `season` steps long, and returns the next `steps` values, float64
[n, steps]. A past shorter than what one of them needs is taken as it is: without a whole cycle there is no season.
"""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
Trivial = Callable[[Doubles, int, int], Doubles]


def last_value(past: Doubles, season: int, steps: int) -> Doubles:
    """Return the last value, again and again."""
    return np.repeat(past[:, -1:], steps, axis=1)


def drift(past: Doubles, season: int, steps: int) -> Doubles:
    """Return the line from the first value of the past through the last one."""
    change = (past[:, -1:] - past[:, :1]) / max(1, past.shape[1] - 1)  # [n, 1], a step
    line: Doubles = past[:, -1:] + change * np.arange(1, steps + 1)
    return line


def seasonal_naive(past: Doubles, season: int, steps: int) -> Doubles:
    """Return the last cycle once more."""
    cycle = min(season, past.shape[1])
    again: Doubles = past[:, np.arange(steps) % cycle - cycle]
    return again


def seasonal_naive_with_drift(past: Doubles, season: int, steps: int) -> Doubles:
    """Return the last cycle once more, moved by the mean change from one cycle to the next for each that follows."""
    if past.shape[1] <= season:
        return seasonal_naive(past, season, steps)
    change = (past[:, season:] - past[:, :-season]).mean(axis=1, keepdims=True)  # [n, 1], a cycle
    moved: Doubles = seasonal_naive(past, season, steps) + change * (1 + np.arange(steps) // season)
    return moved


def seasonal_means(past: Doubles, season: int, steps: int) -> Doubles:
    """Return the mean of each place in the cycle over the past."""
    length = past.shape[1]
    cycle = min(season, length)
    places = np.arange(length) % cycle
    means = np.stack([past[:, places == place].mean(axis=1) for place in range(cycle)], axis=1)  # [n, cycle]
    found: Doubles = means[:, np.arange(length, length + steps) % cycle]
    return found


TRIVIAL: Final[Mapping[str, Trivial]] = {
    "seasonal naive": seasonal_naive,
    "last value": last_value,
    "drift": drift,
    "seasonal naive with drift": seasonal_naive_with_drift,
    "seasonal means": seasonal_means,
}
"""By what they are called; of those that are as good on a history, the first counts."""
