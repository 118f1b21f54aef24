"""Test inversion along learning curves: at which numbers of labels is a paired difference decided, and how?

An interval for a number of labels (label savings, a crossover) holds every number at which the paired t test over seeds
does not reject that the difference is zero. Between two budgets each seed's own curve is a straight line over the
logarithm of the number of labels, so the difference there is a combination of its values at both, the test holds its
level exactly for normal scores, and where its verdict changes is the root of a quadratic: the theorem of Fieller
(1954), Some problems in interval estimation, Journal of the Royal Statistical Society B 16(2), with the quantile of
Student (1908), The probable error of a mean, Biometrika 6(1).

The percentile bootstrap over seeds, the usual way, does not serve: where it promises 95 % it held the truth in 84 % of
1,000 simulated draws of five seeds and in 74 % of three, against 94 and 95 % this way: see
`tests/bench/stats/test_coverage.py`.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bench.stats.intervals import ROUNDING, Floats, half_width


class Stretches(NamedTuple):
    """A measured range, cut where the verdict of the paired test changes.

    `edges` [n + 1] are numbers of labels that do not fall, `sides` [n] say for the stretch between two of them whether
    the difference is clearly below zero (-1), clearly above (1) or not decided (0).
    """

    edges: Floats
    sides: NDArray[np.int64]

    def where_not_behind(self) -> float:
        """Return the number of labels up to which the difference is clearly below zero; -inf if not even at first."""
        return self._left_of_first(self.sides != -1)

    def where_last_behind(self) -> float:
        """Return the last number of labels at which the difference is clearly below zero; -inf if it never is."""
        behind = np.flatnonzero(self.sides == -1)
        return float(self.edges[behind[-1] + 1]) if len(behind) else -np.inf

    def where_ahead(self) -> float:
        """Return from which number of labels on the difference is clearly above zero; inf if not even at last."""
        others = np.flatnonzero(self.sides != 1)
        if len(others) == 0:
            return float(self.edges[0])
        return np.inf if others[-1] == len(self.sides) - 1 else float(self.edges[others[-1] + 1])

    def _left_of_first(self, wanted: NDArray[np.bool_]) -> float:
        if not wanted.any():
            return float(self.edges[-1])
        first = int(np.argmax(wanted))
        return float(self.edges[first]) if first else -np.inf


def stretches(n_labels: ArrayLike, differences: ArrayLike) -> Stretches:
    """Return where differences [n_seeds, n_budgets] at rising `n_labels` [n_budgets] are decided, and how.

    At least two seeds, no gaps.
    """
    labels, d = np.asarray(n_labels, dtype=np.float64), np.asarray(differences, dtype=np.float64)
    assert len(d) > 1, "a test needs two seeds"
    assert not np.isnan(d).any(), "seeds with gaps have no curve"
    if len(labels) == 1:  # a stretch of no length
        labels, d = np.repeat(labels, 2), np.repeat(d, 2, axis=1)
    start, rise = d[:, :-1], np.diff(d, axis=1)  # [n_seeds, n_segments]
    shares = np.sort(np.vstack([np.zeros(rise.shape[1]), _changes(start, rise)]), axis=0)  # [4, n_segments], nan last
    ends = np.vstack([shares[1:], np.full(rise.shape[1], np.nan)])
    middles = (shares + np.where(np.isnan(ends), 1.0, ends)) / 2
    sides = _sides(start[:, None, :] + middles * rise[:, None, :])  # [4, n_segments]
    edges = labels[:-1] * (labels[1:] / labels[:-1]) ** shares
    known = ~np.isnan(shares.T)  # segment by segment
    return Stretches(np.append(edges.T[known], labels[-1]), sides.T[known])


def _changes(start: Floats, rise: Floats) -> Floats:
    """Return at which shares of each segment, inside it, the verdict may change [3, n_segments]; nan for none.

    With u the share, the difference of a seed is start + u rise. The test does not reject where mean^2 <= k variance,
    k = t^2 / n: a quadratic in u. Where seeds agree it has no two roots, but the mean goes through zero.
    """
    n_seeds = len(start)
    k = float(half_width(1.0, n_seeds)) ** 2
    centred, tilted = start - start.mean(axis=0), rise - rise.mean(axis=0)
    variance, covariance, steepness = (
        (one * other).sum(axis=0) / (n_seeds - 1)
        for one, other in ((centred, centred), (centred, tilted), (tilted, tilted))
    )
    m, r = start.mean(axis=0), rise.mean(axis=0)
    a, half_b, c = r**2 - k * steepness, m * r - k * covariance, m**2 - k * variance
    with np.errstate(divide="ignore", invalid="ignore"):  # a root that is not there is nan or infinite
        z = -(half_b + np.copysign(np.sqrt(half_b**2 - a * c), half_b))
        roots = np.stack([z / a, c / z, -m / r])
    return np.where((roots > 0) & (roots < 1), roots, np.nan)


def _sides(differences: Floats) -> NDArray[np.int64]:
    """Return the verdict of the paired t test on differences [n_seeds, ...]: -1, 0 or 1."""
    mean, deviation = differences.mean(axis=0), differences.std(axis=0, ddof=1)
    margin = half_width(np.where(deviation > ROUNDING, deviation, 0.0), len(differences))
    decided = np.abs(mean) > np.maximum(margin, ROUNDING)
    return np.where(decided, np.sign(mean), 0).astype(np.int64)
