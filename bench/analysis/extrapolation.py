"""What more labels would bring: power laws fitted to learning curves, and how well they predicted what is known."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from bench import stats
from bench.analysis.curves import Curves


@dataclass(frozen=True, slots=True)
class MoreLabels:
    """What a power law makes of a strategy's curve, in units of the metric.

    `measured` is the mean score at the largest budget, of `amount`, `predicted` what the law expects there when it is
    fitted to all smaller budgets, and `off` their difference; both are nan with fewer than three smaller budgets.
    Fitted to all budgets, the law expects `doubled_score` with `doubled_labels`, and that is better by `gain` (at least
    0, whichever direction is good) than what was measured. `gain_lower` and `gain_upper` are the 95 % interval of the
    gain; nan where there is none.
    """

    strategy: str
    amount: float
    measured: float
    predicted: float
    off: float
    doubled_labels: float
    doubled_score: float
    gain: float
    gain_lower: float = float("nan")
    gain_upper: float = float("nan")


def more_labels_of(found: Iterable[Curves]) -> dict[tuple[str, str], list[MoreLabels]]:
    """Return a forecast for every strategy of every task and backbone with a score at three budgets or more.

    By the names of tasks and backbones, strategies in the order of the manifest. The interval of a gain has the
    variance of the mean at the largest budget and the mean square of how far the same fit was off at the largest budget
    of all curves of the run, in units of skill: what a law is off by does not show in the curve that it is fitted to.
    """
    several = list(found)
    forecasts = {(one.entry.card.name, one.backbone): _forecasts(one) for one in several}
    offs = [
        forecast.off / _range(curves)
        for curves in several
        for forecast in forecasts[curves.entry.card.name, curves.backbone]
        if not np.isnan(forecast.off) and _range(curves)
    ]
    return {
        (one.entry.card.name, one.backbone): [
            _with_interval(one, forecast, offs) for forecast in forecasts[one.entry.card.name, one.backbone]
        ]
        for one in several
    }


def _range(curves: Curves) -> float:
    """Return the distance from chance to perfect."""
    return abs(curves.entry.metric.perfect - float(curves.points["chance"].mean()))


def _with_interval(curves: Curves, forecast: MoreLabels, offs: list[float]) -> MoreLabels:
    known = stats.uncertainty(curves.replicates(forecast.strategy, forecast.amount))
    if not known.known or len(offs) < 2:
        return forecast
    spread = float(np.mean(np.square(offs))) * _range(curves) ** 2
    margin = stats.Uncertainty(forecast.gain, known.variance + spread, len(offs) - 1.0).margin()
    return replace(forecast, gain_lower=forecast.gain - margin, gain_upper=forecast.gain + margin)


def _forecasts(curves: Curves) -> list[MoreLabels]:
    scored = set(curves.points.index.get_level_values("strategy"))
    found = (_forecast(curves, name) for name in curves.strategies if name in scored)
    return [one for one in found if one is not None]


def _forecast(curves: Curves, strategy: str) -> MoreLabels | None:
    """Return the forecast for a strategy, None where it has a score at fewer than three budgets."""
    metric = curves.entry.metric
    means: pd.Series = curves.points.xs(strategy, level="strategy")["mean"].sort_index().dropna()
    means = means[means.index > 0]  # the law says nothing of no label
    errors = (metric.perfect - means) * metric.direction  # 0 is perfect
    law = stats.fit_power_law(means.index, errors)
    if law is None:
        return None
    amount, measured = float(means.index[-1]), float(means.iloc[-1])
    checked = stats.fit_power_law(means.index[:-1], errors.iloc[:-1])
    predicted = float("nan") if checked is None else metric.perfect - metric.direction * checked.at(amount)
    # The fall of the law is laid onto what was measured, which need not lie on it; no error falls below 0.
    gain = min(law.at(amount) - law.at(2 * amount), float(errors.iloc[-1]))
    return MoreLabels(
        strategy=strategy,
        amount=amount,
        measured=measured,
        predicted=predicted,
        off=predicted - measured,
        doubled_labels=2 * amount,
        doubled_score=measured + metric.direction * gain,
        gain=gain,
    )
