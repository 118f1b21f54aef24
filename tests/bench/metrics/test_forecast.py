"""Metrics of forecasts agree with statsmodels and scikit-learn."""

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as reference
from statsmodels.tools import eval_measures

from bench.column import Dense, dense
from bench.metric import Metric
from bench.metrics import forecast
from tests.bench.metrics.drawn import seeds, value_of


class Forecasts(NamedTuple):
    predictions: Dense
    labels: Dense
    facts: Dense


@st.composite
def forecasts(draw: st.DrawFn) -> Forecasts:
    rng = np.random.default_rng(draw(seeds))
    shape = (draw(st.integers(1, 20)), draw(st.integers(1, 6)))
    predicted, future = rng.normal(10, 5, (2, *shape)) * (rng.random((2, *shape)) < 0.8)  # some values are 0
    return Forecasts(dense(future=predicted), dense(future=future), dense(unit=rng.uniform(0.1, 9, shape[0])))


@given(forecasts())
def test_errors_in_units_are_those_of_series_divided_by_their_units(drawn: Forecasts) -> None:
    scaled = [column["future"] / drawn.facts["unit"][:, None] for column in (drawn.labels, drawn.predictions)]
    assert value_of(forecast.MASE, *drawn) == pytest.approx(reference.mean_absolute_error(*scaled))
    assert value_of(forecast.MSE, *drawn) == pytest.approx(reference.mean_squared_error(*scaled))


@given(forecasts())
def test_mae_is_on_the_raw_scale(drawn: Forecasts) -> None:
    expected = eval_measures.meanabs(drawn.labels["future"], drawn.predictions["future"], axis=None)
    assert value_of(forecast.MAE, *drawn) == pytest.approx(float(np.mean(expected)))


@given(forecasts())
def test_smape_is_that_of_the_m4_competition_and_zero_for_zeros(drawn: Forecasts) -> None:
    pairs = zip(drawn.labels["future"].flat, drawn.predictions["future"].flat, strict=True)
    terms = [200 * abs(y - f) / (abs(y) + abs(f)) if y or f else 0.0 for y, f in pairs]
    assert value_of(forecast.SMAPE, *drawn) == pytest.approx(np.mean(terms), abs=1e-12)


def test_by_hand() -> None:
    predictions, labels = dense(future=[[1.0, 3.0], [0.0, 0.0]]), dense(future=[[2.0, 1.0], [0.0, 4.0]])
    facts = dense(unit=[2.0, 4.0], season=[7, 7])
    found = {metric.card.name: value_of(metric, predictions, labels, facts) for metric in forecast.METRICS}
    assert found["mase"] == pytest.approx((0.5 + 1 + 0 + 1) / 4)
    assert found["mse"] == pytest.approx((0.25 + 1 + 0 + 1) / 4)
    assert found["mae"] == pytest.approx((1 + 2 + 0 + 4) / 4)
    assert found["smape"] == pytest.approx(200 * (1 / 3 + 2 / 4 + 0 + 1) / 4)


def test_a_series_without_a_scale_has_no_error_in_units() -> None:
    predictions, labels, facts = dense(future=[[1.0], [2.0]]), dense(future=[[2.0], [2.0]]), dense(unit=[1.0, 0.0])
    assert forecast.MASE.compute(predictions, labels, facts) is None
    assert forecast.MSE.compute(predictions, labels, facts) is None
    assert value_of(forecast.MAE, predictions, labels, facts) == 0.5


@pytest.mark.parametrize("metric", forecast.METRICS, ids=lambda metric: metric.card.name)
def test_no_example_defines_nothing_and_a_faultless_prediction_is_perfect(metric: Metric) -> None:
    labels, facts = dense(future=[[2.0, 1.0], [0.0, 4.0]]), dense(unit=[2.0, 4.0])
    assert metric.compute(labels.take([]), labels.take([]), facts.take([])) is None
    assert value_of(metric, labels, labels, facts) == metric.card.perfect
    assert value_of(metric, dense(future=labels["future"] + 1), labels, facts) > metric.card.perfect
    assert not metric.card.higher_is_better
    assert np.isnan(value_of(metric, dense(future=labels["future"] * np.nan), labels, facts))
