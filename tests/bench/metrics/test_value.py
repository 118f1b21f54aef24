"""Metrics of values agree with scikit-learn's and scipy's, and say nothing where examples do not define them."""

import numpy as np
import pytest
from hypothesis import given
from scipy import stats
from sklearn import metrics as reference

from bench.column import Dense, dense
from bench.metric import Metric
from bench.metrics import value
from tests.bench.metrics.drawn import value_of, valued

Drawn = tuple[Dense, Dense]


@given(valued())
def test_errors_are_those_of_scikit_learn(drawn: Drawn) -> None:
    predictions, labels = (column["value"] for column in drawn)
    assert value_of(value.MAE, *drawn) == pytest.approx(reference.mean_absolute_error(labels, predictions))
    assert value_of(value.RMSE, *drawn) == pytest.approx(reference.root_mean_squared_error(labels, predictions))


@given(valued())
def test_r2_is_that_of_scikit_learn_where_labels_differ(drawn: Drawn) -> None:
    predictions, labels = (column["value"] for column in drawn)
    if len(np.unique(labels)) < 2:
        assert value.R2.compute(*drawn, None) is None
    else:
        assert value_of(value.R2, *drawn) == pytest.approx(reference.r2_score(labels, predictions))


@given(valued())
def test_spearman_is_that_of_scipy_where_both_differ(drawn: Drawn) -> None:
    predictions, labels = (column["value"] for column in drawn)
    if len(np.unique(labels)) < 2:
        assert value.SPEARMAN.compute(*drawn, None) is None
    elif len(np.unique(predictions)) < 2:
        assert value.SPEARMAN.compute(*drawn, None) == 0, "as on average in an order by chance"
    else:
        expected = stats.spearmanr(predictions, labels).statistic
        assert value_of(value.SPEARMAN, *drawn) == pytest.approx(expected, abs=1e-12)


def test_equal_labels_define_no_r2_however_their_mean_is_rounded() -> None:
    labels = dense(value=np.full(7, 0.1))
    assert value.R2.compute(dense(value=np.arange(7.0)), labels, None) is None
    assert value.SPEARMAN.compute(dense(value=np.arange(7.0)), labels, None) is None


@pytest.mark.parametrize("metric", value.METRICS, ids=lambda metric: metric.card.name)
def test_no_example_defines_nothing_and_a_faultless_prediction_is_perfect(metric: Metric) -> None:
    labels = dense(value=np.array([1.0, 2.0, 4.0]))
    assert metric.compute(labels.take([]), labels.take([]), None) is None
    assert value_of(metric, labels, labels) == pytest.approx(metric.card.perfect)
    worse = value_of(metric, dense(value=np.array([4.0, 1.0, 2.0])), labels)
    assert (worse < metric.card.perfect) == metric.card.higher_is_better
    assert np.isnan(value_of(metric, dense(value=np.array([np.nan, 1.0, 2.0])), labels))
