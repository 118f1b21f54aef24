"""Ranks, held against scipy's own and a case worked by hand; their intervals hold the true ranks."""

import math
from collections.abc import Iterable

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import ArrayLike, NDArray
from scipy import stats as reference

from bench import stats
from tests.bench.stats.replicated import seeds_alone


def ranked(rows: Iterable[ArrayLike]) -> stats.RankIntervals:
    """Return the rank intervals of values [n_rows, n_seeds] on one task."""
    return stats.rank_intervals([[seeds_alone(row)] for row in rows])


def best_of(rows: Iterable[ArrayLike]) -> NDArray[np.bool_]:
    """Return which rows of values [n_rows, n_seeds] may be the best."""
    return stats.may_be_best([seeds_alone(row) for row in rows])


@given(st.lists(st.sampled_from([0.1, 0.2, 0.3, 0.4]), min_size=1, max_size=9))
def test_ranks_are_scipys_with_ties_sharing_the_best(values: list[float]) -> None:
    assert stats.competition_ranks(values).tolist() == reference.rankdata(-np.array(values), method="min").tolist()


def test_what_has_no_value_has_no_rank_and_moves_nobody() -> None:
    assert stats.competition_ranks([0.5, math.nan, 0.9])[[0, 2]].tolist() == [2, 1]
    assert np.isnan(stats.competition_ranks([0.5, math.nan])[1])


def test_a_rank_interval_counts_who_clearly_beats_whom() -> None:
    # The first row is ahead of both others by 0.3 for every seed but for 0.001; the others change places.
    values = [[0.900, 0.901, 0.902, 0.903], [0.6, 0.6, 0.6, 0.6], [0.5, 0.7, 0.55, 0.66]]
    found = ranked(values)
    assert found.low.tolist() == [1, 2, 2]
    assert found.high.tolist() == [1, 3, 3]
    assert found.beats.tolist() == [[False, True, True], [False] * 3, [False] * 3]


def test_rows_are_compared_as_often_as_there_are_pairs() -> None:
    differences = np.array([0.02, 0.05, 0.03, 0.06, 0.01])
    p = reference.ttest_1samp(differences, 0).pvalue
    assert 0.05 / 3 < p < 0.05
    two = ranked([differences, np.zeros(5)])
    three = ranked([differences, np.zeros(5), np.array([0.04, -0.03, 0.02, 0.05, -0.01])])
    assert two.beats[0, 1]
    assert not three.beats.any()


def test_one_seed_ranks_nobody_clearly_and_rows_without_a_value_take_no_rank() -> None:
    assert ranked([[0.9], [0.1], [math.nan]]).high[:2].tolist() == [2, 2]
    gap = ranked([[0.9, 0.91, 0.92], [math.nan] * 3, [0.1, 0.11, 0.12]])
    assert gap.low[[0, 2]].tolist() == gap.high[[0, 2]].tolist() == [1, 2]
    assert np.isnan([gap.low[1], gap.high[1]]).all()


def test_rows_on_several_tasks_are_compared_by_the_mean_of_their_differences() -> None:
    # On the first task ahead by .3, on the second behind by .1, each with a little spread: .1 ahead on average.
    ours = [seeds_alone([0.80, 0.81, 0.79]), seeds_alone([0.50, 0.51, 0.49])]
    theirs = [seeds_alone([0.5] * 3), seeds_alone([0.6] * 3)]
    assert stats.rank_intervals([ours, theirs]).high.tolist() == [1, 2]
    noisy = [theirs[0], seeds_alone([0.3, 0.9, 0.6])]
    assert stats.rank_intervals([ours, noisy]).high.tolist() == [2, 2], "one task leaves the mean open"
    gap = [theirs[0], seeds_alone([math.nan] * 3)]
    assert np.isnan(stats.rank_intervals([ours, gap]).high).tolist() == [False, True]


def test_rank_intervals_hold_all_true_ranks_at_once_in_95_of_100_draws() -> None:
    rng, truth = np.random.default_rng(0), np.array([0.80, 0.79, 0.79, 0.70])
    best, worst = np.array([1, 2, 2, 4]), np.array([1, 3, 3, 4])
    held = []
    for _ in range(1000):
        drawn = truth[:, None] + rng.normal(size=5) * 0.02 + rng.normal(size=(4, 5)) * 0.01
        found = ranked(drawn)
        held.append((found.low <= best).all() and (found.high >= worst).all())
    assert np.mean(held) >= 0.94


def test_a_row_may_be_the_best_unless_another_clearly_beats_it() -> None:
    ahead = np.array([0.02, 0.05, 0.03, 0.06, 0.01])
    assert best_of([ahead, np.zeros(5)]).tolist() == [True, False]
    assert best_of([[0.9, 0.9], [0.9, 0.9], [math.nan] * 2, [0.1, 0.1]]).tolist() == [
        True,
        True,
        False,
        False,
    ]
    assert best_of([[0.9], [0.1]]).all()


def test_each_row_pays_for_its_own_comparisons_only() -> None:
    # p is 0.021: clear as one of two comparisons, not as one of the three that there are among three rows
    ahead = np.array([0.02, 0.05, 0.03, 0.06, 0.01])
    assert 0.05 / 3 < reference.ttest_1samp(ahead, 0).pvalue < 0.05 / 2
    unclear = np.array([0.04, -0.03, 0.02, 0.05, -0.01])
    assert best_of([ahead, np.zeros(5), unclear]).tolist() == [True, False, True]


def test_the_best_is_among_those_that_may_be_in_95_of_100_draws() -> None:
    rng, truth = np.random.default_rng(0), np.array([0.80, 0.799, 0.799, 0.798, 0.70])
    kept = []
    for _ in range(1000):
        drawn = truth[:, None] + rng.normal(size=5) * 0.02 + rng.normal(size=(5, 5)) * 0.01
        kept.append(best_of(drawn)[0])
    assert np.mean(kept) >= 0.95
