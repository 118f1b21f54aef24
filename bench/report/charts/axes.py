"""The axes of a chart: limits that show every mean, scales, and ticks at round numbers that keep apart."""

import math
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from bench.report.charts.chart import Chart

ROUND_STEPS: Final = (1.0, 2.0, 2.5, 5.0, 10.0)
MANY_TIMES: Final = 12.0  # an error that spans more than this is drawn on a logarithmic axis
ZERO_AT: Final = 0.03
FIRST_AT: Final = 0.12
"""Where 0 stands on a logarithmic axis, and from where on what has a logarithm does, as shares of its length."""
BELOW: Final = 0.1  # the share of the lowest value of a logarithmic axis below which all is drawn alike

DURATIONS: Final = (  # ticks of an axis of seconds
    *((f"{step * 10**power} ms", step * 10.0**power / 1000) for power in range(3) for step in (1, 2, 5)),
    *((f"{seconds} s", float(seconds)) for seconds in (1, 2, 5, 10, 20, 30)),
    *((f"{minutes} min", 60.0 * minutes) for minutes in (1, 2, 5, 10, 20, 30)),
    *((f"{hours} h", 3600.0 * hours) for hours in (1, 2, 5, 10, 20, 50, 100, 200, 500)),
)

Place = Callable[[float], float]


def scaled(scale: Place, low: float, high: float, start: float, end: float) -> Place:
    """Return where a value stands on an axis whose lowest value is at `start` and its highest at `end`."""
    return lambda value: start + (end - start) * (scale(value) - scale(low)) / (scale(high) - scale(low))


def logarithmic_beside_zero(low: float, high: float, start: float, end: float) -> Place:
    """Return where a value stands on a logarithmic axis that has a place for 0 too, left of a gap."""
    length = end - start
    place = scaled(math.log, low, high, start + FIRST_AT * length, end)
    return lambda value: place(value) if value else start + ZERO_AT * length


def logarithm_from(low: float) -> Place:
    """Return the logarithm on an axis that begins at `low`: what has none, or is far below, stands below the frame.

    The interval of an error that is larger than 0 can end at 0, which no logarithmic axis reaches.
    """
    return lambda value: math.log(max(value, low * BELOW))


def limits(chart: Chart) -> tuple[float, float, bool]:
    """Return the limits of the axis of scores and whether it is logarithmic.

    Every mean is shown; an interval that is much wider than the curves is cut at the frame.
    """
    points = [point for line in chart.lines for point in line.points]
    means = np.array([*(point.y for point in points), chart.chance])
    if np.isnan(means).all():
        return 0.0, 1.0, False
    low, high = float(np.nanmin(means)), float(np.nanmax(means))
    if low > 0 and high > MANY_TIMES * low:
        return low / 1.15, high * 1.15, True
    span = (high - low) or abs(high) or 1.0
    ends = np.array([end for point in points for end in (point.lower, point.upper)])
    if len(ends) and not np.isnan(ends).all():
        low = min(low, max(float(np.nanmin(ends)), low - span / 4))
        high = max(high, min(float(np.nanmax(ends)), high + span / 4))
    return low - 0.04 * span, high + 0.04 * span, False


def linear_ticks(low: float, high: float, most: int) -> list[float]:
    """Return at most `most` + 1 round numbers in [low, high], evenly apart."""
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(round_step * power for round_step in ROUND_STEPS if round_step * power >= rough * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)]


def logarithmic_ticks(low: float, high: float) -> list[float]:
    """Return the 1, 2 and 5 of every power of ten in [low, high], or powers of ten only where these are many."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    leading = (1.0, 2.0, 5.0) if math.log10(high / low) < 3 else (1.0,)
    return [digit * 10.0**power for power in powers for digit in leading if low <= digit * 10.0**power <= high]


def kept_apart(values: Sequence[float], place: Callable[[float], float], least: float) -> list[float]:
    """Return of rising values those whose places on the axis are at least so far apart; the largest always."""
    kept = list(values[-1:])
    for value in reversed(values[:-1]):
        if place(kept[-1]) - place(value) >= least:
            kept.append(value)
    return kept[::-1]
