"""Label savings: how many labels another strategy needs for the same score, with an interval."""

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from bench.stats.inversion import stretches


class Savings(NamedTuple):
    """How many labels another strategy needs for the same score, and that number as a multiple.

    `kind` says what was measured: "exactly" where the other's curve crosses the score, "at least" where it ends below
    it, "at most" where it starts above it. `lower` and `upper` are the 95 % interval of the ratio: -inf or inf where it
    goes beyond what was measured, nan where there is none.
    """

    kind: Literal["exactly", "at least", "at most"]
    n_labels: float
    ratio: float
    lower: float = np.nan
    upper: float = np.nan


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


def label_savings_over_seeds(
    ours: ArrayLike, at: float, *, n_labels: ArrayLike, theirs: ArrayLike, higher_is_better: bool
) -> Savings | None:
    """Return the label savings of mean scores with their 95 % interval; None without a score on either side.

    `ours` [n_seeds] are the scores with `at` labels, `theirs` [n_seeds, n_budgets] the other's curves. The interval
    inverts the paired t test (see `bench.stats.inversion`): it ends where the other is clearly behind for all fewer
    labels, and clearly ahead for all more. It holds the savings of the means. Seeds with a gap, other than at a budget
    that no seed has, do not count; where that is every seed, or all but one, there is no interval.
    """
    scores, curves = np.asarray(ours, dtype=np.float64), np.asarray(theirs, dtype=np.float64)
    labels = np.asarray(n_labels, dtype=np.float64)
    measured = ~np.isnan(curves).all(axis=0)
    labels, curves = labels[measured], curves[:, measured]
    if np.isnan(scores).all() or not measured.any():
        return None
    whole = ~np.isnan(scores) & ~np.isnan(curves).any(axis=1)
    if whole.any():
        scores, curves = scores[whole], curves[whole]
    saved = label_savings(
        float(np.nanmean(scores)),
        at,
        n_labels=labels,
        scores=np.nanmean(curves, axis=0),
        higher_is_better=higher_is_better,
    )
    if saved is None or whole.sum() < 2:
        return saved
    behind_to_ahead = stretches(labels, (1.0 if higher_is_better else -1.0) * (curves - scores[:, None]))
    lower, upper = behind_to_ahead.where_not_behind() / at, behind_to_ahead.where_ahead() / at
    # Where seeds agree the ends coincide with the ratio, but for rounding.
    return saved._replace(lower=min(lower, saved.ratio), upper=max(upper, saved.ratio))
