"""Scores under shift, averaged over seeds."""

from dataclasses import replace
from pathlib import Path

import pytest

from bench.analysis.shifts import shifted_scores
from bench.analysis.tables import read_tables
from bench.cell import Result, Scores, ShiftedScore
from bench.report.spreadsheets import shifts_csv
from tests.bench.analysis.example import BLOCKS, example, under_shift
from tests.bench.analysis.measured import Scores as Given
from tests.bench.analysis.measured import measured

SCORES: Given = {"scratch": {20: [0.5, 0.6]}, "full": {20: [0.97, 0.99], 200: [0.9, None]}}


def under_noise_and_blur(one: Result) -> Result:
    """Return the result with a score under noise, a tenth lower, and under blur, the plain one."""
    noise = under_shift(one, "noise", "=noise", one.score - 0.1, 0.2)
    return replace(one, shifted=(noise, under_shift(one, "blur", "blur", one.score, 0.1)))


def test_a_row_for_each_point_and_shift_by_hand(tmp_path: Path) -> None:
    table = shifted_scores(measured(tmp_path, SCORES, revise=under_noise_and_blur))
    assert table["strategy"].tolist() == ["scratch", "scratch", "full", "full", "full", "full"]
    assert table["shift"].tolist() == ["noise", "blur"] * 3
    assert table["mean"].tolist() == pytest.approx([0.45, 0.55, 0.88, 0.98, 0.8, 0.9])
    assert table["chance"].tolist() == pytest.approx([0.2, 0.1] * 3)
    assert table["n_seeds"].tolist() == [2, 2, 2, 2, 1, 1]
    # Two seeds .02 apart have the variance .0001, as 1,056 examples have of which .88 are right; 12.706^2 = 161.4:
    # (.88 + 161.4 / 2112 -+ sqrt(161.4 x .1056 / 1056 + 161.4^2 / 2112^2)) / (1 + 161.4 / 1056)
    assert table[["lower", "upper"]].to_numpy()[2] == pytest.approx([0.70099, 0.95823], abs=1e-5)
    # One seed leaves 100,000 test examples in 20 blocks: 2.093 x sqrt(.8 x .2 / 100,000) = .00265
    assert table[["lower", "upper"]].to_numpy()[4] == pytest.approx([0.8 - 0.00265, 0.8 + 0.00265], abs=2e-5)


def test_errors_under_shift_have_no_upper_limit(tmp_path: Path) -> None:
    scores: Given = {"full": {5: [1.4, 1.6]}}
    table = shifted_scores(measured(tmp_path, scores, task="series", revise=under_noise_and_blur))
    assert table.loc[1, "upper"] == pytest.approx(1.5 + 12.7062 * 0.1)


def test_examples_of_elsewhere_are_the_same_for_every_fold(tmp_path: Path) -> None:
    def in_folds(one: Result) -> Result:
        moved = tuple(one.score + (0.02 if place % 2 else -0.02) for place in range(len(BLOCKS)))
        scores = Scores({"accuracy": one.score}, {"accuracy": moved})
        tweets = ShiftedScore("tweets", "tweets", one.score, 0.1, 0.0, scores, scores, BLOCKS)
        return replace(one, folds=5, fold=one.cell.seed, n_train=160.0, shifted=(tweets,))

    table = shifted_scores(measured(tmp_path, {"full": {20: [0.800001, 0.8, 0.799999]}}, revise=in_folds))
    # Folds that agree say nothing of other tweets: each of 20 blocks moves the mean by .02, and .02^2 x 19 is V.
    lower, upper = table[["lower", "upper"]].to_numpy(dtype=float)[0]
    assert upper - lower > 0.1


def test_cells_of_one_varied_stream_do_not_count(tmp_path: Path) -> None:
    varied: dict[str, Given] = {"order": {"full": {20: [0.1]}}}
    table = shifted_scores(measured(tmp_path, SCORES, varied=varied, revise=under_noise_and_blur))
    assert table.loc[(table["strategy"] == "full") & (table["budget"] == "0.1"), "n_seeds"].tolist() == [2, 2]


def test_the_file_has_fixed_formats_and_no_formulas(tmp_path: Path) -> None:
    lines = shifts_csv(shifted_scores(measured(tmp_path, SCORES, revise=under_noise_and_blur))).splitlines()
    assert lines[0] == "task,backbone,strategy,budget,amount,shift,title,mean,lower,upper,chance,n_seeds"
    assert lines[5] == "pictures,bundled:eyes,full,all,200,noise,'=noise,0.800000,0.797339,0.802634,0.200000,1"


def test_without_shifts_there_are_no_rows(tmp_path: Path) -> None:
    assert shifted_scores(read_tables(example(tmp_path))).empty
