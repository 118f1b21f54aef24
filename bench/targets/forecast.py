"""The target `forecast`: the next values of a series."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Final, Literal

import numpy as np

from bench.answers import Answers, Steps
from bench.column import Array, Column, Indices, dense
from bench.domain import Raw
from bench.domains.series.raw import expect_windows
from bench.domains.series.trivial import TRIVIAL
from bench.metric import Metric
from bench.metrics import forecast as metrics
from bench.subsets import subset
from bench.subsets.blocks import FEWEST_SERIES, stretch_blocks
from bench.subsets.histories import count_observations, series_folds
from bench.target import Baseline, Codec, Objective, Sampling, Target, first

if TYPE_CHECKING:
    from torch import Tensor, nn

    from bench.probing.problem import Problem

LABEL: Final = "future"
FOLDS: Final = 5
FARTHEST: Final = 6.0
"""In deviations of the past, as a root mean square over the steps of a future: what lies farther counts less."""
DIGITS: Final = 6  # significant, of a forecast that is shown


@dataclass(frozen=True, slots=True)
class Forecast(Target):
    """The next `steps` values of a series: labels and predictions are `{"future": float64 [n, steps]}`.

    Windows are in order of time; where several series share it, those of one moment lie next to each other. `error`
    names the metric that ranks: absolute errors in units of each window's series ("mase"), or squared ones ("mse": with
    a standard deviation as unit, the MSE of standardised data).

    Two forecasts are equal if they are as long: how errors are counted changes neither head nor loss, so that a head
    that was pretrained for a horizon serves every task that asks for it.
    """

    name: ClassVar[str] = "forecast"
    unit: ClassVar[str] = "observations"
    steps: int
    error: Literal["mase", "mse"] = field(default="mase", compare=False)

    @property
    def horizon(self) -> int:
        return self.steps

    @property
    def reads(self) -> str:
        return LABEL

    def among(self, said: Sequence[str]) -> bool:
        """Return whether a head for it comes with such weights: one for a longer horizon begins with it."""
        return self.name in said or any(steps >= self.steps for steps in horizons_among(said))

    def outputs_of(self, made_for: Target) -> int:
        """Return its own steps of a head for a longer horizon; one for a shorter horizon says nothing of the others."""
        return self.steps if isinstance(made_for, Forecast) and made_for.steps > self.steps else 0

    @property
    def sampling(self) -> Sampling:
        return Histories(self.steps)

    @property
    def codec(self) -> Codec:
        return WindowScale()

    @property
    def objective(self) -> Objective:
        return SquaredError(self.steps)

    @property
    def metrics(self) -> tuple[Metric, ...]:
        return first(metrics.METRICS, self.ranked_by or self.error)

    @property
    def baselines(self) -> tuple[Baseline, ...]:
        return tuple(TrivialForecast(name, self.steps) for name in TRIVIAL)

    @property
    def rivals(self) -> tuple[str, ...]:
        return ("forecasts",)

    def answers(self, predictions: Column, raw: Raw, top: int) -> Answers:
        values = predictions[LABEL]
        records = [{"forecast": [float(f"{value:.{DIGITS}g}") for value in row]} for row in values]
        return Steps(values, records)


def horizons_among(said: Sequence[str]) -> list[int]:
    """Return the horizons of those targets that are forecasts, among targets by their `Target.identity`."""
    before, after = Forecast(0).identity.split("0")
    found = (re.fullmatch(f"{re.escape(before)}([0-9]+){re.escape(after)}", one) for one in said)
    return [int(one[1]) for one in found if one]


@dataclass(frozen=True, slots=True)
class Histories(Sampling):
    """Budgets of observations of the training history, folds of neighbouring windows or of series, and test blocks.

    Windows are in order of time, and as facts they have the `moment` at which they begin, the number of their `series`,
    the number of their first `step` in it, how many `steps` they hold, past and future together, and how many series
    there are in all (`of`). Where only the first two are known, windows of a series begin a step after each other, and
    their futures alone are counted. In a collection of ten series or more it is series that are drawn, and folds are
    of whole series, since other series are tested than are learnt from; of fewer, budgets are the most recent windows
    of all.
    """

    steps: int

    def overlap(self, facts: Column | None) -> int:
        """Return how many rows share steps with a window to either side: none where folds are of whole series."""
        if facts is not None and _are_many(facts):
            return 0
        return (self.steps - 1) * (1 if facts is None else len(np.unique(facts["series"])))

    def fewest(self, labels: Column | None) -> tuple[int, str]:
        return 1, "a window"

    def order(self, labels: Column, facts: Column | None, generator: np.random.Generator) -> Indices:
        """Return the most recent window first: a forecaster who has less history has the latest of it.

        Of a collection one series is taken after the other, in random order, each from its most recent window on.
        """
        latest_first = np.arange(len(labels) - 1, -1, -1, dtype=np.int64)
        if facts is None or not _are_many(facts):
            return latest_first
        names, owners = np.unique(facts["series"], return_inverse=True)
        places = generator.permutation(len(names))[owners]  # [n]: when the series of a window is drawn
        return latest_first[np.argsort(places[latest_first], kind="stable")]

    def amounts(self, labels: Column, facts: Column | None, order: Indices) -> Array:
        """Return how many observations the first 1, 2, … n windows of an order hold, past and future, each once."""
        series, first, lengths = (column[order] for column in _stretches(labels, facts))
        return count_observations(series, first, lengths)

    def folds(
        self, labels: Column, facts: Column | None, groups: Array | None, generator: np.random.Generator
    ) -> Indices | None:
        """Return whole series of a collection, and blocks of neighbouring windows of fewer series.

        Of a collection one series says nothing about others: None. Windows that overlap must not be on both sides of a
        fold: None too if those that overlap no held-out one were fewer than those held out.
        """
        if facts is not None and _are_many(facts):
            return series_folds(facts["series"], FOLDS) if len(np.unique(facts["series"])) > 1 else None
        left = len(labels) - len(labels) // FOLDS - 2 * self.overlap(facts)
        return subset.blocked_folds(len(labels), FOLDS) if left >= len(labels) // FOLDS else None

    def blocks(self, labels: Column, facts: Column | None, groups: Array | None, seed_from: str) -> Indices:
        assert facts is not None, "windows know their moments"
        return stretch_blocks(facts["moment"], facts["series"], self.steps)


def _stretches(labels: Column, facts: Column | None) -> tuple[Indices, Indices, Indices]:
    """Return the series of each window, its first step in it, and how many steps it holds, each [n]."""
    n, steps = labels[LABEL].shape
    if facts is not None and "step" in facts.arrays():
        return facts["series"], facts["step"], facts["steps"]
    series = np.zeros(n, dtype=np.int64) if facts is None else facts["series"]
    _, owners = np.unique(series, return_inverse=True)
    order = np.argsort(owners, kind="stable")
    first = np.empty(n, dtype=np.int64)
    first[order] = np.arange(n) - np.searchsorted(owners[order], owners[order])
    return series, first, np.full(n, steps)


def _are_many(facts: Column) -> bool:
    """Return whether whole series are drawn and dealt, as there are enough of them in all."""
    there = int(facts["of"].max(initial=0)) if "of" in facts.arrays() else len(np.unique(facts["series"]))
    return there >= FEWEST_SERIES


class WindowScale(Codec):
    """Values relative to mean and deviation of a window's past, in float64; learnt in float32."""

    def encode(self, labels: Column, geometry: Column | None) -> Column:
        assert geometry is not None, "windows are prepared with their scale"
        values = (labels[LABEL] - geometry["centre"]) / geometry["spread"]  # [n, steps]
        return dense(**{LABEL: values.astype(np.float32)})

    def decode(self, encoded: Column, geometry: Column | None) -> Column:
        assert geometry is not None, "windows are prepared with their scale"
        return dense(**{LABEL: encoded[LABEL].astype(np.float64) * geometry["spread"] + geometry["centre"]})


