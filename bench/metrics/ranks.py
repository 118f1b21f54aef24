"""Statistics of ranks: average ranks, area under the ROC curve, average precision.

The two of binary labels bisect sorted scores, which takes less time than ranking all scores together.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Scores = NDArray[np.float32] | NDArray[np.float64]
Flags = NDArray[np.bool_]


def average_ranks(values: Floats) -> Floats:
    """Return the ranks [n] of values [n], from 1 for the lowest; equal values share the mean of their ranks."""
    order = np.argsort(values)
    ascending = values[order]
    differs = np.append(True, ascending[1:] != ascending[:-1])
    bounds = np.append(np.flatnonzero(differs), len(values))  # [runs + 1]: where each run of equal values begins
    means = (bounds[:-1] + bounds[1:] + 1) / 2  # [runs]: of the ranks bounds[i] + 1 to bounds[i + 1]
    ranks = np.empty(len(values))
    ranks[order] = np.repeat(means, np.diff(bounds))
    return ranks


def area_under_roc(scores: Scores, positive: Flags) -> float | None:
    """Return the share of pairs of a positive and a negative example in which the positive one has the higher score.

    Equal scores count one half. Scores and flags are [n]. None without a positive or without a negative example, nan if
    a score is none. Source: Hanley and McNeil (1982), Radiology 143(1).
    """
    above, below = np.sort(scores[positive]), np.sort(scores[~positive])
    if not len(above) or not len(below):
        return None
    if np.isnan(scores).any():
        return float("nan")
    lower = np.searchsorted(below, above, side="left") + np.searchsorted(below, above, side="right")
    return float(lower.mean() / (2 * len(below)))


def average_precision(scores: Scores, positive: Flags) -> float | None:
    """Return the mean, over positive examples, of the precision among all examples that score at least as high.

    Scores and flags are [n]. None without a positive example, nan if a score is none.
    """
    above, below = np.sort(scores[positive]), np.sort(scores[~positive])
    if not len(above):
        return None
    if np.isnan(scores).any():
        return float("nan")
    hits = len(above) - np.searchsorted(above, above, side="left")
    false_alarms = len(below) - np.searchsorted(below, above, side="left")
    return float((hits / (hits + false_alarms)).mean())
