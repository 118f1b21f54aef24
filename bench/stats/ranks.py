"""Ranks: of values, and their intervals from paired comparisons."""

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bench.stats.intervals import CONFIDENCE, Floats
from bench.stats.multiplicity import holm
from bench.stats.replicates import Replicates
from bench.stats.uncertainty import contrast, pooled


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


def rank_intervals(rows: Sequence[Sequence[Replicates]]) -> RankIntervals:
    """Return intervals that hold the ranks of all rows at once with 95 % confidence; the highest means rank first.

    A row has its values on one task or more, all rows on the same. Every two rows are compared by the mean difference
    over tasks, of the seeds that both have (see `bench.stats.uncertainty`), with Holm's correction for the number of
    pairs. A row ranks behind as many as clearly beat it, and ahead of as many as it clearly beats. A
    row without any value has no rank and takes none. The construction is that of
    Al Mohamad, Goeman and van Zwet (2022), Simultaneous confidence intervals for ranks with application to ranking
    institutions, Biometrics 78(1), and of Mogstad, Romano, Shaikh and Wilhelm (2024), Inference for ranks, Review of
    Economic Studies 91(1); Holm's correction in place of Tukey's since rows share seeds and differ in spread.
    """
    found = [
        pooled([contrast(mine - theirs) for mine, theirs in zip(*pair, strict=True)]) for pair in combinations(rows, 2)
    ]
    known = [all(map(len, row)) for row in rows]
    return ranks_of_pairs([one.mean for one in found], [one.p for one in found], known)


def ranks_of_pairs(gaps: Sequence[float], p: Sequence[float], known: ArrayLike) -> RankIntervals:
    """Return the rank intervals of n rows, of which those `known` [n] have a value.

    `gaps` and `p` are by how much the first of every two rows is ahead, and how likely that is by chance, nan without a
    test; pairs are in the order of `itertools.combinations`.
    """
    counted = np.asarray(known, dtype=np.bool_)
    n_rows = len(counted)
    ones, others = np.triu_indices(n_rows, k=1)  # in the order of combinations
    clear = holm(p) <= 1 - CONFIDENCE  # nan is not clear
    ahead = np.asarray(gaps, dtype=np.float64) > 0
    beats = np.zeros((n_rows, n_rows), dtype=np.bool_)
    beats[ones, others], beats[others, ones] = clear & ahead, clear & ~ahead
    low = np.where(counted, 1.0 + beats.sum(axis=0), np.nan)
    high = np.where(counted, float(counted.sum()) - beats.sum(axis=1), np.nan)
    return RankIntervals(low, high, beats)


def may_be_best(rows: Sequence[Replicates]) -> NDArray[np.bool_]:
    """Return which rows no other clearly beats: with 95 % confidence they hold the best.

    Each row is compared with all others with Holm's correction for their number, n_rows - 1: the best row is lost only
    if one of its own comparisons errs, so that no more have to be paid for. A row without any value is not among them.
    Source: the subsets of Gupta (1965), On some multiple decision (selection and ranking) rules, Technometrics 7(2),
    and Hsu (1981), Annals of Statistics 9(5).
    """
    return np.array(
        [len(row) > 0 and not _beaten(row, [*rows[:place], *rows[place + 1 :]]) for place, row in enumerate(rows)],
        dtype=np.bool_,
    )


def _beaten(ours: Replicates, others: Sequence[Replicates]) -> bool:
    """Return whether one of the others is clearly above ours, with Holm's correction for their number."""
    found = [contrast(other - ours) for other in others]
    clear = holm([one.p for one in found]) <= 1 - CONFIDENCE
    return any(one.mean > 0 for one, sure in zip(found, clear, strict=True) if sure)
