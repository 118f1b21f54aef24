"""Metrics of classes agree with scikit-learn's, and say nothing where examples do not define them."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from numpy.typing import NDArray
from scipy.special import log_softmax as reference_log_softmax
from scipy.special import softmax
from sklearn import metrics as reference
from sklearn.calibration import calibration_curve

from bench.column import Dense, dense
from bench.metric import Metric
from bench.metrics import classes
from tests.bench.metrics.drawn import classified, value_of

Drawn = tuple[Dense, Dense]


def probabilities(predictions: Dense) -> NDArray[np.float64]:
    return np.asarray(softmax(predictions["logit"].astype(np.float64), axis=1))


def truth_and_guess(drawn: Drawn) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    predictions, labels = drawn
    return labels["class"], predictions["logit"].argmax(axis=1)


def named(*values: int) -> Dense:
    return dense(**{"class": np.array(values, dtype=np.int64)})


@given(classified())
def test_accuracy_is_the_share_of_right_classes_to_the_last_bit(drawn: Drawn) -> None:
    truth, guess = truth_and_guess(drawn)
    assert value_of(classes.ACCURACY, *drawn) == float((guess == truth).mean())
    assert value_of(classes.ACCURACY, *drawn) == pytest.approx(reference.accuracy_score(truth, guess))


@given(classified())
def test_balanced_accuracy_is_that_of_scikit_learn(drawn: Drawn) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # it warns of predicted classes that do not occur
        expected = reference.balanced_accuracy_score(*truth_and_guess(drawn))
    assert value_of(classes.BALANCED_ACCURACY, *drawn) == pytest.approx(expected)


@given(classified())
def test_macro_f1_is_that_of_scikit_learn(drawn: Drawn) -> None:
    expected = reference.f1_score(*truth_and_guess(drawn), average="macro")
    assert value_of(classes.MACRO_F1, *drawn) == pytest.approx(expected)


@given(classified())
def test_log_loss_is_that_of_scikit_learn(drawn: Drawn) -> None:
    predictions, labels = drawn
    known = list(range(predictions["logit"].shape[1]))
    expected = reference.log_loss(labels["class"], probabilities(predictions), labels=known)
    assert value_of(classes.LOG_LOSS, *drawn) == pytest.approx(expected)


def test_log_loss_of_certain_and_of_impossible_classes() -> None:
    certain = dense(logit=np.array([[800.0, 0.0], [0.0, -np.inf]], dtype=np.float32))
    assert value_of(classes.LOG_LOSS, certain, named(0, 0)) == 0
    assert value_of(classes.LOG_LOSS, certain, named(1, 0)) == 400
    assert value_of(classes.LOG_LOSS, certain, named(0, 1)) == np.inf


@given(classified())
def test_log_probabilities_are_those_of_scipy(drawn: Drawn) -> None:
    logits = drawn[0]["logit"]
    expected = reference_log_softmax(logits.astype(np.float64), axis=1)
    np.testing.assert_allclose(classes.log_softmax(logits), expected, rtol=1e-12, atol=1e-12)


def test_probabilities_next_to_one_are_told_apart() -> None:
    logs = classes.log_softmax(np.array([[50.0, 0.0], [60.0, 0.0]], dtype=np.float32))
    np.testing.assert_allclose(logs[:, 0], [-np.exp(-50), -np.exp(-60)], rtol=1e-12)


@given(classified())
def test_calibration_error_is_that_of_scikit_learns_curve(drawn: Drawn) -> None:
    """Each bin's gap comes from scikit-learn, its size from a histogram of closed upper ends."""
    truth, guess = truth_and_guess(drawn)
    confidence = probabilities(drawn[0]).max(axis=1)
    right, said = calibration_curve(truth == guess, np.minimum(confidence, 1), n_bins=15, strategy="uniform")
    sizes = np.array([((low < confidence) & (confidence <= high)).sum() for low, high in bins()])
    expected = (sizes[sizes > 0] * np.abs(right - said)).sum() / len(truth)
    assert value_of(classes.CALIBRATION_ERROR, *drawn) == pytest.approx(expected, abs=1e-9)


