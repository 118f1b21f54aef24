"""The target `forecast`: the next values of a series."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Final, Literal

import numpy as np

from bench.answers import Answers, Steps
from bench.column import Array, Column, Indices, dense
from bench.domain import Raw
from bench.domains.series.raw import expect_windows
from bench.metric import Metric
from bench.metrics import forecast as metrics
from bench.subsets import subset
from bench.subsets.blocks import stretch_blocks
from bench.target import Baseline, Codec, Objective, Sampling, Target, first

if TYPE_CHECKING:
    from torch import Tensor, nn

    from bench.probing.problem import Problem

LABEL: Final = "future"
FOLDS: Final = 5
DIGITS: Final = 6  # significant, of a forecast that is shown


@dataclass(frozen=True, slots=True)
class Forecast(Target):
    """The next `steps` values of a series: labels and predictions are `{"future": float64 [n, steps]}`.

    Windows are in order of time; where several series share it, those of one moment lie next to each other,
    `side_by_side` at most. `error` names the metric that ranks: absolute errors in units of each window's series
    ("mase"), or squared ones ("mse": with a standard deviation as unit, the MSE of standardised data).

    Two forecasts are equal if they are as long: how errors are counted changes neither head nor loss, so that a head
    that was pretrained for a horizon serves every task that asks for it.
    """

    name: ClassVar[str] = "forecast"
    unit: ClassVar[str] = "training windows"
    steps: int
    error: Literal["mase", "mse"] = field(default="mase", compare=False)
    side_by_side: int = field(default=1, compare=False)

    @property
    def horizon(self) -> int:
        return self.steps

    @property
    def reads(self) -> str:
        return LABEL

    @property
    def sampling(self) -> Sampling:
        return MostRecent(self.steps, self.side_by_side)

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
    def baseline(self) -> Baseline:
        return SeasonalNaive(self.steps)

    @property
    def rivals(self) -> tuple[str, ...]:
        return ("theta",)

    def answers(self, predictions: Column, raw: Raw, top: int) -> Answers:
        values = predictions[LABEL]
        records = [{"forecast": [float(f"{value:.{DIGITS}g}") for value in row]} for row in values]
        return Steps(values, records)


@dataclass(frozen=True, slots=True)
class MostRecent(Sampling):
    """Budgets of the most recent windows, folds of neighbouring ones, and test blocks of stretches of time."""

    steps: int
    side_by_side: int = 1

    @property
    def overlap(self) -> int:
        return (self.steps - 1) * self.side_by_side

    def fewest(self, labels: Column | None) -> tuple[int, str]:
        return 1, "a window"

    def order(self, labels: Column, facts: Column | None, generator: np.random.Generator) -> Indices:
        """Return the most recent window first: a forecaster who has less history has the latest of it."""
        return np.arange(len(labels) - 1, -1, -1, dtype=np.int64)

    def folds(self, labels: Column, groups: Array | None, generator: np.random.Generator) -> Indices | None:
        """Return blocks of neighbouring windows, since windows that overlap must not be on both sides of a fold.

        None if the windows that overlap no held-out one were fewer than those held out.
        """
        folds = subset.blocked_folds(len(labels), FOLDS)
        left = len(labels) - len(labels) // FOLDS - 2 * self.overlap
        return folds if left >= len(labels) // FOLDS else None

    def blocks(self, labels: Column, facts: Column | None, groups: Array | None, seed_from: str) -> Indices:
        assert facts is not None, "windows know their moments"
        return stretch_blocks(facts["moment"], facts["series"], self.steps)


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
    """The mean squared error of `steps` outputs on the scale of each window's past."""

    steps: int

    def head(self, widths: Sequence[int]) -> "nn.Module":
        from bench.probing.linear import zero_head  # noqa: PLC0415 (loads torch)

        return zero_head(widths, self.steps)

    def loss(self, outputs: "tuple[Tensor, ...]", encoded: "Mapping[str, Tensor]", geometry: Column | None) -> "Tensor":
        return (outputs[0].float() - encoded[LABEL]).square().mean()

    def predict(self, outputs: "tuple[Tensor, ...]", geometry: Column | None) -> Column:
        return dense(**{LABEL: outputs[0].numpy()})

    def problem(self) -> "Problem":
        from bench.probing.problem import Ridge  # noqa: PLC0415 (loads torch)

        return Ridge()


@dataclass(frozen=True, slots=True)
class SeasonalNaive(Baseline):
    """The last cycle of each past once more, for `steps` steps."""

    title: ClassVar[str] = "seasonal naive"
    steps: int

    def predict(self, train_labels: Column, raw: Raw, facts: Column | None) -> Column:
        windows = expect_windows(raw)
        steps_back = windows.season - np.arange(self.steps) % windows.season  # [steps]
        return dense(**{LABEL: windows.past[:, -steps_back]})
