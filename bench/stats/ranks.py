"""Ranks: of values, and their intervals from paired comparisons over seeds."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bench.stats.intervals import CONFIDENCE, Floats
from bench.stats.multiplicity import holm, paired_p


class RankIntervals(NamedTuple):
    """The best and the worst rank that each of n rows may have, nan without a value, and which rows clearly beat which.

    `beats[i, j]` says that row i is clearly ahead of row j.
    """

    low: Floats
    high: Floats
    beats: NDArray[np.bool_]


def competition_ranks(values: ArrayLike) -> Floats:
    """Return ranks from 1 for the highest; equal values share the best rank of theirs (1, 2, 2, 4), nan has none."""
    v = np.asarray(values, dtype=np.float64)  # [n]
    ranks = 1.0 + (v[:, None] < v[None, :]).sum(axis=1)  # [n]: one more than how many are higher
    return np.where(np.isnan(v), np.nan, ranks)


def rank_intervals(values: ArrayLike) -> RankIntervals:
    """Return intervals that hold the ranks of all rows at once with 95 % confidence; values are [n_rows, n_seeds].

    Every two rows are compared by the paired t test over the seeds that both have, with Holm's correction for the
    number of pairs. A row ranks behind as many as clearly beat it, and ahead of as many as it clearly beats. Without
    two seeds nothing is clear. A row without any value has no rank and takes none. The construction is that of
    Al Mohamad, Goeman and van Zwet (2022), Simultaneous confidence intervals for ranks with application to ranking
    institutions, Biometrics 78(1), and of Mogstad, Romano, Shaikh and Wilhelm (2024), Inference for ranks, Review of
    Economic Studies 91(1); Holm's correction in place of Tukey's since rows share seeds and differ in spread.
    """
    v = np.asarray(values, dtype=np.float64)
    n_rows = len(v)
    ones, others = np.triu_indices(n_rows, k=1)
    differences = v[ones] - v[others]  # [n_pairs, n_seeds]
    clear = holm([paired_p(pair) for pair in differences]) <= 1 - CONFIDENCE  # nan is not clear
    ahead = np.array([np.nansum(pair) > 0 for pair in differences], dtype=np.bool_)
    beats = np.zeros((n_rows, n_rows), dtype=np.bool_)
    beats[ones, others], beats[others, ones] = clear & ahead, clear & ~ahead
    known = ~np.isnan(v).all(axis=1)
    low = np.where(known, 1.0 + beats.sum(axis=0), np.nan)
    high = np.where(known, float(known.sum()) - beats.sum(axis=1), np.nan)
    return RankIntervals(low, high, beats)


def may_be_best(values: ArrayLike) -> NDArray[np.bool_]:
    """Return which rows of values [n_rows, n_seeds] no other clearly beats: with 95 % confidence they hold the best.

    Each row is compared with all others by paired t tests with Holm's correction for their number, n_rows - 1: the best
    row is lost only if one of its own comparisons errs, so that no more have to be paid for. Without two seeds nothing
    is clear; a row without any value is not among them. Source: the subsets of Gupta (1965), On some multiple decision
    (selection and ranking) rules, Technometrics 7(2), and Hsu (1981), Annals of Statistics 9(5).
    """
    v = np.asarray(values, dtype=np.float64)
    return np.array(
        [not np.isnan(v[row]).all() and not _beaten(v[row], np.delete(v, row, axis=0)) for row in range(len(v))]
    )


def _beaten(ours: Floats, others: Floats) -> bool:
    """Return whether one of the others [n, n_seeds] is clearly above ours [n_seeds], with Holm's correction for n."""
    ahead = others - ours
    clear = holm([paired_p(pair) for pair in ahead]) <= 1 - CONFIDENCE
    return any(np.nansum(pair) > 0 for pair in ahead[clear])
