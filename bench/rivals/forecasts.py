"""The classical model of series: the best of trivial forecasts, Theta, exponential smoothing and some that learn.

What learns from the budget is an autoregression on seasonal differences, the seasonal means of the history, and a ridge
regression on lags. Which is best is chosen by rolling origin inside the budget: its last windows are forecast from
before them, by what was learnt from the windows whose futures end earlier.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, ClassVar, Final
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from bench.budget import Budget
from bench.cell import HEAD, Work
from bench.column import Column, Indices, dense
from bench.context import Context
from bench.domain import Raw
from bench.domains.contract import PASTS
from bench.domains.series.raw import Windows, expect_windows, scaled
from bench.rivals.forecasters import KNOWN, LEARNERS, Forecast, HistoryMeans, forecast_each
from bench.rivals.rival import Rival, keep
from bench.runtime.cache import content_key
from bench.strategy import Cost, Model, Parts
from bench.target import Target
from bench.targets.forecast import LABEL
from bench.versions import ALGORITHM

if TYPE_CHECKING:
    from bench.probing.heads import Heads, Penalties
    from bench.training.inference import ReadFeatures

Doubles = NDArray[np.float64]

HELD_OUT: Final = 5  # one in so many windows of a budget is forecast to choose by
MOST_ORIGINS: Final = 300  # of these, evenly spaced, since neighbours overlap
FEWEST: Final = 30  # windows to learn from
LAGS: Final = "ridge on lags"
OWN_MEANS: Final = "seasonal means"
"""The trivial forecast that the means of the history are where nothing but a past is known of it."""


class Forecasts(Rival):
    """The classical forecaster that does best at the end of a budget's own history."""

    needs: ClassVar[str] = PASTS

    def predicts(self, target: Target) -> bool:
        return target.horizon > 0

    def fit(self, context: Context, budgets: Sequence[Budget[Column]], penalties: "Penalties") -> Iterator[Model]:
        made: dict[tuple[str, Raw], Doubles] = {}  # by identity, as all raw examples are
        ridge = _Ridge(context, penalties)
        for budget in budgets:
            start = perf_counter()
            chosen = _choose(context, budget, ridge)
            learnt = _learners(context, budget, ridge, only=chosen)
            work = Work(HEAD, uuid4().hex, perf_counter() - start)
            forecast = learnt.get(chosen)
            if forecast is None:
                chosen = chosen if chosen in KNOWN else OWN_MEANS
                key = content_key("classical", ALGORITHM, chosen, context.content, context.target.horizon)
                make = partial(_known, chosen, context.tested, context)
                forecasts, of_test = keep(context.cache, key, f"{chosen}, test", make)
                made[chosen, context.tested] = forecasts
                yield ForecastModel(chosen, None, context.target.horizon, made, _cost(of_test, work))
            else:
                yield ForecastModel(chosen, forecast, context.target.horizon, made, _cost(work))


@dataclass(frozen=True, slots=True, eq=False)
class ForecastModel:
    """The forecaster that was chosen: one that was learnt, or one of those that know each past alone by its name.

    What those have `made` is shared with the models of other budgets.
    """

    name: str
    learnt: Forecast | None
    horizon: int
    made: dict[tuple[str, Raw], Doubles]
    cost: Cost

    def predict(self, raw: Raw) -> Column:
        """Return forecasts on the scale of the series."""
        if self.learnt is not None:
            return dense(**{LABEL: self.learnt(expect_windows(raw))})
        if (self.name, raw) not in self.made:
            self.made[self.name, raw] = forecast_each(KNOWN[self.name], expect_windows(raw), self.horizon)
        return dense(**{LABEL: self.made[self.name, raw]})

    def parts(self) -> Parts | None:
        """Return None: there is no network to export."""
        return None


def _cost(*work: Work) -> Cost:
    return Cost(seconds=0.0, precision="float64", work=work)


def _known(name: str, raw: Raw, context: Context) -> Doubles:
    return forecast_each(KNOWN[name], expect_windows(raw), context.target.horizon)


