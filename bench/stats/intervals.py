"""Intervals of means of independent values: how wide they are, and how they are told."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

CONFIDENCE: Final = 0.95
ROUNDING: Final = 1e-12  # what differs by less differs by rounding

Floats = NDArray[np.float64]


class Estimate(NamedTuple):
    """A mean and its 95 % interval; the ends are nan where nothing is known of it."""

    mean: float
    lower: float
    upper: float
    n_values: int