@dataclass(frozen=True, slots=True)
class SquaredError(Objective):
    """The mean squared error of `steps` outputs on the scale of each window's past.

    A window whose future lies farther from its past than `FARTHEST` counts less: no window starts with a loss of more
    than the square of it, whatever its series did, so that a few that jump do not decide for all others.
    """

    steps: int

    def head(self, widths: Sequence[int]) -> "nn.Module":
        from bench.probing.linear import zero_head  # noqa: PLC0415 (loads torch)

        return zero_head(widths, self.steps)

    def loss(self, outputs: "tuple[Tensor, ...]", encoded: "Mapping[str, Tensor]", geometry: Column | None) -> "Tensor":
        from bench.probing.ridge import tame  # noqa: PLC0415 (loads torch)

        values = encoded[LABEL]
        errors = (outputs[0].float() - values).square().mean(1)  # [n]
        return (tame(values, FARTHEST) * errors).mean()

    def predict(self, outputs: "tuple[Tensor, ...]", geometry: Column | None) -> Column:
        return dense(**{LABEL: outputs[0].numpy()})

    def problem(self) -> "Problem":
        from bench.probing.problem import Ridge  # noqa: PLC0415 (loads torch)

        return Ridge(FARTHEST)


@dataclass(frozen=True, slots=True)
class TrivialForecast(Baseline):
    """One of the trivial forecasts of each past, by its name in `TRIVIAL`, for `steps` steps."""

    name: str
    steps: int

    @property
    def title(self) -> str:
        return self.name

    def predict(self, train_labels: Column, raw: Raw, facts: Column | None) -> Column:
        windows = expect_windows(raw)
        return dense(**{LABEL: TRIVIAL[self.name](windows.past, windows.season, self.steps)})
