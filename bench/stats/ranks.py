"""Owns ranks."""

import numpy as np
from numpy.typing import ArrayLike

from bench.stats.intervals import Floats


def competition_ranks(values: ArrayLike) -> Floats:
    """Return ranks from 1 for the highest; equal values share the best rank of theirs (1, 2, 2, 4), nan has none."""
    v = np.asarray(values, dtype=np.float64)  # [n]
    ranks = 1.0 + (v[:, None] < v[None, :]).sum(axis=1)  # [n]: one more than how many are higher
    return np.where(np.isnan(v), np.nan, ranks)