def bins() -> list[tuple[float, float]]:
    edges = np.linspace(0, 1, 16).tolist()
    return list(zip(edges[:-1], [*edges[1:-1], np.inf], strict=True))


def test_calibration_error_by_hand() -> None:
    # Two examples of confidence 0.9 of which one is right, two of 0.6 that are both right.
    logits = np.log(np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.4, 0.6]])).astype(np.float32)
    found = value_of(classes.CALIBRATION_ERROR, dense(logit=logits), named(0, 1, 0, 1))
    assert found == pytest.approx(0.5 * abs(0.5 - 0.9) + 0.5 * abs(1 - 0.6), abs=1e-6)


def contests(predictions: Dense) -> list[tuple[int, NDArray[np.float64]]]:
    """Return the classes that are held against the rest with their scores [n]; probabilities alike to 12 digits tie."""
    shown = probabilities(predictions)
    return [(one, shown[:, one].round(12)) for one in ([1] if shown.shape[1] == 2 else range(shown.shape[1]))]


@given(classified(min_size=8))
def test_auroc_is_that_of_scikit_learn_where_all_classes_occur(drawn: Drawn) -> None:
    predictions, labels = drawn
    k = predictions["logit"].shape[1]
    if len(np.unique(labels["class"])) < k:
        assert classes.AUROC.compute(predictions, labels, None) is None
        return
    expected = np.mean([reference.roc_auc_score(labels["class"] == one, shown) for one, shown in contests(predictions)])
    assert value_of(classes.AUROC, predictions, labels) == pytest.approx(expected)


@given(classified(min_size=8))
def test_average_precision_is_that_of_scikit_learn_where_all_classes_occur(drawn: Drawn) -> None:
    predictions, labels = drawn
    k = predictions["logit"].shape[1]
    if len(np.unique(labels["class"])) < k:
        assert classes.AVERAGE_PRECISION.compute(predictions, labels, None) is None
        return
    found = [reference.average_precision_score(labels["class"] == one, shown) for one, shown in contests(predictions)]
    expected = np.mean(found)
    assert value_of(classes.AVERAGE_PRECISION, predictions, labels) == pytest.approx(expected)


@pytest.mark.parametrize("only", [0, 1])
def test_of_two_classes_one_alone_defines_no_ranking(only: int) -> None:
    predictions = dense(logit=np.array([[0, 1], [1, 0]], dtype=np.float32))
    assert classes.AUROC.compute(predictions, named(only, only), None) is None
    assert classes.AVERAGE_PRECISION.compute(predictions, named(only, only), None) is None


def test_confident_predictions_are_still_ranked() -> None:
    logits = np.array([[0, 90], [0, 80], [0, 70], [0, 60]], dtype=np.float32)
    assert value_of(classes.AUROC, dense(logit=logits), named(1, 1, 0, 0)) == 1
    assert value_of(classes.AVERAGE_PRECISION, dense(logit=logits), named(0, 0, 1, 1)) == pytest.approx(
        (1 / 3 + 2 / 4) / 2
    )


@pytest.mark.parametrize("metric", classes.METRICS, ids=lambda metric: metric.card.name)
def test_no_example_defines_nothing_and_a_faultless_prediction_is_perfect(metric: Metric) -> None:
    logits = np.array([[200, 0, 0], [0, 200, 0], [0, 0, 200]], dtype=np.float32)
    assert metric.compute(dense(logit=logits[:0]), named(), None) is None
    assert value_of(metric, dense(logit=logits), named(0, 1, 2)) == pytest.approx(metric.card.perfect, abs=1e-12)
    worse = value_of(metric, dense(logit=logits), named(1, 2, 0))
    assert (worse < metric.card.perfect) == metric.card.higher_is_better


@pytest.mark.parametrize("bad", [np.nan, np.inf], ids=["nan", "inf"])
def test_predictions_that_are_no_numbers_have_no_probabilities_or_ranks(bad: float) -> None:
    predictions = dense(logit=np.array([[bad, bad], [0, 1], [1, 0]], dtype=np.float32))
    for metric in (classes.LOG_LOSS, classes.CALIBRATION_ERROR, classes.AUROC, classes.AVERAGE_PRECISION):
        assert np.isnan(value_of(metric, predictions, named(0, 1, 0)))
