"""Statistics of ranks: average ranks, area under the ROC curve, average precision.

The two of binary labels bisect sorted scores, which takes less time than ranking all scores together.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Scores = NDArray[np.floating[Any]]
Flags = NDArray[np.bool_]


class Contest(NamedTuple):
    """Scores of positive examples [p] and of negative ones [m], ascending, and how many of these each one beats."""

    above: Scores
    below: Scores
    beaten: NDArray[np.int64]  # [p], strictly

    @property
    def is_undefined(self) -> bool:
        """Whether some score is nan, which sorting puts last."""
        return bool(np.isnan(self.above[-1:]).any() or np.isnan(self.below[-1:]).any())


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


def hold_contest(scores: Scores, positive: Flags) -> Contest:
    """Return the contest of the positive examples with the negative ones; scores and flags are [n]."""
    above, below = np.sort(scores[positive]), np.sort(scores[~positive])  # nan comes last
    return Contest(above, below, np.searchsorted(below, above, side="left"))


def area_under_roc(contest: Contest) -> float | None:
    """Return the share of pairs of a positive and a negative example in which the positive one has the higher score.

    Equal scores count one half. None without a positive or without a negative example, nan if a score is none.
    Source: Hanley and McNeil (1982), Radiology 143(1).
    """
    above, below, beaten = contest
    if not len(above) or not len(below):
        return None
    if contest.is_undefined:
        return float("nan")
    halves = beaten + np.searchsorted(below, above, side="right")
    return float(halves.mean() / (2 * len(below)))


def average_precision(contest: Contest) -> float | None:
    """Return the mean, over positive examples, of the precision among all examples that score at least as high.

    None without a positive example, nan if a score is none.
    """
    above, below, beaten = contest
    if not len(above):
        return None
    if contest.is_undefined:
        return float("nan")
    hits = len(above) - np.searchsorted(above, above, side="left")
    false_alarms = len(below) - beaten
    return float((hits / (hits + false_alarms)).mean())
