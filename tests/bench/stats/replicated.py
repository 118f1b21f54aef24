"""Replicates whose test examples move nothing: their intervals are Student's, over seeds alone."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from bench import stats

N_BLOCKS = 20


def seeds_alone(values: ArrayLike) -> stats.Replicates:
    """Return the replicates of values [n_seeds]; missing ones (nan) do not count."""
    known = {seed: float(value) for seed, value in enumerate(np.asarray(values, dtype=np.float64))}
    return stats.replicate(known, {seed: [value] * N_BLOCKS for seed, value in known.items()}, [1.0] * N_BLOCKS)


def area_of(n_labels: ArrayLike, values: ArrayLike) -> float:
    """Return the area under one curve of values [n_budgets]."""
    return float(stats.area_of_replicates(n_labels, curve_of(np.asarray(values)[None])).values.item())


def curve_of(values: ArrayLike) -> Sequence[stats.Replicates]:
    """Return the replicates of values [n_seeds, n_budgets], one for each budget."""
    return [seeds_alone(column) for column in np.asarray(values, dtype=np.float64).T]
