"""Owns label savings."""

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike


class Savings(NamedTuple):
    """How many labels another strategy needs for the same score, and that number as a multiple.

    `kind` says what was measured: "exactly" where the other's curve crosses the score, "at least" where it ends below
    it, "at most" where it starts above it.
    """

    kind: Literal["exactly", "at least", "at most"]
    n_labels: float
    ratio: float


def label_savings(
    score: float, at: float, *, n_labels: ArrayLike, scores: ArrayLike, higher_is_better: bool
) -> Savings | None:
    """Return how many labels a curve needs for `score`, which another strategy has with `at` labels.

    The curve, `scores` [n_budgets] at rising `n_labels` [n_budgets], is made monotone by its best score so far and
    joined by straight lines over log(n_labels); the best so far favours the curve, so that savings err low. Nothing is
    read beyond its ends: there the answer is "at least" or "at most". Points without a score (nan) are left out;
    without any point there is no answer. Compare the effective data of Hernandez et al. (2021), arXiv:2102.01293.
    """
    sign = 1.0 if higher_is_better else -1.0
    heights = sign * np.asarray(scores, dtype=np.float64)
    known = ~np.isnan(heights)
    if np.isnan(score) or not known.any():
        return None
    labels = np.asarray(n_labels, dtype=np.float64)[known]
    heights = np.maximum.accumulate(heights[known])
    wanted = sign * score
    if wanted > heights[-1]:
        return Savings("at least", float(labels[-1]), float(labels[-1] / at))
    if wanted <= heights[0]:
        kind: Literal["exactly", "at most"] = "exactly" if wanted == heights[0] else "at most"
        return Savings(kind, float(labels[0]), float(labels[0] / at))
    after = int(np.searchsorted(heights, wanted))  # the first point at least as high, after >= 1
    share = (wanted - heights[after - 1]) / (heights[after] - heights[after - 1])
    needed = float(np.exp((1 - share) * np.log(labels[after - 1]) + share * np.log(labels[after])))
    return Savings("exactly", needed, needed / at)
