"""Aggregates over many scores that a few odd ones do not move."""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike

FEWEST_VALUES: Final = 4  # with fewer there is no quarter to leave out


def interquartile_mean(values: ArrayLike) -> float:
    """Return the mean of what is left without the lowest and the highest quarter; nan with fewer than four values.

    A quarter is rounded down to whole values; missing ones (nan) do not count. It is robust as the median is and varies
    less over few seeds: Agarwal et al. (2021), Deep RL at the edge of the statistical precipice, arXiv:2108.13264.
    """
    v = np.asarray(values, dtype=np.float64).ravel()
    v = np.sort(v[~np.isnan(v)])
    if len(v) < FEWEST_VALUES:
        return float("nan")
    cut = len(v) // 4
    return float(v[cut : len(v) - cut].mean())
