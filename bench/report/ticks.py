"""Owns where the ticks of an axis stand: at round numbers, and no nearer to each other than their labels need."""

import math
from collections.abc import Callable, Sequence

ROUND_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


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