def _choose(context: Context, budget: Budget[Column], ridge: "_Ridge") -> str:
    """Return the forecaster with the best score on the last windows of a budget, of several as good the simplest."""
    n = len(budget.rows)
    facts = None if context.train.facts is None else context.train.facts.take(budget.rows)
    several = 1 if facts is None else len(np.unique(facts["series"]))
    reach = (context.target.horizon - 1) * several  # windows whose futures may begin before a held-out one's
    first = n - max(1, n // HELD_OUT)
    origins = np.unique(np.linspace(first, n - 1, MOST_ORIGINS).astype(np.int64))
    labels = budget.labels.take(origins)
    seen = expect_windows(context.train.raw.take(budget.rows[origins]))
    tried = {name: forecast_each(known, seen, context.target.horizon) for name, known in KNOWN.items()}
    before = np.arange(max(0, first - reach))
    earlier = replace(budget, rows=budget.rows[before], labels=budget.labels.take(before))
    tried |= {name: forecast(seen) for name, forecast in _learners(context, earlier, ridge).items()}
    metric = replace(context.target, ranked_by="").metrics[0]
    facts = None if facts is None else facts.take(origins)

    def skill(name: str) -> float:
        value = metric.compute(dense(**{LABEL: tried[name]}), labels, facts)
        return -np.inf if value is None else metric.card.direction * value

    best = max(tried, key=skill)
    return HistoryMeans.title if best == OWN_MEANS else best  # at an origin nothing but the past was known of it


def _learners(context: Context, budget: Budget[Column], ridge: "_Ridge", only: str = "") -> Mapping[str, Forecast]:
    """Return the forecasters that have learnt from a budget, by name: all, or `only` one. None of too few windows."""
    if only in KNOWN or len(budget.rows) < (FEWEST if only != HistoryMeans.title else 1):
        return {}
    windows, futures = expect_windows(context.train.raw.take(budget.rows)), budget.labels[LABEL]
    facts = context.train.facts
    steps = facts["step"][budget.rows] if facts is not None and "step" in facts.arrays() else None
    found: dict[str, Forecast] = {}
    for learner in LEARNERS:
        forecast = learner.learn(windows, futures, steps) if only in ("", learner.title) else None
        if forecast is not None:
            found[learner.title] = forecast
    if only in ("", LAGS):
        found[LAGS] = ridge.learn(budget)
    return found


class _Ridge:
    """Ridge regressions of futures on pasts, both on the scale of the past, the penalty chosen inside the budget."""

    def __init__(self, context: Context, penalties: "Penalties") -> None:
        self._context = context
        self._penalties = penalties

    def learn(self, budget: Budget[Column]) -> Forecast:
        """Return the forecaster that a budget makes."""
        target = self._context.target
        (kept,) = self._heads().solve([budget], self._penalties)
        weight, bias = kept.solved.head.weight.double().numpy(), kept.solved.head.bias.double().numpy()

        def forecast(seen: Windows) -> Doubles:
            values, geometry = scaled(seen)
            encoded = dense(**{LABEL: values.astype(np.float64) @ weight + bias})
            found: Doubles = target.codec.decode(encoded, geometry)[LABEL]
            return found

        return forecast

    def _heads(self) -> "Heads":
        from bench.probing.heads import Heads  # noqa: PLC0415 (loads torch)

        context = self._context
        content = content_key("classical", ALGORITHM, LAGS, context.content)
        facts, groups = context.train.facts, context.train.groups
        return Heads(context.target, self, facts=facts, groups=groups, content=content, prior=None, cache=context.cache)

    def read(self, rows: Indices) -> "ReadFeatures":
        """Return the pasts of training windows on their own scale, [n, context]."""
        import torch  # noqa: PLC0415 (takes seconds)

        from bench.training.inference import ReadFeatures  # noqa: PLC0415 (loads torch)

        values, geometry = scaled(expect_windows(self._context.train.raw.take(rows)))
        return ReadFeatures((torch.from_numpy(values),), geometry)
