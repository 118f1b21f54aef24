"""Ridge regressions in closed form. Made of few and long products, they are solved one budget after the other."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor

from bench.probing.solver import Solver


def tame(values: Tensor, farthest: float) -> Tensor:
    """Return a weight [n] for each row of values [n, k]: 1, or less where its mean square is above that of `farthest`.

    Weighted so, the mean square of no row is above it.
    """
    if math.isinf(farthest):
        return torch.ones_like(values[..., 0])
    weights: Tensor = farthest**2 / values.square().mean(-1).clamp_min(farthest**2)
    return weights


class Moments(NamedTuple):
    """What a ridge regression needs to know of its examples."""

    gram: Tensor  # [r, r], about the mean
    projected: Tensor  # [r, outputs]
    x_mean: Tensor
    y_mean: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class RidgeSolver(Solver):
    """Least squares with a penalty: `coordinates` [s, n, r], `labels` [s, n, outputs].

    `holds_bias` says whether the bias is penalised too, as it is where heads are held to a pretrained one. Labels that
    lie beyond `farthest`, as a root mean square over their outputs, weigh as much less as brings them there.
    """

    coordinates: Tensor
    labels: Tensor
    holds_bias: bool
    names: Sequence[int]
    farthest: float = math.inf
    moments: dict[tuple[int, bytes], Moments] = field(default_factory=dict)
    """By the name of a budget and its examples: a Gram matrix is made once and serves every penalty."""

    def take(self, budgets: Tensor) -> "RidgeSolver":
        names = [self.names[budget] for budget in budgets.tolist()]
        coordinates, labels = self.coordinates[budgets], self.labels[budgets]
        return RidgeSolver(coordinates, labels, self.holds_bias, names, self.farthest, self.moments)

    def fit(self, examples: Tensor, penalty: Tensor, *, exact: bool, start: Tensor | None = None) -> Tensor:
        """Solve in closed form, by a Cholesky decomposition: for a short grid, cheaper than one into eigenvalues."""
        return torch.stack(
            [
                torch.stack([self._fit(self._moments(budget, rows), held) for rows in examples[budget]])
                for budget, held in enumerate(penalty.tolist())
            ]
        )

    def losses(self, weights: Tensor) -> Tensor:
        return torch.stack([self._losses(budget, fitted.clone()) for budget, fitted in enumerate(weights)])

    def _losses(self, budget: int, weights: Tensor) -> Tensor:
        """Return [p, n] of weights [p, outputs, r + 1]."""
        outputs = weights[..., :-1] @ self.coordinates[budget].double().mT + weights[..., -1:]  # [p, outputs, n]
        errors = (outputs - self.labels[budget].double().mT).square().mean(1)  # [p, n]
        return errors * tame(self.labels[budget].double(), self.farthest)

    def _moments(self, budget: int, rows: Tensor) -> Moments:
        name = self.names[budget], rows.numpy().tobytes()
        if name not in self.moments:
            x, y = self.coordinates[budget, rows].double(), self.labels[budget, rows].double()
            weights = tame(y, self.farthest)[:, None]
            x_mean, y_mean = (weights * x).sum(0) / weights.sum(), (weights * y).sum(0) / weights.sum()
            x, y = x - x_mean, y - y_mean
            gram, projected = x.T @ (weights * x), x.T @ (weights * y)
            self.moments[name] = Moments(gram / len(x), projected / len(x), x_mean, y_mean)
        return self.moments[name]

    def _fit(self, moments: Moments, penalty: float) -> Tensor:
        held = penalty * torch.eye(len(moments.gram), dtype=moments.gram.dtype)
        factor = torch.linalg.cholesky(moments.gram + held)
        weight = torch.cholesky_solve(moments.projected, factor).T  # [outputs, r]
        # About the mean of its examples a bias is a feature of variance 1 that no other is correlated with.
        bias = (moments.y_mean / (1 + penalty) if self.holds_bias else moments.y_mean) - weight @ moments.x_mean
        return torch.cat((weight, bias[:, None]), 1)
