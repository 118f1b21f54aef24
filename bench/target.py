"""Owns the mathematics of labels: what a head puts out, its loss, the metric, chance and how a budget is drawn.

No tensor library is imported here: losses are written with the methods of the tensors they are given, so that listing,
planning and reporting need none.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Final, Literal

import numpy as np
from numpy.typing import NDArray

from bench.domain import Indices, Raw, Windows
from bench.planning import subset

if TYPE_CHECKING:
    from torch import Tensor

Labels = NDArray[np.int64] | NDArray[np.float32]
Outputs = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Metric:
    """The name of a score and which direction is good.

    `perfect` is the score of a faultless prediction, `chance_title` what the guess is called that knows nothing.
    """

    name: str
    title: str
    higher_is_better: bool
    perfect: float
    chance_title: str


class Target(ABC):
    """What is predicted, from labels to score."""

    label: ClassVar[str]

    @property
    @abstractmethod
    def metric(self) -> Metric:
        """What is scored."""

    @property
    @abstractmethod
    def width(self) -> int:
        """The number of outputs per example."""

    @property
    @abstractmethod
    def smallest_budget(self) -> int:
        """The fewest labels that can be learnt from."""

    @property
    @abstractmethod
    def overlap(self) -> int:
        """How many neighbours to either side share labels with an example; none if labels stand for themselves."""

    @abstractmethod
    def budget_order(self, labels: Labels, generator: np.random.Generator) -> Indices:
        """Return all indices [n] in the order in which budgets take them: a budget of k labels is the first k."""

    @abstractmethod
    def folds(self, labels: Labels, generator: np.random.Generator) -> Indices | None:
        """Return the cross-validation fold of each example [n], or None where there are too few to choose anything."""

    @abstractmethod
    def encode(self, labels: Labels, raw: Raw) -> Labels:
        """Return what a head learns, [n] or [n, width]."""

    @abstractmethod
    def decode(self, outputs: Outputs, raw: Raw) -> Outputs:
        """Return predictions [n, width] on the scale of the labels."""

    @abstractmethod
    def loss(self, outputs: "Tensor", encoded: "Tensor") -> "Tensor":
        """Return the mean loss, a scalar, of outputs [n, width]."""

    @abstractmethod
    def score(self, predictions: Outputs, labels: Labels, raw: Raw) -> float:
        """Return the metric of predictions [n, width]."""

    @abstractmethod
    def chance(self, labels: Labels, raw: Raw) -> float:
        """Return the score, on these examples, of a guess that looks at no input and learns nothing."""


ACCURACY: Final = Metric("accuracy", "accuracy", higher_is_better=True, perfect=1.0, chance_title="chance")
MASE: Final = Metric("mase", "MASE", higher_is_better=False, perfect=0.0, chance_title="seasonal naive")
MSE: Final = Metric("mse", "MSE", higher_is_better=False, perfect=0.0, chance_title="seasonal naive")


@dataclass(frozen=True, slots=True)
class Classes(Target):
    """One of several classes per example; labels are indices into `names`, the metric is accuracy.

    `smoothing` is the share of a label that the loss spreads over all classes (Szegedy et al. 2016, arXiv:1512.00567).
    """

    label: ClassVar[str] = "labelled examples"
    fold_count: ClassVar[int] = 5
    names: tuple[str, ...]
    smoothing: float = 0.0

    @property
    def metric(self) -> Metric:
        return ACCURACY

    @property
    def width(self) -> int:
        return len(self.names)

    @property
    def smallest_budget(self) -> int:
        return len(self.names)

    @property
    def overlap(self) -> int:
        return 0

    def budget_order(self, labels: Labels, generator: np.random.Generator) -> Indices:
        return subset.stratified_order(labels.astype(np.int64), generator)

    def folds(self, labels: Labels, generator: np.random.Generator) -> Indices | None:
        rarest = int(np.bincount(labels.astype(np.int64), minlength=self.width).min())
        if rarest < 2:
            return None
        return subset.stratified_folds(labels.astype(np.int64), min(self.fold_count, rarest), generator)

    def encode(self, labels: Labels, raw: Raw) -> Labels:
        return labels

    def decode(self, outputs: Outputs, raw: Raw) -> Outputs:
        return outputs

    def loss(self, outputs: "Tensor", encoded: "Tensor") -> "Tensor":
        logs = outputs.float().log_softmax(-1)
        named = logs.gather(-1, encoded[:, None]).mean()
        return -(1 - self.smoothing) * named - self.smoothing * logs.mean()

    def score(self, predictions: Outputs, labels: Labels, raw: Raw) -> float:
        return float((predictions.argmax(axis=1) == labels).mean())

    def chance(self, labels: Labels, raw: Raw) -> float:
        """Return the share of the most frequent class.

        Stricter than one in so many classes where classes are uneven: what a constant answer gets is no skill.
        """
        return float(np.bincount(labels.astype(np.int64)).max() / len(labels))


@dataclass(frozen=True, slots=True)
class Horizon(Target):
    """The next `steps` values of a series; labels are float32 [n, steps], and lower is better.

    Windows are in order of time; where several series share it, those of one moment lie next to each other,
    `side_by_side` at most. `error` says which errors are averaged, in units of each window's series: absolute ones
    ("mase") or squared ones ("mse": with a standard deviation as unit, the MSE of standardised data).

    Two horizons are equal if they are as long: how errors are counted changes neither head nor loss, so that a head
    that was pretrained for a horizon serves every task that asks for it.
    """

    label: ClassVar[str] = "training windows"
    fold_count: ClassVar[int] = 5
    steps: int
    error: Literal["mase", "mse"] = field(default="mase", compare=False)
    side_by_side: int = field(default=1, compare=False)

    @property
    def metric(self) -> Metric:
        return MASE if self.error == "mase" else MSE

    @property
    def width(self) -> int:
        return self.steps

    @property
    def smallest_budget(self) -> int:
        return 1

    @property
    def overlap(self) -> int:
        return (self.steps - 1) * self.side_by_side

    def budget_order(self, labels: Labels, generator: np.random.Generator) -> Indices:
        """Return the most recent window first: a forecaster who has less history has the latest of it."""
        return np.arange(len(labels) - 1, -1, -1, dtype=np.int64)

    def folds(self, labels: Labels, generator: np.random.Generator) -> Indices | None:
        """Return blocks of neighbouring windows, since windows that overlap must not be on both sides of a fold.

        None if the windows that overlap no held-out one were fewer than those held out.
        """
        folds = subset.blocked_folds(len(labels), self.fold_count)
        left = len(labels) - len(labels) // self.fold_count - 2 * self.overlap
        return folds if left >= len(labels) // self.fold_count else None

    def encode(self, labels: Labels, raw: Raw) -> Labels:
        centre, spread = _windows(raw).scale()
        return ((labels - centre) / spread).astype(np.float32)

    def decode(self, outputs: Outputs, raw: Raw) -> Outputs:
        centre, spread = _windows(raw).scale()
        return outputs * spread + centre

    def loss(self, outputs: "Tensor", encoded: "Tensor") -> "Tensor":
        return (outputs.float() - encoded).square().mean()

    def score(self, predictions: Outputs, labels: Labels, raw: Raw) -> float:
        errors = np.abs(predictions - labels) / _windows(raw).unit[:, None]  # [n, steps]
        return float((errors if self.error == "mase" else np.square(errors)).mean())

    def chance(self, labels: Labels, raw: Raw) -> float:
        """Return the score of the seasonal naive forecast: the last cycle once more."""
        windows = _windows(raw)
        steps_back = windows.season - np.arange(self.steps) % windows.season  # [steps]
        return self.score(windows.past[:, -steps_back], labels, raw)


def _windows(raw: Raw) -> Windows:
    assert isinstance(raw, Windows), f"a horizon is forecast from windows, not from {type(raw).__name__}"
    return raw
