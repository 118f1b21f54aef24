"""What more labels would bring: power laws fitted to learning curves, and how well they predicted what is known."""

from dataclasses import dataclass

import pandas as pd

from bench import stats
from bench.analysis.curves import Curves


@dataclass(frozen=True, slots=True)
class MoreLabels:
    """What a power law makes of a strategy's curve, in units of the metric.

    `measured` is the mean score at the largest budget, of `amount`, `predicted` what the law expects there when it is
    fitted to all smaller budgets, and `off` their difference; both are nan with fewer than three smaller budgets.
    Fitted to all budgets, the law expects `doubled_score` with `doubled_labels`, and that is better by `gain` (at least
    0, whichever direction is good) than what was measured.
    """

    strategy: str
    amount: float
    measured: float
    predicted: float
    off: float
    doubled_labels: float
    doubled_score: float
    gain: float


def more_labels_of(curves: Curves) -> list[MoreLabels]:
    """Return a forecast for every strategy with a score at three budgets or more, in the order of the manifest."""
    scored = set(curves.points.index.get_level_values("strategy"))
    found = (more_labels(curves, name) for name in curves.strategies if name in scored)
    return [one for one in found if one is not None]


def more_labels(curves: Curves, strategy: str) -> MoreLabels | None:
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
