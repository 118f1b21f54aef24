"""Standings over unlike tasks: duels, win rates, and ranks that a sixth task might overturn."""

import numpy as np
import pytest

from bench.stats import duels, ranks_over_tasks, win_rates

NAN = float("nan")


def test_a_duel_is_the_share_of_shared_seeds_in_which_a_row_is_ahead_and_ties_are_half() -> None:
    found = duels([[0.7, 0.8, NAN], [0.6, 0.80001, 0.9]], decimals=3)
    assert found[0, 1] == pytest.approx(0.75)
    assert found[1, 0] == pytest.approx(0.25)


def test_a_win_rate_counts_every_task_once_with_student_over_tasks() -> None:
    first, second = np.array([[0.5, 1.0], [0.0, 0.5]]), np.array([[0.5, 0.5], [0.5, 0.5]])
    found = win_rates([first, second, first])
    assert found.mean == pytest.approx([5 / 6, 1 / 6])
    # the rates 1, .5, 1 deviate by .2887; t(.975; 2) = 4.3027, over sqrt(3): .717, cut at 1
    assert (found.lower[0], found.upper[0]) == pytest.approx((5 / 6 - 0.7171, 1.0), abs=1e-4)


def test_five_tasks_that_agree_leave_a_sixth_open_and_six_do_not() -> None:
    ahead = np.array([[0.5, 1.0], [0.0, 0.5]])
    assert ranks_over_tasks([ahead] * 5).high.tolist() == [2, 2]
    assert ranks_over_tasks([ahead] * 6).high.tolist() == [1, 2]


def test_only_the_tasks_that_two_rows_share_speak_of_the_two() -> None:
    ahead, unknown = np.array([[0.5, 1.0], [0.0, 0.5]]), np.array([[0.5, NAN], [NAN, 0.5]])
    assert not ranks_over_tasks([ahead] * 2 + [unknown] * 6).beats.any()
