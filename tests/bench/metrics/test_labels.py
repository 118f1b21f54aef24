"""Metrics of several labels agree with scikit-learn's, and say nothing where examples do not define them."""

import numpy as np
import pytest
from hypothesis import given
from sklearn import metrics as reference

from bench.column import Dense, dense
from bench.metric import Metric
from bench.metrics import labels as metrics
from tests.bench.metrics.drawn import labelled, value_of

Drawn = tuple[Dense, Dense]


@given(labelled())
def test_average_precision_is_the_mean_of_scikit_learns_over_labels_that_occur(drawn: Drawn) -> None:
    logits, present = drawn[0]["logit"], drawn[1]["present"]
    occur = np.flatnonzero(present.any(axis=0))
    if not len(occur):
        assert metrics.MACRO_AVERAGE_PRECISION.compute(*drawn, None) is None
        return
    expected = np.mean([reference.average_precision_score(present[:, one], logits[:, one]) for one in occur])
    assert value_of(metrics.MACRO_AVERAGE_PRECISION, *drawn) == pytest.approx(expected)


@pytest.mark.parametrize(("metric", "average"), [(metrics.MACRO_F1, "macro"), (metrics.MICRO_F1, "micro")])
@given(drawn=labelled())
def test_f1_is_that_of_scikit_learn(metric: Metric, average: str, drawn: Drawn) -> None:
    present, predicted = drawn[1]["present"], drawn[0]["logit"] > 0
    # As one label per column: a matrix of a single column would be taken for two classes.
    each = [reference.f1_score(present[:, one], predicted[:, one], zero_division=0) for one in range(present.shape[1])]
    pooled = reference.f1_score(present.ravel(), predicted.ravel(), zero_division=0)
    assert value_of(metric, *drawn) == pytest.approx(np.mean(each) if average == "macro" else pooled)


def test_a_label_that_is_nowhere_counts_zero() -> None:
    drawn = (dense(logit=np.array([[1.0, -1.0]], dtype=np.float32)), dense(present=[[True, False]]))
    assert value_of(metrics.MACRO_F1, *drawn) == 0.5
    assert value_of(metrics.MICRO_F1, *drawn) == 1.0


@pytest.mark.parametrize("metric", metrics.METRICS, ids=lambda metric: metric.card.name)
def test_no_example_defines_nothing_and_a_faultless_prediction_is_perfect(metric: Metric) -> None:
    labels = dense(present=[[True, False], [False, True], [True, True]])
    logits = np.where(labels["present"], 3, -3).astype(np.float32)
    assert metric.compute(dense(logit=logits[:0]), labels.take([]), None) is None
    assert value_of(metric, dense(logit=logits), labels) == metric.card.perfect == 1
    assert value_of(metric, dense(logit=-logits), labels) < 1
    assert metric.card.higher_is_better
