"""What more labels would bring: a forecast, and how far off it was where it could be checked."""

from pathlib import Path

import numpy as np
import pytest

from bench.analysis.extrapolation import more_labels_of
from tests.bench.analysis.drawn import LABELS, around, drawn_curves
from tests.bench.analysis.example import TASKS

LAW = [0.1 + n**-0.5 for n in LABELS]  # errors


def test_a_curve_that_follows_a_power_law_is_predicted(tmp_path: Path) -> None:
    curves = drawn_curves(tmp_path, {"full": around(*(1 - error for error in LAW[:4]))})
    (found,) = more_labels_of(curves)
    assert (found.strategy, found.amount, found.doubled_labels) == ("full", 10_000, 20_000)
    assert found.measured == pytest.approx(1 - LAW[3])
    assert found.off == pytest.approx(0, abs=1e-6)
    assert found.doubled_score == pytest.approx(1 - (0.1 + 20_000**-0.5))
    assert found.gain == pytest.approx(10_000**-0.5 - 20_000**-0.5)


def test_an_error_falls_by_its_gain(tmp_path: Path) -> None:
    curves = drawn_curves(tmp_path, {"full": around(*LAW[:4])}, entry=TASKS["series"], chance=1.0)
    (found,) = more_labels_of(curves)
    assert found.gain > 0
    assert found.doubled_score == pytest.approx(found.measured - found.gain)


def test_a_forecast_that_was_off_says_in_which_direction(tmp_path: Path) -> None:
    better = drawn_curves(tmp_path, {"full": around(*(1 - error for error in LAW[:3]), 1 - LAW[3] + 0.03)})
    (found,) = more_labels_of(better)
    assert found.off == pytest.approx(-0.03, abs=1e-6)


def test_three_budgets_are_continued_but_not_checked_and_two_are_not_continued(tmp_path: Path) -> None:
    curves = drawn_curves(tmp_path, {"linear_probe": around(0.5, 0.6), "full": around(0.5, 0.7, 0.8)})
    (found,) = more_labels_of(curves)
    assert found.strategy == "full"
    assert np.isnan([found.predicted, found.off]).all()
    assert found.gain > 0


def test_no_score_is_foretold_above_perfect(tmp_path: Path) -> None:
    curves = drawn_curves(tmp_path, {"full": around(0.2, 0.6, 0.9, 1.0, spread=0.0)})
    (found,) = more_labels_of(curves)
    assert found.doubled_score <= 1
