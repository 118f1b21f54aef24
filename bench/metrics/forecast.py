"""Metrics of forecasts: labels and predictions {"future": float64 [n, steps]}, facts {"unit": float64 [n]}.

The unit of an example is what an error of its series is counted in; it comes from the training history of that series.
An example whose unit is 0 has no scale to count in, so that no error in units is defined with it.
"""

from typing import Final

import numpy as np

from bench.column import Column
from bench.metric import Metric, MetricCard
from bench.metrics.ranks import Floats


def _mase(predictions: Column, labels: Column, facts: Column | None) -> float | None:
    """Return the mean absolute error in units of the series.

    Source: Hyndman and Koehler (2006), doi:10.1016/j.ijforecast.2006.03.001.
    """
    errors = _errors_in_units(predictions, labels, facts)
    return None if errors is None else float(errors.mean())


def _mse(predictions: Column, labels: Column, facts: Column | None) -> float | None:
    """Return the mean squared error in units: with a standard deviation as unit, the MSE of standardised data."""
    errors = _errors_in_units(predictions, labels, facts)
    return None if errors is None else float(np.square(errors).mean())


def _mae(predictions: Column, labels: Column, facts: Column | None) -> float | None:
    return float(np.abs(predictions["future"] - labels["future"]).mean()) if len(labels) else None


def _smape(predictions: Column, labels: Column, facts: Column | None) -> float | None:
    """Return the symmetric mean absolute percentage error, 0 to 200; where both values are 0 the error is 0.

    Source: Makridakis, Spiliotis and Assimakopoulos (2020), The M4 competition, doi:10.1016/j.ijforecast.2019.04.014.
    """
    if not len(labels):
        return None
    future, predicted = labels["future"], predictions["future"]  # [n, steps]
    sizes = np.abs(future) + np.abs(predicted)
    shares = np.divide(np.abs(predicted - future), sizes, out=np.zeros_like(sizes), where=sizes != 0)
    return float(200 * shares.mean())


def _errors_in_units(predictions: Column, labels: Column, facts: Column | None) -> Floats | None:
    """Return the absolute errors [n, steps] in units of each example's series."""
    assert facts is not None, "errors of forecasts are counted in the unit among the facts"
    unit = facts["unit"]
    if not len(labels) or not unit.all():
        return None
    errors: Floats = np.abs(predictions["future"] - labels["future"]) / unit[:, None]
    return errors


MASE: Final = Metric(MetricCard("mase", "MASE", higher_is_better=False, perfect=0.0), _mase)
MSE: Final = Metric(MetricCard("mse", "MSE", higher_is_better=False, perfect=0.0), _mse)
MAE: Final = Metric(MetricCard("mae", "MAE", higher_is_better=False, perfect=0.0), _mae)
SMAPE: Final = Metric(MetricCard("smape", "sMAPE", higher_is_better=False, perfect=0.0), _smape)

METRICS: Final = (MASE, MSE, MAE, SMAPE)
