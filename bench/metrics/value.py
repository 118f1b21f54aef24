"""Metrics of one value per example: labels and predictions {"value": float64 [n]}."""

from typing import Final

import numpy as np

from bench.column import Column
from bench.metric import Metric, MetricCard
from bench.metrics.ranks import Floats, average_ranks


def _r2(predictions: Column, labels: Column, facts: Column | None) -> float | None:
    """Return the share of the labels' variance that predictions explain; below 0 if their mean is the better guess."""
    truth = labels["value"]
    if _is_constant(truth):
        return None
    return 1 - float(np.square(predictions["value"] - truth).sum() / np.square(truth - truth.mean()).sum())


def _mae(predictions: Column, labels: Column, facts: Column | None) -> float | None:
    return float(np.abs(predictions["value"] - labels["value"]).mean()) if len(labels) else None


def _rmse(predictions: Column, labels: Column, facts: Column | None) -> float | None:
    return float(np.sqrt(np.square(predictions["value"] - labels["value"]).mean())) if len(labels) else None


def _spearman(predictions: Column, labels: Column, facts: Column | None) -> float | None:
    """Return the correlation of ranks; equal values share the mean of theirs. Constant labels define none.

    Of constant predictions it is 0, which is what it is on average if they are put in order by chance: the mean of the
    training labels, which has no skill, is such a prediction.
    """
    if _is_constant(labels["value"]):
        return None
    if _is_constant(predictions["value"]):
        return 0.0
    if np.isnan(predictions["value"]).any():
        return float("nan")
    ranks = [average_ranks(column["value"]) - (len(labels) + 1) / 2 for column in (predictions, labels)]
    return float(ranks[0] @ ranks[1] / np.sqrt((ranks[0] @ ranks[0]) * (ranks[1] @ ranks[1])))


def _is_constant(values: Floats) -> bool:
    """Return whether there are not two values [n] that differ."""
    return len(values) < 2 or bool((values == values[0]).all())


R2: Final = Metric(MetricCard("r2", "R²", higher_is_better=True, perfect=1.0), _r2)
MAE: Final = Metric(MetricCard("mae", "MAE", higher_is_better=False, perfect=0.0), _mae)
RMSE: Final = Metric(MetricCard("rmse", "RMSE", higher_is_better=False, perfect=0.0), _rmse)
SPEARMAN: Final = Metric(MetricCard("spearman", "Spearman's ρ", higher_is_better=True, perfect=1.0), _spearman)

METRICS: Final = (R2, MAE, RMSE, SPEARMAN)
