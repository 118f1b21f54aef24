"""Change points: the nights from which on a series of measurements has another level, if any.

A step function is fitted by weighted least squares. Every step costs a penalty, which a step by chance rarely earns;
the best fit is found exactly by optimal partitioning (Jackson et al. 2005, doi:10.1109/LSP.2001.838216). The scatter of
a night is not taken from its interval over seeds alone, since what seeds have in common does not change from night to
night: the intervals say how nights weigh against each other, the differences of neighbouring nights how far they
scatter. `ruptures`, a library of change points, has no least squares with a weight for each point, so it is done here.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from bench.stats.intervals import Floats

PENALTY: Final = 10.0  # in variances, besides what the number of places and series adds; set by simulation
SMALLEST: Final = 0.01  # of skill: no smaller step is told
FEWEST: Final = 6  # nights: in fewer there is nothing to tell scatter from change by
LARGEST_WEIGHT: Final = 2.0  # of a night, as a multiple of the smallest: intervals over few seeds are rough themselves
NORMAL_MAD: Final = 0.6745  # median of the absolute values of a standard normal distribution
OUTLYING: Final = 3.0  # deviations: larger differences, among them steps, count as this many
SHORTEST: Final = 3  # nights a level lasts: one odd night, or two, is not told from chance
FINEST: Final = 1e-4  # of skill: nights that agree better are taken to scatter by as much


class Step(NamedTuple):
    """A change of level: the index of the first night of the new one, and the levels before and after."""

    first: int
    before: float
    after: float


def find_steps(values: ArrayLike, margins: ArrayLike, *, n_series: int = 1) -> list[Step]:
    """Return the steps of a series, oldest first.

    `values` [n_nights] are skills, `margins` [n_nights] half the widths of their intervals; both nan where there is
    none. `n_series` is how many series are looked at side by side: the more there are, the clearer a step must be.
    """
    v, margin = np.asarray(values, dtype=np.float64), np.asarray(margins, dtype=np.float64)
    known = np.flatnonzero(~np.isnan(v))
    if len(known) < FEWEST:
        return []
    weights = _weights(margin[known])
    variance = _variance(v[known], weights)
    tamed = _tamed(v[known], np.sqrt(variance / weights))
    # Each place in each series could hold a step by chance. One earns x with a probability of about exp(-x / 2); it is
    # somewhat more, since the variance is itself an estimate, and that tells where series are many.
    penalty = PENALTY + 2 * np.log(len(known)) + 3 * np.log(n_series)
    return _told(tamed, weights, _partition(tamed, weights / variance, float(penalty)), known)


def _weights(margins: Floats) -> Floats:
    """Return weights of mean 1; a night without an interval weighs as the middle one."""
    usual = float(np.nanmedian(margins)) if (margins > 0).any() else 0.0
    if usual == 0:
        return np.ones(len(margins))
    filled = np.where(np.isnan(margins), usual, margins)
    spread = np.sqrt(LARGEST_WEIGHT)
    inverse = np.clip(filled, usual / spread, usual * spread) ** -2
    weights: Floats = inverse / inverse.mean()
    return weights


def _variance(values: Floats, weights: Floats) -> float:
    """Return the variance of a night of weight 1, from neighbouring nights: steps are few and hardly matter."""
    scaled = np.abs(np.diff(values)) / np.sqrt(1 / weights[1:] + 1 / weights[:-1])
    robust = float(np.median(scaled)) / NORMAL_MAD
    clipped = np.minimum(scaled, OUTLYING * robust)
    return max(float((clipped**2).mean()), FINEST**2)


def _tamed(values: Floats, deviations: Floats) -> Floats:
    """Return the values with odd nights brought to three deviations from the median of the two nights to either side.

    A filter of Hampel's kind (1974, doi:10.1080/01621459.1974.10482962): one night far off must not make a level.
    """
    padded = np.concatenate([[np.nan, np.nan], values, [np.nan, np.nan]])
    usual = np.nanmedian(np.lib.stride_tricks.sliding_window_view(padded, 5), axis=1)
    tamed: Floats = np.clip(values, usual - OUTLYING * deviations, usual + OUTLYING * deviations)
    return tamed


def _partition(values: Floats, weights: Floats, penalty: float) -> list[int]:
    """Return where the levels of the best fit begin, [0, ...], by dynamic programming over the last step."""
    # best[e] is the least cost of the first e nights. The last level of the best fit to them begins at some s, and what
    # is left of it before s is the best fit to the first s nights: so best[e] is the minimum over s of
    # best[s] + squares(s, e) + penalty, and each end is decided by those before it, n^2 / 2 costs in all.
    n = len(values)
    # Weighted squares about the mean of nights s to e - 1 are sum(w x^2) - sum(w x)^2 / sum(w): differences of three
    # running sums.
    w = np.concatenate([[0.0], np.cumsum(weights)])
    x = np.concatenate([[0.0], np.cumsum(weights * values)])
    xx = np.concatenate([[0.0], np.cumsum(weights * values**2)])
    best = np.full(n + 1, np.inf)  # the cost of the first nights
    best[0] = -penalty  # since the first level costs none
    begins = np.zeros(n + 1, dtype=np.int64)
    for end in range(SHORTEST, n + 1):
        starts = np.arange(end - SHORTEST + 1)
        squares = xx[end] - xx[starts] - (x[end] - x[starts]) ** 2 / (w[end] - w[starts])
        costs = best[starts] + squares + penalty
        begins[end] = int(np.argmin(costs))
        best[end] = costs[begins[end]]
    bounds, end = [], n
    while end > 0:  # from the last level back to the first
        end = int(begins[end])
        bounds.append(end)
    return bounds[::-1]


def _told(
    values: Floats, weights: Floats, bounds: Sequence[int], known: np.ndarray[tuple[int], np.dtype[np.intp]]
) -> list[Step]:
    """Return the steps between levels that are large enough to tell."""
    ends = [*bounds[1:], len(values)]
    levels = [
        float(np.average(values[start:end], weights=weights[start:end]))
        for start, end in zip(bounds, ends, strict=True)
    ]
    return [
        Step(int(known[start]), before, after)
        for start, before, after in zip(bounds[1:], levels, levels[1:], strict=False)
        if abs(after - before) >= SMALLEST
    ]
