"""Metrics of one class per example: labels {"class": int64 [n]}, predictions {"logit": float32 [n, classes]}."""

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.column import Column, Indices
from bench.metric import Metric, MetricCard
from bench.metrics.ranks import Contest, Floats, area_under_roc, average_precision, hold_contest

CALIBRATION_BINS: Final = 15
"""As in Guo et al. (2017), On calibration of modern neural networks, arXiv:1706.04599."""


def log_softmax(logits: NDArray[np.float32]) -> Floats:
    """Return the logarithms of probabilities, float64 [n, classes], of logits [n, classes].

    The largest term is left out of the sum and enters by log1p: what a confident prediction leaves to the other classes
    is far below the precision of 1, and yet ranks examples.
    """
    rows, top = np.arange(len(logits)), logits.argmax(axis=1)
    logs: Floats = np.array(logits.T, dtype=np.float64, order="C")  # [classes, n]: long rows are fast, classes are few
    with np.errstate(invalid="ignore"):  # logits that overflowed have no probabilities: nan
        logs -= logs[top, rows]
        others = np.exp(logs)
    others[top, rows] = 0
    logs -= np.log1p(others.sum(axis=0))
    return logs.T


def _accuracy(predictions: Column, labels: Column, facts: Column | None) -> float | None:
    return float((_guesses(predictions) == labels["class"]).mean()) if len(labels) else None


def _balanced_accuracy(predictions: Column, labels: Column, facts: Column | None) -> float | None:
    """Return the mean recall of the classes that occur among the labels."""
    hits, occur, _ = _counts(predictions, labels)
    return float((hits[occur > 0] / occur[occur > 0]).mean()) if len(labels) else None


def _macro_f1(predictions: Column, labels: Column, facts: Column | None) -> float | None:
    """Return the mean F1 of the classes that occur among labels or predictions."""
    hits, occur, predicted = _counts(predictions, labels)
    counted = (occur + predicted) > 0
    return float((2 * hits[counted] / (occur + predicted)[counted]).mean()) if len(labels) else None


def _log_loss(predictions: Column, labels: Column, facts: Column | None) -> float | None:
    if not len(labels):
        return None
    logs = _log_probabilities(predictions)
    return -float(logs[np.arange(len(logs)), labels["class"]].mean())


def _calibration_error(predictions: Column, labels: Column, facts: Column | None) -> float | None:
    """Return the mean gap between confidence and accuracy over bins (low, high], weighted by their size."""
    if not len(labels):
        return None
    confidence = np.exp(_log_probabilities(predictions).max(axis=1))  # [n]
    inner_edges = np.linspace(0, 1, CALIBRATION_BINS + 1)[1:-1]
    bins = np.searchsorted(inner_edges, confidence, side="left")
    hits = _guesses(predictions) == labels["class"]
    gaps = np.bincount(bins, weights=hits - confidence)  # [bins]: sums over bins
    return float(np.abs(gaps).sum() / len(labels))


def _auroc(predictions: Column, labels: Column, facts: Column | None) -> float | None:
    return _mean(list(map(area_under_roc, _one_against_rest(predictions, labels))))


def _average_precision(predictions: Column, labels: Column, facts: Column | None) -> float | None:
    contests = _one_against_rest(predictions, labels)
    return _mean([average_precision(contest) if len(contest.below) else None for contest in contests])


@lru_cache(maxsize=1)  # metrics are computed in turn, on the same columns
def _one_against_rest(predictions: Column, labels: Column) -> tuple[Contest, ...]:
    """Return the contests of the examples of each class with all others; of two classes, those of the second."""
    logs, truth = _log_probabilities(predictions), labels["class"]
    n_classes = logs.shape[1]
    return tuple(hold_contest(logs[:, one], truth == one) for one in ([1] if n_classes == 2 else range(n_classes)))


@lru_cache(maxsize=1)
def _log_probabilities(predictions: Column) -> Floats:
    logs = log_softmax(predictions["logit"])
    logs.flags.writeable = False  # it is everyone's
    return logs


def _mean(values: list[float | None]) -> float | None:
    """Return the mean of the values of all classes; None where one is missing."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if len(known) == len(values) else None


@lru_cache(maxsize=1)
def _guesses(predictions: Column) -> Indices:
    guesses: Indices = predictions["logit"].argmax(axis=1)
    guesses.flags.writeable = False
    return guesses


@lru_cache(maxsize=1)
def _counts(predictions: Column, labels: Column) -> tuple[Indices, Indices, Indices]:
    """Return for each class how often it was predicted rightly, how often it occurs, how often it was predicted."""
    truth, guess, n_classes = labels["class"], _guesses(predictions), predictions["logit"].shape[1]
    hits, occur, predicted = (np.bincount(one, minlength=n_classes) for one in (truth[truth == guess], truth, guess))
    return hits, occur, predicted


ACCURACY: Final = Metric(
    MetricCard("accuracy", "accuracy", higher_is_better=True, perfect=1.0, proportion=True), _accuracy
)
BALANCED_ACCURACY: Final = Metric(
    MetricCard("balanced_accuracy", "balanced accuracy", higher_is_better=True, perfect=1.0), _balanced_accuracy
)
MACRO_F1: Final = Metric(MetricCard("macro_f1", "macro F1", higher_is_better=True, perfect=1.0), _macro_f1)
LOG_LOSS: Final = Metric(MetricCard("log_loss", "log loss", higher_is_better=False, perfect=0.0), _log_loss)
CALIBRATION_ERROR: Final = Metric(
    MetricCard("calibration_error", "calibration error", higher_is_better=False, perfect=0.0), _calibration_error
)
AUROC: Final = Metric(MetricCard("auroc", "AUROC", higher_is_better=True, perfect=1.0), _auroc)
AVERAGE_PRECISION: Final = Metric(
    MetricCard("average_precision", "average precision", higher_is_better=True, perfect=1.0), _average_precision
)

METRICS: Final = (ACCURACY, BALANCED_ACCURACY, MACRO_F1, LOG_LOSS, CALIBRATION_ERROR, AUROC, AVERAGE_PRECISION)
