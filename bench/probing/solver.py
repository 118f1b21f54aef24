"""The contract of solvers: the convex problems behind linear heads, solved to their optimum for many budgets at once.

A solver holds s budgets of n examples each, as coordinates in a basis where their Gram matrix is diagonal, and solves
for any choice of examples and penalties. Weights [s, p, outputs, w], w > r, begin with those of the r coordinates and
end with the bias. Between them may be zeros, up to a width that suits the processor.

What is solved for a budget is the same, to the last bit, whichever budgets it shares a solver with: see
`bench.probing.logistic` and `bench.probing.ridge`.
"""

from abc import ABC, abstractmethod

from torch import Tensor


class Solver(ABC):
    """Heads on s budgets of n examples each."""

    @abstractmethod
    def take(self, budgets: Tensor) -> "Solver":
        """Return the solver of the budgets at these indices."""

    @abstractmethod
    def fit(self, examples: Tensor, penalty: Tensor, *, exact: bool, start: Tensor | None = None) -> Tensor:
        """Return weights [s, p, outputs, w] for `examples` [s, p, n] (True: learnt from) and `penalty` [s].

        An iterative solver begins at `start`, of the same shape, and is stopped earlier where not `exact`.
        """

    @abstractmethod
    def losses(self, weights: Tensor) -> Tensor:
        """Return the loss of each example, [s, p, n]."""
