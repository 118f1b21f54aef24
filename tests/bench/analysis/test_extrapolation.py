"""What more labels would bring: a forecast, and how far off it was where it could be checked."""

from pathlib import Path

import numpy as np
import pytest

from bench.analysis.curves import Curves
from bench.analysis.extrapolation import MoreLabels, more_labels_of
from tests.bench.analysis.drawn import LABELS, around, drawn_curves
from tests.bench.analysis.example import TASKS

LAW = [0.1 + n**-0.5 for n in LABELS]  # errors


def forecast(curves: Curves) -> list[MoreLabels]:
    """Return the forecasts of the only task of a run."""
    return next(iter(more_labels_of([curves]).values()))


def test_a_curve_that_follows_a_power_law_is_predicted(tmp_path: Path) -> None:
    curves = drawn_curves(tmp_path, {"full": around(*(1 - error for error in LAW[:4]))})
    (found,) = forecast(curves)
    assert (found.strategy, found.amount, found.doubled_labels) == ("full", 10_000, 20_000)
    assert found.measured == pytest.approx(1 - LAW[3])
    assert found.off == pytest.approx(0, abs=1e-6)
    assert found.doubled_score == pytest.approx(1 - (0.1 + 20_000**-0.5))
    assert found.gain == pytest.approx(10_000**-0.5 - 20_000**-0.5)


def test_an_error_falls_by_its_gain(tmp_path: Path) -> None:
    curves = drawn_curves(tmp_path, {"full": around(*LAW[:4])}, entry=TASKS["series"], chance=1.0)
    (found,) = forecast(curves)
    assert found.gain > 0
    assert found.doubled_score == pytest.approx(found.measured - found.gain)


def test_a_forecast_that_was_off_says_in_which_direction(tmp_path: Path) -> None:
    better = drawn_curves(tmp_path, {"full": around(*(1 - error for error in LAW[:3]), 1 - LAW[3] + 0.03)})
    (found,) = forecast(better)
    assert found.off == pytest.approx(-0.03, abs=1e-6)


def test_three_budgets_are_continued_but_not_checked_and_two_are_not_continued(tmp_path: Path) -> None:
    curves = drawn_curves(tmp_path, {"linear_probe": around(0.5, 0.6), "full": around(0.5, 0.7, 0.8)})
    (found,) = forecast(curves)
    assert found.strategy == "full"
    assert np.isnan([found.predicted, found.off]).all()
    assert found.gain > 0


def test_no_score_is_foretold_above_perfect(tmp_path: Path) -> None:
    curves = drawn_curves(tmp_path, {"full": around(0.2, 0.6, 0.9, 1.0, spread=0.0)})
    (found,) = forecast(curves)
    assert found.doubled_score <= 1


def test_the_interval_of_a_gain_has_how_far_the_fit_was_off_over_the_whole_run(tmp_path: Path) -> None:
    exact = [1 - error for error in LAW[:4]]
    curves = drawn_curves(tmp_path, {"linear_probe": around(*exact), "full": around(*exact[:3], exact[3] + 0.03)})
    # Off by 0 and .03: a mean square of .00045. The mean of five seeds has .01^2 x (2.5 / 4) / 5 = .0000125, and
    # t(.975; 1) is 12.706.
    margin = 12.7062 * (0.00045 + 0.0000125) ** 0.5
    for found in forecast(curves):
        assert [found.gain_lower, found.gain_upper] == pytest.approx(
            [found.gain - margin, found.gain + margin], abs=1e-4
        )


def test_a_fit_that_was_checked_once_has_no_interval_and_two_tasks_check_it_twice(tmp_path: Path) -> None:
    exact = [1 - error for error in LAW[:4]]
    one = drawn_curves(tmp_path / "one", {"full": around(*exact)})
    (alone,) = forecast(one)
    assert np.isnan([alone.gain_lower, alone.gain_upper]).all()
    # .09 off on a range of 1.0 is as far as .081 on one of .9, from chance to perfect
    errors = drawn_curves(
        tmp_path / "errors", {"full": around(*LAW[:3], LAW[3] + 0.09)}, entry=TASKS["series"], chance=1.0
    )
    both = more_labels_of([one, errors])
    assert list(both) == [("pictures", "bundled:eyes"), ("series", "bundled:eyes")]
    (found,) = both["pictures", "bundled:eyes"]
    margin = 12.7062 * (0.081**2 / 2 + 0.0000125) ** 0.5
    assert found.gain_upper - found.gain == pytest.approx(margin, rel=1e-3)
