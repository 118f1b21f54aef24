"""Standings over unlike tasks: how often one row beats another, over tasks and seeds.

Accuracies and errors of forecasts have no common mean, but on each task it can be said who is ahead. Tasks are the
sample: an interval is about other tasks like these, of which there are few, so that it is wide.
"""

from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from bench.stats.intervals import Floats
from bench.stats.ranks import RankIntervals, ranks_of_pairs
from bench.stats.uncertainty import student


class WinRates(NamedTuple):
    """The share of others that each row beats [n_rows], with its 95 % interval over tasks; nan without a value."""

    mean: Floats
    lower: Floats
    upper: Floats


def duels(values: ArrayLike, *, decimals: int) -> Floats:
    """Return how often each row is ahead of each other one, [n_rows, n_rows], from values [n_rows, n_seeds].

    Over the seeds that both have, ties half; what agrees to `decimals` ties. Missing where there is no such seed.
    """
    v = np.round(np.asarray(values, dtype=np.float64), decimals)
    gaps = v[:, None] - v[None]  # [n_rows, n_rows, n_seeds]
    wins = np.where(np.isnan(gaps), np.nan, (np.sign(gaps) + 1) / 2)
    known = (~np.isnan(wins)).sum(axis=2)
    shares: Floats = np.divide(np.nansum(wins, axis=2), known, out=np.full(known.shape, np.nan), where=known > 0)
    return shares


def win_rates(tasks: ArrayLike) -> WinRates:
    """Return the win rates of rows from their duels on tasks [n_tasks, n_rows, n_rows]: every task counts once.

    The interval is Student's over tasks, cut to [0, 1]; with a single task there is none.
    """
    d = np.asarray(tasks, dtype=np.float64)
    others = ~np.eye(d.shape[1], dtype=np.bool_)
    with_others = np.where(others & ~np.isnan(d), d, 0.0).sum(axis=2)
    counts = (others & ~np.isnan(d)).sum(axis=2)
    rates = np.divide(with_others, counts, out=np.full(counts.shape, np.nan), where=counts > 0)  # [n_tasks, n_rows]
    found = [student(column[~np.isnan(column)]) for column in rates.T]
    ends = np.array([one.interval() for one in found]).reshape(-1, 2)
    return WinRates(np.array([one.mean for one in found]), ends[:, 0].clip(0, 1), ends[:, 1].clip(0, 1))


def ranks_over_tasks(tasks: ArrayLike) -> RankIntervals:
    """Return intervals that hold the ranks of all rows at once, over other tasks like these, from duels as above.

    Two rows are compared by how often one is ahead, over the tasks that both have, with Holm's correction for the
    number of pairs. No p-value is below that of the sign test over these n tasks, 2^(1 - n): however alike five tasks
    are, the sixth may differ.
    """
    d = np.asarray(tasks, dtype=np.float64)
    shared = [_known(d[:, one, other]) for one, other in combinations(range(d.shape[1]), 2)]
    found = [student(of_pair - 0.5) for of_pair in shared]
    p = [max(_p_of(one.mean, one.p), 2.0 ** (1 - len(of_pair))) for one, of_pair in zip(found, shared, strict=True)]
    alone = np.eye(d.shape[1], dtype=np.bool_)
    known = ~np.isnan(np.where(alone, np.nan, d)).all(axis=(0, 2))
    return ranks_of_pairs([one.mean for one in found], p, known)


def _known(values: Floats) -> Floats:
    return values[~np.isnan(values)]


def _p_of(mean: float, p: float) -> float:
    """Return a p-value; two rows that always tie are not told apart."""
    return 1.0 if np.isnan(p) or mean == 0 else p
