"""What all synthetic series share: how long a stretch is, and which periods occur in it."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Series = NDArray[np.float32]

CONTEXT: Final = 96
HORIZON: Final = 24
LENGTH: Final = CONTEXT + HORIZON

# The periods of calendars (hours in a day, days in a week, months in a year, …) get half of the seasonal parts; the
# other half is log-uniform, up to a little beyond the context.
CALENDAR_PERIODS: Final = (4, 5, 6, 7, 8, 10, 12, 14, 24, 28, 30, 36, 48, 52, 60, 72, 84, 96)
SHORTEST_PERIOD: Final = 3.0
LONGEST_PERIOD: Final = 120.0


def periods(count: int, generator: np.random.Generator) -> Series:
    """Return periods in steps [count, 1]."""
    free = log_uniform(SHORTEST_PERIOD, LONGEST_PERIOD, count, generator)
    calendar = generator.choice(CALENDAR_PERIODS, (count, 1))
    return np.where(generator.random((count, 1)) < 0.5, free, calendar).astype(np.float32)


def log_uniform(low: float, high: float, count: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """Return values [count, 1] between `low` and `high`, uniform in their logarithm."""
    return np.exp(generator.uniform(np.log(low), np.log(high), (count, 1)))
