"""Intervals of means of independent values: how wide they are, and how they are told."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit  # `scipy.stats` takes a second to import, this does not

CONFIDENCE: Final = 0.95
ROUNDING: Final = 1e-12  # what differs by less differs by rounding

Floats = NDArray[np.float64]


class Estimate(NamedTuple):
    """A mean and its 95 % interval; the ends are nan where nothing is known of it."""

    mean: float
    lower: float
    upper: float
    n_values: int


def half_width(deviations: ArrayLike, counts: ArrayLike) -> Floats:
    """Return half the width of the 95 % interval of a mean: t(0.975; n - 1) s / sqrt(n).

    `deviations` are the standard deviations s of samples of `counts` n, with n - 1 in the denominator; any shape. One
    value has no interval: nan. Source: Student (1908), The probable error of a mean, Biometrika 6(1).
    """
    n = np.asarray(counts, dtype=np.float64)
    several = np.where(n > 1, n, np.nan)
    widths: Floats = stdtrit(several - 1, (1 + CONFIDENCE) / 2) * np.asarray(deviations) / np.sqrt(several)
    return widths
