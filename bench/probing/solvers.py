"""Owns the convex problems behind linear heads: softmax regressions by L-BFGS, ridge regressions in closed form.

A solver holds s budgets of n examples each, as coordinates in a basis where their Gram matrix is diagonal, and solves
for any choice of examples and penalties. Weights have a last column for the bias: [s, p, outputs, r + 1].
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from bench.probing.lbfgs import minimise

EXACT: Final = 1e-6
COMPARING: Final = 1e-4
"""Largest entry of the scaled gradient at which a problem counts as solved: to be used, or only compared.

A head that is stopped much earlier is in effect held more strongly, and the weakest penalty looks better than it is.
"""


class Solver(ABC):
    """Heads on s budgets of n examples each."""

    @abstractmethod
    def take(self, budgets: Tensor) -> "Solver":
        """Return the solver of the budgets at these indices."""

    @abstractmethod
    def fit(self, examples: Tensor, penalty: Tensor, *, exact: bool, start: Tensor | None = None) -> Tensor:
        """Return weights [s, p, outputs, r + 1] for `examples` [s, p, n] (True: learnt from) and `penalty` [s].

        An iterative solver begins at `start`, of the same shape, and is stopped earlier where not `exact`.
        """

    @abstractmethod
    def losses(self, weights: Tensor) -> Tensor:
        """Return the loss of each example, [s, p, n]."""


@dataclass(frozen=True, slots=True, eq=False)
class SoftmaxSolver(Solver):
    """Multinomial logistic regressions: `coordinates` [s, n, r], class indices `labels` [s, n]."""

    coordinates: Tensor
    labels: Tensor
    classes: int

    def take(self, budgets: Tensor) -> "SoftmaxSolver":
        return SoftmaxSolver(self.coordinates[budgets], self.labels[budgets], self.classes)

    def fit(self, examples: Tensor, penalty: Tensor, *, exact: bool, start: Tensor | None = None) -> Tensor:
        """Solve all problems together, in single precision where they are only compared.

        They are scaled by the curvature at the start: in this basis nearly the Hessian, so that few iterations do.
        """
        dtype = torch.float64 if exact else torch.float32
        inputs = _with_bias(self.coordinates).to(dtype)
        shares = examples.to(dtype) / examples.sum(2, keepdim=True)
        ridge = penalty.to(dtype)[:, None, None, None].repeat(1, 1, 1, inputs.shape[2])  # [s, 1, 1, r + 1]
        ridge[..., -1] = 0
        if start is None:
            start = inputs.new_zeros(*examples.shape[:2], self.classes, inputs.shape[2])
        hot = one_hot(self.labels, self.classes).mT[:, None].to(dtype)  # [s, 1, classes, n]
        start = start.to(dtype)
        directions = DIFFERENCE.to(dtype) if self.classes == 2 else None
        if directions is not None:
            start = (start * directions).sum(2, keepdim=True)
        unscaled = _SoftmaxObjective(inputs, hot, shares, ridge, torch.ones_like(start), directions)
        problems = replace(unscaled, scale=unscaled.curvature(start).sqrt())
        flat = minimise(problems, problems.flat(start), tolerance=EXACT if exact else COMPARING)
        weights = problems.weights(flat)
        return weights if directions is None else weights * directions

    def losses(self, weights: Tensor) -> Tensor:
        logits = _outputs(_with_bias(self.coordinates).to(weights.dtype), weights)  # [s, p, classes, n]
        named = self.labels[:, None, None].expand(-1, logits.shape[1], 1, -1)
        return (logits.logsumexp(2, keepdim=True) - logits.gather(2, named))[:, :, 0]


DIFFERENCE: Final = torch.tensor([[1.0], [-1.0]], dtype=torch.float64) / 2**0.5
"""Two classes have one direction: the best weights of the one are those of the other with the opposite sign."""


@dataclass(frozen=True, slots=True, eq=False)
class _SoftmaxObjective:
    """Penalised losses of points [s, p, classes * (r + 1)], which are weights times `scale`."""

    inputs: Tensor  # [s, n, r + 1]
    hot: Tensor  # [s, 1, classes, n]
    shares: Tensor  # [s, p, n]: what each example counts
    ridge: Tensor  # [s, 1, 1, r + 1]
    scale: Tensor  # [s, p, classes, r + 1], or of two classes only the one direction
    directions: Tensor | None  # [classes, 1]

    def take(self, sets: Tensor, problems: Tensor) -> "_SoftmaxObjective":
        return _SoftmaxObjective(
            self.inputs[sets],
            self.hot[sets],
            self.shares[sets][:, problems],
            self.ridge[sets],
            self.scale[sets][:, problems],
            self.directions,
        )

    def flat(self, weights: Tensor) -> Tensor:
        return (weights * self.scale).flatten(2)

    def weights(self, points: Tensor) -> Tensor:
        return points.view(self.scale.shape) / self.scale

    def evaluate(self, points: Tensor) -> tuple[Tensor, Tensor]:
        weights = self.weights(points)
        logs = self._logits(weights).log_softmax(2)  # [s, p, classes, n]
        values = -(self.shares * (logs * self.hot).sum(2)).sum(2)
        residuals = logs.exp_().sub_(self.hot).mul_(self.shares[:, :, None])
        if self.directions is not None:
            residuals = (residuals * self.directions).sum(2, keepdim=True)
        held = self.ridge * weights
        gradients = _gradients(self.inputs, residuals) + held
        return values + 0.5 * (held * weights).sum((2, 3)), (gradients / self.scale).flatten(2)

    def curvature(self, weights: Tensor) -> Tensor:
        """Return the Hessian's diagonal at `weights`, [s, p, classes or 1, r + 1]."""
        shares = self._logits(weights).softmax(2)
        spread = shares * (1 - shares) * self.shares[:, :, None]
        if self.directions is not None:
            spread = 2 * spread[:, :, :1]
        return (_gradients(self.inputs.square(), spread) + self.ridge).clamp_min(1e-12)

    def _logits(self, weights: Tensor) -> Tensor:
        logits = _outputs(self.inputs, weights)
        return logits if self.directions is None else logits * self.directions


