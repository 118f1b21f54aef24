"""What is solved for a linear head: rows of features with what they are to be, and the solver of each kind of loss.

No tensor library is imported here but inside the methods: a plan asks targets what is solved for them.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from torch import Tensor

    from bench.probing.solver import Solver


class Problem(ABC):
    """How linear heads of one kind of loss are solved to their optimum.

    One that `corrects` can start from a head that came with the weights: what is solved are its residuals.
    """

    corrects: ClassVar[bool] = False

    @abstractmethod
    def solver(self, coordinates: "Tensor", labels: "Tensor", *, holds_bias: bool) -> "Solver":
        """Return the solver of s budgets: coordinates [s, m, r], labels [s, m] or [s, m, k].

        With `holds_bias` the penalty holds the bias too, as it does where a head is corrected.
        """

    @abstractmethod
    def average(self, labels: "Tensor") -> "Tensor":
        """Return the outputs [n, k] that the labels [n, m] or [n, m, k] of m neighbours of each example speak for."""


@dataclass(frozen=True, slots=True)
class Softmax(Problem):
    """Multinomial logistic regression over `classes` classes."""

    classes: int

    def solver(self, coordinates: "Tensor", labels: "Tensor", *, holds_bias: bool) -> "Solver":
        from bench.probing.logistic import SoftmaxSolver  # noqa: PLC0415 (loads torch)

        assert not holds_bias, "a softmax corrects no head"
        return SoftmaxSolver(coordinates, labels, self.classes)

    def average(self, labels: "Tensor") -> "Tensor":
        """Return the logarithms of the shares of votes, with one more vote that is shared by all classes."""
        from torch.nn.functional import one_hot  # noqa: PLC0415 (takes seconds)

        votes = one_hot(labels, self.classes).sum(1).float()  # [n, k]
        return ((votes + 1 / self.classes) / (labels.shape[1] + 1)).log()


@dataclass(frozen=True, slots=True)
class OneVsRest(Problem):
    """Logistic regressions of `questions` yes-or-no questions."""

    questions: int

    def solver(self, coordinates: "Tensor", labels: "Tensor", *, holds_bias: bool) -> "Solver":
        from bench.probing.logistic import OneVsRestSolver  # noqa: PLC0415 (loads torch)

        assert not holds_bias, "these regressions correct no head"
        return OneVsRestSolver(coordinates, labels)

    def average(self, labels: "Tensor") -> "Tensor":
        """Return the logits of the shares of yes, with one more vote that is half of both."""
        shares = (labels.float().sum(1) + 0.5) / (labels.shape[1] + 1)  # [n, k]
        return shares.logit()


@dataclass(frozen=True, slots=True)
class Ridge(Problem):
    """Least squares, of labels that lie no farther than `farthest`: see `bench.probing.ridge.tame`."""

    corrects: ClassVar[bool] = True
    farthest: float = math.inf

    def solver(self, coordinates: "Tensor", labels: "Tensor", *, holds_bias: bool) -> "Solver":
        from bench.probing.ridge import RidgeSolver  # noqa: PLC0415 (loads torch)

        if labels.ndim == 2:  # one output
            labels = labels[:, :, None]
        return RidgeSolver(coordinates, labels, holds_bias, range(len(labels)), self.farthest)

    def average(self, labels: "Tensor") -> "Tensor":
        """Return the mean."""
        means = labels.float().mean(1)
        return means[:, None] if means.ndim == 1 else means
