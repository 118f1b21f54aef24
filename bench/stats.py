"""Owns statistics: intervals over seeds, paired differences, areas under learning curves and label savings."""

from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit  # `scipy.stats` takes a second to import, this does not

CONFIDENCE: Final = 0.95
ROUNDING: Final = 1e-12  # what differs by less differs by rounding

Floats = NDArray[np.float64]


class Interval(NamedTuple):
    """Lower and upper ends, of one shape; nan where there is no interval."""

    lower: Floats
    upper: Floats


class Difference(NamedTuple):
    """A mean difference and the interval of it; the ends are nan where there are fewer than two pairs."""

    mean: float
    lower: float
    upper: float
    n_pairs: int

    @property
    def decided(self) -> bool:
        """Whether the interval exists and leaves zero out."""
        return self.lower > 0 or self.upper < 0


class Savings(NamedTuple):
    """How many labels another strategy needs for the same score, and that number as a multiple.

    `kind` says what was measured: "exactly" where the other's curve crosses the score, "at least" where it ends below
    it, "at most" where it starts above it.
    """

    kind: Literal["exactly", "at least", "at most"]
    n_labels: float
    ratio: float


def half_width(deviations: ArrayLike, counts: ArrayLike) -> Floats:
    """Return half the width of the 95 % interval of a mean: t(0.975; n - 1) s / sqrt(n).

    `deviations` are the standard deviations s of samples of `counts` n, with n - 1 in the denominator; any shape. One
    value has no interval: nan. Source: Student (1908), The probable error of a mean, Biometrika 6(1).
    """
    n = np.asarray(counts, dtype=np.float64)
    several = np.where(n > 1, n, np.nan)
    widths: Floats = stdtrit(several - 1, (1 + CONFIDENCE) / 2) * np.asarray(deviations) / np.sqrt(several)
    return widths


def clipped_interval(means: ArrayLike, margins: ArrayLike, *, highest: ArrayLike) -> Interval:
    """Return mean -+ margin, clipped to [0, highest]: no metric here goes below 0, accuracy not above 1.

    All arguments are of one shape, or broadcast; margins come from `half_width`; `highest` is infinite for an error.
    """
    centre, margin = np.asarray(means, dtype=np.float64), np.asarray(margins, dtype=np.float64)
    return Interval(np.clip(centre - margin, 0.0, highest), np.clip(centre + margin, 0.0, highest))


def paired_difference(ours: ArrayLike, theirs: ArrayLike) -> Difference:
    """Return the mean of ours - theirs with its 95 % interval; both are [n_seeds], a pair has one seed.

    The paired t interval: what two strategies share under one seed (the label budget, the test examples) cancels. Pairs
    with a missing score (nan) do not count. Differences that agree up to rounding have an interval of zero width.
    """
    differences = np.asarray(ours, dtype=np.float64) - np.asarray(theirs, dtype=np.float64)
    differences = differences[~np.isnan(differences)]
    if len(differences) == 0:
        return Difference(np.nan, np.nan, np.nan, 0)
    mean = float(differences.mean())
    if len(differences) == 1:
        return Difference(mean, np.nan, np.nan, 1)
    deviation = float(differences.std(ddof=1))
    margin = float(half_width(deviation if deviation > ROUNDING else 0.0, len(differences)))
    return Difference(mean, mean - margin, mean + margin, len(differences))


def skill(scores: ArrayLike, *, chance: ArrayLike, perfect: ArrayLike) -> Floats:
    """Return (score - chance) / (perfect - chance): 0 is chance, 1 is perfect, below 0 is worse than chance.

    The skill score of forecasting (Murphy 1988, doi:10.1175/1520-0493(1988)116<2417:SSBOTM>2.0.CO;2); for an error that
    is perfect at 0 it is 1 - score / chance, where chance is the seasonal naive forecast. Where chance itself is
    perfect there is nothing to win: nan.
    """
    room = np.asarray(perfect, dtype=np.float64) - np.asarray(chance, dtype=np.float64)
    gained = np.asarray(scores, dtype=np.float64) - np.asarray(chance, dtype=np.float64)
    skills: Floats = gained / np.where(room == 0, np.nan, room)
    return skills


def area_under_curve(n_labels: ArrayLike, values: ArrayLike) -> float:
    """Return the mean height of a learning curve over the logarithm of the number of labels.

    The trapezoidal rule over x = log(n_labels), divided by the length: sum of (x[i+1] - x[i]) (v[i] + v[i+1]) / 2 over
    x[-1] - x[0] (the ALC of Guyon et al. 2011, Results of the Active Learning Challenge, JMLR W&CP 16).
    `n_labels` [n_budgets] must not fall. A curve of one budget has the height of its point. A missing value makes the
    area missing (nan): an area over fewer points would be another quantity under the same name.
    """
    x, v = np.log(np.asarray(n_labels, dtype=np.float64)), np.asarray(values, dtype=np.float64)
    if len(v) == 0 or np.isnan(v).any():
        return float("nan")
    steps = np.diff(x)  # [n_budgets - 1]
    assert (steps >= 0).all(), "budgets must be in rising order"
    if steps.sum() == 0:
        return float(v.mean())
    return float((steps * (v[:-1] + v[1:]) / 2).sum() / steps.sum())


def competition_ranks(values: ArrayLike) -> Floats:
    """Return ranks from 1 for the highest; equal values share the best rank of theirs (1, 2, 2, 4), nan has none."""
    v = np.asarray(values, dtype=np.float64)  # [n]
    ranks = 1.0 + (v[:, None] < v[None, :]).sum(axis=1)  # [n]: one more than how many are higher
    return np.where(np.isnan(v), np.nan, ranks)


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