class Moments(NamedTuple):
    """What a ridge regression needs to know of its examples."""

    gram: Tensor  # [r, r], about the mean
    projected: Tensor  # [r, outputs]
    x_mean: Tensor
    y_mean: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class RidgeSolver(Solver):
    """Least squares with a penalty: `coordinates` [s, n, r], `labels` [s, n, outputs].

    `holds_bias` says whether the bias is penalised too, as it is where heads are held to a pretrained one.
    """

    coordinates: Tensor
    labels: Tensor
    holds_bias: bool
    names: Sequence[int]
    moments: dict[tuple[int, bytes], Moments] = field(default_factory=dict)
    """By the name of a budget and its examples: a Gram matrix is made once and serves every penalty."""

    def take(self, budgets: Tensor) -> "RidgeSolver":
        names = [self.names[budget] for budget in budgets.tolist()]
        return RidgeSolver(self.coordinates[budgets], self.labels[budgets], self.holds_bias, names, self.moments)

    def fit(self, examples: Tensor, penalty: Tensor, *, exact: bool, start: Tensor | None = None) -> Tensor:
        """Solve in closed form, by a Cholesky decomposition: for a short grid, cheaper than one into eigenvalues."""
        return torch.stack(
            [
                torch.stack([self._fit(self._moments(budget, rows), held) for rows in examples[budget]])
                for budget, held in enumerate(penalty.tolist())
            ]
        )

    def losses(self, weights: Tensor) -> Tensor:
        outputs = _outputs(_with_bias(self.coordinates.double()), weights)  # [s, p, outputs, n]
        return (outputs - self.labels.double().mT[:, None]).square().mean(2)

    def _moments(self, budget: int, rows: Tensor) -> Moments:
        name = self.names[budget], rows.numpy().tobytes()
        if name not in self.moments:
            x, y = self.coordinates[budget, rows].double(), self.labels[budget, rows].double()
            x_mean, y_mean = x.mean(0), y.mean(0)
            x, y = x - x_mean, y - y_mean
            self.moments[name] = Moments(x.T @ x / len(x), x.T @ y / len(x), x_mean, y_mean)
        return self.moments[name]

    def _fit(self, moments: Moments, penalty: float) -> Tensor:
        held = penalty * torch.eye(len(moments.gram), dtype=moments.gram.dtype)
        factor = torch.linalg.cholesky(moments.gram + held)
        weight = torch.cholesky_solve(moments.projected, factor).T  # [outputs, r]
        # About the mean of its examples a bias is a feature of variance 1 that no other is correlated with.
        bias = (moments.y_mean / (1 + penalty) if self.holds_bias else moments.y_mean) - weight @ moments.x_mean
        return torch.cat((weight, bias[:, None]), 1)


def _with_bias(coordinates: Tensor) -> Tensor:
    return torch.cat((coordinates, coordinates.new_ones(*coordinates.shape[:2], 1)), 2)


def _outputs(inputs: Tensor, weights: Tensor) -> Tensor:
    """Return [s, p, outputs, n]. The large factor stands to the right, where a product with few rows is fast."""
    s, p, k, r = weights.shape
    return (weights.view(s, p * k, r) @ inputs.mT).view(s, p, k, -1)


def _gradients(inputs: Tensor, residuals: Tensor) -> Tensor:
    """Return [s, p, outputs, r + 1] of residuals [s, p, outputs, n]."""
    s, p, k, n = residuals.shape
    return (residuals.reshape(s, p * k, n) @ inputs).view(s, p, k, -1)
