"""Label savings: how many labels another strategy needs for the same score, with an interval."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from bench.stats.inversion import stretches
from bench.stats.replicates import Replicates, combine, shared_seeds


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


def savings_of_replicates(
    ours: Replicates, at: float, *, n_labels: ArrayLike, theirs: Sequence[Replicates], higher_is_better: bool
) -> Savings | None:
    """Return the label savings of mean scores with their 95 % interval; None without a score on either side.

    `ours` are the scores with `at` labels, `theirs` those of the other's curve at `n_labels` [n_budgets]. The interval
    inverts the test of the difference (see `bench.stats.inversion`): it ends where the other is clearly behind for all
    fewer labels, and clearly ahead for all more. It holds the savings of the means. Seeds with a gap, other than at a
    budget that no seed has, do not count. Without a seed that has all, or test blocks, there is no interval.
    """
    labels = np.array([n for n, one in zip(np.asarray(n_labels).tolist(), theirs, strict=True) if len(one)])
    curve = [one for one in theirs if len(one)]
    if not len(ours) or not curve:
        return None
    seeds = shared_seeds([ours, *curve])
    if seeds:
        ours, curve = ours.with_seeds(seeds), [one.with_seeds(seeds) for one in curve]
    saved = label_savings(
        float(ours.values.mean()),
        at,
        n_labels=labels,
        scores=[one.values.mean() for one in curve],
        higher_is_better=higher_is_better,
    )
    sign = 1.0 if higher_is_better else -1.0
    decided = stretches(labels, [combine([one, ours], [sign, -sign]) for one in curve]) if seeds else None
    if saved is None or decided is None:
        return saved
    # Where seeds agree the ends coincide with the ratio, but for rounding.
    lower, upper = decided.where_not_behind() / at, decided.where_ahead() / at
    return saved._replace(lower=min(lower, saved.ratio), upper=max(upper, saved.ratio))
