"""The target `value`: a number for each example."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from bench.answers import Answers, Rows
from bench.column import Array, Column, Indices, dense
from bench.domain import Raw
from bench.errors import DataError
from bench.metric import Metric
from bench.metrics import value as metrics
from bench.metrics.grouping import Combine, combine_values
from bench.subsets import subset
from bench.subsets.blocks import deal_blocks
from bench.subsets.folds import spread_folds
from bench.target import Baseline, Codec, Objective, Sampling, Target, first
from bench.written import Label, Labelling, Written

if TYPE_CHECKING:
    from torch import Tensor, nn

    from bench.probing.problem import Problem

LABEL: Final = "value"

STRATA: Final = 10
PER_STRATUM: Final = 4
"""So many examples at least make a quantile that a split is stratified by: one of them can be held out."""

MANY: Final = 20
REPEATED: Final = 10
"""Numbers are values where there are more than so many, and fewer examples of each on average."""
FOLDS: Final = 5
BINS: Final = 10
"""Budgets and folds spread over so many quantiles of the labels: each of them has small values and large ones."""

DIGITS: Final = 6  # significant, of a value that is shown


@dataclass(frozen=True, slots=True)
class Value(Target):
    """A number for each example: labels and predictions are `{"value": float64 [n]}`. `column` names the labels."""

    name: ClassVar[str] = "value"
    unit: ClassVar[str] = "labelled examples"
    column: str = LABEL

    @classmethod
    def written(cls) -> "Written[Value]":
        return WrittenNumbers()

    @property
    def reads(self) -> str:
        return self.column

    @property
    def sampling(self) -> Sampling:
        return SpreadOut()

    @property
    def codec(self) -> Codec:
        return Standardised()

    @property
    def objective(self) -> Objective:
        return SquaredError()

    @property
    def metrics(self) -> tuple[Metric, ...]:
        return first(metrics.METRICS, self.ranked_by)

    @property
    def combinations(self) -> Mapping[str, Combine]:
        return {"mean": combine_values}

    @property
    def baselines(self) -> tuple[Baseline, ...]:
        return (MeanValue(),)

    @property
    def rivals(self) -> tuple[str, ...]:
        return ("linear", "words")

    def answers(self, predictions: Column, raw: Raw, top: int) -> Answers:
        values = [float(f"{value:.{DIGITS}g}") for value in predictions[LABEL]]
        return Rows(("value",), [[(f"{value:g}",)] for value in values], [{"value": value} for value in values])


class SpreadOut(Sampling):
    """Budgets and folds that spread over the range of the labels."""

    def fewest(self, labels: Column | None) -> tuple[int, str]:
        return 2, "two values, from which a spread is known"

    def order(self, labels: Column, facts: Column | None, generator: np.random.Generator) -> Indices:
        return subset.stratified_order(quantiles(labels[LABEL], BINS), generator)

    def folds(
        self, labels: Column, facts: Column | None, groups: Array | None, generator: np.random.Generator
    ) -> Indices | None:
        """Return folds over quantiles of the labels; None of fewer than two examples a fold."""
        count = min(FOLDS, len(labels) // 2)
        return spread_folds(quantiles(labels[LABEL], BINS), groups, count, generator) if count > 1 else None

    def blocks(self, labels: Column, facts: Column | None, groups: Array | None, seed_from: str) -> Indices:
        return deal_blocks(len(labels), groups, seed_from=seed_from)


@dataclass(frozen=True, slots=True)
class Standardised(Codec):
    """Values less their `mean` over the budget, in units of their standard deviation there; learnt in float32."""

    mean: float = 0.0
    spread: float = 1.0

    def fit(self, labels: Column) -> "Standardised":
        values = labels[LABEL]
        constant = values.min() == values.max()  # of equal values rounding can leave a deviation
        return Standardised(float(values.mean()), 1.0 if constant else float(values.std()))

    def state(self) -> dict[str, float]:
        return asdict(self)

    def restored(self, state: Mapping[str, float]) -> "Standardised":
        return Standardised(**state)

    def encode(self, labels: Column, geometry: Column | None) -> Column:
        return dense(**{LABEL: ((labels[LABEL] - self.mean) / self.spread).astype(np.float32)})

    def decode(self, encoded: Column, geometry: Column | None) -> Column:
        return dense(**{LABEL: encoded[LABEL].astype(np.float64) * self.spread + self.mean})


class SquaredError(Objective):
    """The mean squared error of one output."""

    def head(self, widths: Sequence[int]) -> "nn.Module":
        from bench.probing.linear import zero_head  # noqa: PLC0415 (loads torch)

        return zero_head(widths, 1)

    def loss(self, outputs: "tuple[Tensor, ...]", encoded: "Mapping[str, Tensor]", geometry: Column | None) -> "Tensor":
        return (outputs[0].float()[:, 0] - encoded[LABEL]).square().mean()

    def predict(self, outputs: "tuple[Tensor, ...]", geometry: Column | None) -> Column:
        return dense(**{LABEL: outputs[0][:, 0].numpy()})

    def problem(self) -> "Problem":
        from bench.probing.problem import Ridge  # noqa: PLC0415 (loads torch)

        return Ridge()


class MeanValue(Baseline):
    """The mean of the training labels, for every example."""

    title: ClassVar[str] = "the mean"

    def predict(self, train_labels: Column, raw: Raw, facts: Column | None) -> Column:
        return dense(**{LABEL: np.full(len(raw), train_labels[LABEL].mean())})


def quantiles(values: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    """Return which of at most `count` quantiles each value is in, [n]; equal ones may be in two, in their order."""
    ranks = np.empty(len(values), dtype=np.int64)
    ranks[np.argsort(values, kind="stable")] = np.arange(len(values))
    return ranks * min(count, len(values)) // len(values)


class WrittenNumbers(Written[Value]):
    """Values are written as numbers."""

    def recognised(self, cells: Sequence[str], separator: str) -> str:
        numbers, n_distinct = [number_of(cell) for cell in cells], len(set(cells))
        if not numbers or any(map(math.isnan, numbers)):
            return ""
        alone = 2 * n_distinct > len(cells) > 2  # as classes, most would have a single example
        if alone or (n_distinct > MANY and len(cells) < REPEATED * n_distinct):
            return f"labels are {n_distinct} different numbers, taken as values"
        return ""

    def parse(self, cell: str, separator: str) -> Label:
        return cell

    def problem(self, cell: str, column: str) -> str:
        return f"has no number as its {column} but {cell!r}" if math.isnan(number_of(cell)) else ""

    def labelling(self, found: Sequence[Label], noun: str) -> Labelling[Value]:
        values = np.array([number_of(label) for label in found], dtype=np.float64)
        if not len(values) or values.min() == values.max():
            held = f"all {len(values):,} have the value {values[0]:g}" if len(values) else "there are none"
            raise DataError(f"values that differ are expected among the {noun}, but {held}")
        with np.errstate(over="ignore", under="ignore"):
            spread = float(np.square(values - values.mean()).sum())
        if not 0 < spread < math.inf:
            raise DataError(
                f"values from {values.min():g} to {values.max():g} are too far apart, or too close, to be squared: "
                "give them in another unit"
            )
        strata = quantiles(values, max(1, min(STRATA, len(values) // PER_STRATUM)))
        counted = f"with values from {values.min():g} to {values.max():g}"
        return Labelling(Value(), dense(**{LABEL: values}), strata, names=(), counted=counted)


def number_of(label: Label) -> float:
    """Return a label as a number, nan if it is none or not finite."""
    try:
        number = float(label) if isinstance(label, str) else math.nan
    except ValueError:
        return math.nan
    return number if math.isfinite(number) else math.nan
