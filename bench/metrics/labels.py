"""Metrics of several labels per example: labels {"present": bool [n, k]}, predictions {"logit": float32 [n, k]}.

A label is predicted to be present if its logit is above 0. An F1 of 0/0, of a label that is neither present nor
predicted anywhere, counts 0.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.column import Column
from bench.metric import Metric, MetricCard
from bench.metrics.ranks import Floats, average_precision, hold_contest


def _macro_average_precision(predictions: Column, labels: Column, facts: Column | None) -> float | None:
    """Return the mean over labels that are present somewhere."""
    contests = map(hold_contest, predictions["logit"].T, labels["present"].T)
    known = [value for value in map(average_precision, contests) if value is not None]
    return float(np.mean(known)) if known else None


def _macro_f1(predictions: Column, labels: Column, facts: Column | None) -> float | None:
    hits, misses = _hits_and_misses(predictions, labels)
    return float(_f1(hits, misses).mean()) if len(labels) else None


def _micro_f1(predictions: Column, labels: Column, facts: Column | None) -> float | None:
    hits, misses = _hits_and_misses(predictions, labels)
    return float(_f1(hits.sum(keepdims=True), misses.sum(keepdims=True))[0]) if len(labels) else None


def _hits_and_misses(predictions: Column, labels: Column) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return for each label [k] how often it was found, and how often it was missed or predicted wrongly."""
    present, predicted = labels["present"], predictions["logit"] > 0
    return np.count_nonzero(present & predicted, axis=0), np.count_nonzero(present ^ predicted, axis=0)


def _f1(hits: NDArray[np.int64], misses: NDArray[np.int64]) -> Floats:
    counted = 2 * hits + misses
    values: Floats = np.divide(2 * hits, counted, out=np.zeros(len(hits)), where=counted > 0)
    return values


MACRO_AVERAGE_PRECISION: Final = Metric(
    MetricCard("macro_average_precision", "macro average precision", higher_is_better=True, perfect=1.0),
    _macro_average_precision,
)
MACRO_F1: Final = Metric(MetricCard("macro_f1", "macro F1", higher_is_better=True, perfect=1.0), _macro_f1)
MICRO_F1: Final = Metric(MetricCard("micro_f1", "micro F1", higher_is_better=True, perfect=1.0), _micro_f1)

METRICS: Final = (MACRO_AVERAGE_PRECISION, MACRO_F1, MICRO_F1)
