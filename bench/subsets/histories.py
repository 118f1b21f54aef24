"""Histories of series: how many observations windows hold, and folds of whole series."""

import numpy as np

from bench.column import Array, Indices


def count_observations(series: Indices, first: Indices, lengths: Indices) -> Array:
    """Return how many different observations the first 1, 2, … n windows hold; float64 [n].

    Window i holds `lengths[i]` steps of `series[i]` from number `first[i]` on; no two are the same.
    """
    names, owners = np.unique(series, return_inverse=True)
    ends = np.zeros(len(names), dtype=np.int64)
    np.maximum.at(ends, owners, first + lengths)
    starts = (np.cumsum(ends) - ends)[owners] + first  # [n], in all series laid end to end
    n = len(series)
    seen = np.full(int(ends.sum()), n)  # when each observation is first in a window, n where never
    ranks = np.arange(n)
    for offset in range(int(lengths.max(initial=0))):
        holds = lengths > offset
        places = starts[holds] + offset
        seen[places] = np.minimum(seen[places], ranks[holds])
    found: Array = np.bincount(seen[seen < n], minlength=n).cumsum().astype(np.float64)
    return found


def series_folds(series: Indices, count: int) -> Indices:
    """Return the fold of each window, [n], each series in one: the longest first, each to the shortest fold.

    There are `count` folds, or as many as there are series.
    """
    _, owners, sizes = np.unique(series, return_inverse=True, return_counts=True)
    held = np.zeros(min(count, len(sizes)), dtype=np.int64)
    folds = np.empty(len(sizes), dtype=np.int64)
    for one in np.argsort(-sizes, kind="stable"):
        folds[one] = held.argmin()
        held[folds[one]] += sizes[one]
    return folds[owners]
