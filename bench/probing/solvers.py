"""The convex problems behind linear heads: softmax and logistic regressions by L-BFGS, ridge in closed form.

A solver holds s budgets of n examples each, as coordinates in a basis where their Gram matrix is diagonal, and solves
for any choice of examples and penalties. Weights [s, p, outputs, w], w > r, begin with those of the r coordinates and
end with the bias. Between them may be zeros, up to a width that suits the processor.

What is solved for a budget is the same, to the last bit, whichever budgets it shares a solver with. For softmax and
logistic regressions, which are solved side by side, see `bench.probing.lbfgs`: here each product of a budget has the
same shape and begins at a multiple of 64 bytes. Ridge regressions, made of few and long products, are solved one by
one.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import one_hot, pad

from bench.probing.lbfgs import LANES, minimise

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
        """Return weights [s, p, outputs, w] for `examples` [s, p, n] (True: learnt from) and `penalty` [s].

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
        Examples that were added for their number count nothing.
        """
        dtype = torch.float64 if exact else torch.float32
        inputs = _widen(self.coordinates).to(dtype)  # [s, n', w]
        added = inputs.shape[1] - examples.shape[2]
        shares = pad(examples.to(dtype) / examples.sum(2, keepdim=True), (0, added))  # [s, p, n']
        ridge = penalty.to(dtype)[:, None, None, None].repeat(1, 1, 1, inputs.shape[2])  # [s, 1, 1, w]
        ridge[..., -1] = 0
        if start is None:
            start = inputs.new_zeros(*examples.shape[:2], self.classes, inputs.shape[2])
        hot = one_hot(pad(self.labels, (0, added)), self.classes).mT[:, None].to(dtype)  # [s, 1, classes, n']
        start = start.to(dtype)
        directions = DIFFERENCE.to(dtype) if self.classes == 2 else None
        if directions is not None:
            start = (start * directions).sum(2, keepdim=True)
        unscaled = _SoftmaxObjective(inputs, hot, shares, ridge, torch.ones_like(start), directions)
        problems = replace(unscaled, scale=unscaled.curvature(start).sqrt())
        flat = minimise(problems, problems.flat(start), tolerance=EXACT if exact else COMPARING)
        weights = problems.weights(flat)
        # One vector more or less for every class changes no output: with a penalty, the best ones add up to zero.
        return weights - weights.mean(2, keepdim=True) if directions is None else weights * directions

    def losses(self, weights: Tensor) -> Tensor:
        n = self.labels.shape[1]
        logits = _outputs(_widen(self.coordinates).to(weights.dtype), weights)[..., :n]  # [s, p, classes, n]
        named = self.labels[:, None, None].expand(-1, logits.shape[1], 1, -1)
        return (logits.logsumexp(2, keepdim=True) - logits.gather(2, named))[:, :, 0]


DIFFERENCE: Final = torch.tensor([[1.0], [-1.0]], dtype=torch.float64) / 2**0.5
"""Two classes have one direction: the best weights of the one are those of the other with the opposite sign."""


@dataclass(frozen=True, slots=True, eq=False)
class _SoftmaxObjective:
    """Penalised losses of points [s, p, classes * w], which are weights W times `scale`.

    With shares c_i of the examples x_i, which add up to 1, labels y_i one-hot and penalties h (0 for the bias),

        value = - sum of c_i log softmax(W x_i)[y_i] + 1/2 sum of h W²,    gradient = sum of c_i (softmax(W x_i) - y_i)
        x_i' + h W,    Hessian's diagonal = sum of c_i q_i (1 - q_i) x_i² + h,  where q_i = softmax(W x_i).

    Two classes have one vector v of weights, W = (v, -v) / sqrt 2: it takes half the room, and logits and residuals go
    through `directions`. The Hessian's diagonal is q_i (1 - q_i) (2 / sqrt 2)² x_i² = 2 q_i (1 - q_i) x_i², plus h.
    """

    inputs: Tensor  # [s, n, w]
    hot: Tensor  # [s, 1, classes, n]
    shares: Tensor  # [s, p, n]: what each example counts
    ridge: Tensor  # [s, 1, 1, w]
    scale: Tensor  # [s, p, classes, w], or of two classes only the one direction
    directions: Tensor | None  # [classes, 1]

    def take(self, sets: Tensor) -> "_SoftmaxObjective":
        return _SoftmaxObjective(
            self.inputs[sets], self.hot[sets], self.shares[sets], self.ridge[sets], self.scale[sets], self.directions
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
        """Return the Hessian's diagonal at `weights`, [s, p, classes or 1, w]."""
        shares = self._logits(weights).softmax(2)
        spread = shares * (1 - shares) * self.shares[:, :, None]
        if self.directions is not None:
            spread = 2 * spread[:, :, :1]
        return (_gradients(self.inputs.square(), spread) + self.ridge).clamp_min(1e-12)

    def _logits(self, weights: Tensor) -> Tensor:
        logits = _outputs(self.inputs, weights)
        return logits if self.directions is None else logits * self.directions


@dataclass(frozen=True, slots=True, eq=False)
class OneVsRestSolver(Solver):
    """Logistic regressions of k yes-or-no questions: `coordinates` [s, n, r], answers `labels` [s, n, k], 0 or 1.

    All questions of a budget share its penalty, which is chosen by their mean loss.
    """

    coordinates: Tensor
    labels: Tensor

    def take(self, budgets: Tensor) -> "OneVsRestSolver":
        return OneVsRestSolver(self.coordinates[budgets], self.labels[budgets])

    def fit(self, examples: Tensor, penalty: Tensor, *, exact: bool, start: Tensor | None = None) -> Tensor:
        """Solve all questions together, as `SoftmaxSolver` solves its problems.

        A question with one answer among its examples has no optimum: the answer of each of them counts as the share of
        yes, smoothed by half an example of either answer. Its weights are 0 then, and its outputs the logit of that.
        """
        dtype = torch.float64 if exact else torch.float32
        inputs = _widen(self.coordinates).to(dtype)  # [s, n', w]
        added = inputs.shape[1] - examples.shape[2]
        counted = pad(examples.to(dtype), (0, added))[:, :, None]  # [s, p, 1, n']
        total = counted.sum(3, keepdim=True)
        answers = pad(self.labels.to(dtype).mT, (0, added))[:, None]  # [s, 1, k, n']
        yes = (answers * counted).sum(3, keepdim=True)  # [s, p, k, 1]
        answers = torch.where((yes == 0) | (yes == total), (yes + 0.5) / (total + 1), answers)
        ridge = penalty.to(dtype)[:, None, None, None].repeat(1, 1, 1, inputs.shape[2])  # [s, 1, 1, w]
        ridge[..., -1] = 0
        if start is None:
            start = inputs.new_zeros(*examples.shape[:2], self.labels.shape[2], inputs.shape[2])
        start = start.to(dtype)
        unscaled = _LogisticObjective(inputs, answers, counted / total, ridge, torch.ones_like(start))
        problems = replace(unscaled, scale=unscaled.curvature(start).sqrt())
        return problems.weights(minimise(problems, problems.flat(start), tolerance=EXACT if exact else COMPARING))

    def losses(self, weights: Tensor) -> Tensor:
        n = self.labels.shape[1]
        logits = _outputs(_widen(self.coordinates).to(weights.dtype), weights)[..., :n]  # [s, p, k, n]
        return _log_losses(logits, self.labels.to(weights.dtype).mT[:, None]).mean(2)


@dataclass(frozen=True, slots=True, eq=False)
class _LogisticObjective:
    """Penalised losses of points [s, p * k, w], which are the weights W of k questions times `scale`.

    With shares c_i of the examples x_i, answers a_i and penalties h (0 for the bias), of each question

        value = sum of c_i (log(1 + exp(W x_i)) - a_i W x_i) + 1/2 sum of h W²,    gradient = sum of c_i (q_i - a_i)
        x_i' + h W,    Hessian's diagonal = sum of c_i q_i (1 - q_i) x_i² + h,  where q_i = 1 / (1 + exp(-W x_i)).
    """

    inputs: Tensor  # [s, n, w]
    answers: Tensor  # [s, p, k, n]
    shares: Tensor  # [s, p, 1, n]: what each example counts
    ridge: Tensor  # [s, 1, 1, w]
    scale: Tensor  # [s, p, k, w]

    def take(self, sets: Tensor) -> "_LogisticObjective":
        return _LogisticObjective(
            self.inputs[sets], self.answers[sets], self.shares[sets], self.ridge[sets], self.scale[sets]
        )

    def flat(self, weights: Tensor) -> Tensor:
        return (weights * self.scale).flatten(1, 2)

    def weights(self, points: Tensor) -> Tensor:
        return points.view(self.scale.shape) / self.scale

    def evaluate(self, points: Tensor) -> tuple[Tensor, Tensor]:
        weights = self.weights(points)
        logits = _outputs(self.inputs, weights)
        values = (self.shares * _log_losses(logits, self.answers)).sum(3)  # [s, p, k]
        held = self.ridge * weights
        gradients = _gradients(self.inputs, (logits.sigmoid() - self.answers) * self.shares) + held
        return (values + 0.5 * (held * weights).sum(3)).flatten(1), (gradients / self.scale).flatten(1, 2)

    def curvature(self, weights: Tensor) -> Tensor:
        """Return the Hessian's diagonal at `weights`, [s, p, k, w]."""
        yes = _outputs(self.inputs, weights).sigmoid()
        spread = yes * (1 - yes) * self.shares
        return (_gradients(self.inputs.square(), spread) + self.ridge).clamp_min(1e-12)


def _log_losses(logits: Tensor, answers: Tensor) -> Tensor:
    """Return the loss of each answer, of the shape of `logits`."""
    return torch.logaddexp(logits, torch.zeros_like(logits)) - answers * logits


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
        return torch.stack([self._losses(budget, fitted.clone()) for budget, fitted in enumerate(weights)])

    def _losses(self, budget: int, weights: Tensor) -> Tensor:
        """Return [p, n] of weights [p, outputs, r + 1]."""
        outputs = weights[..., :-1] @ self.coordinates[budget].double().mT + weights[..., -1:]  # [p, outputs, n]
        return (outputs - self.labels[budget].double().mT).square().mean(1)

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


def _widen(coordinates: Tensor) -> Tensor:
    """Return inputs [s, n', w] of coordinates [s, n, r]: zeros up to multiples of `LANES`, and last 1 for the bias."""
    s, n, r = coordinates.shape
    inputs = coordinates.new_zeros(s, _whole_lanes(n), _whole_lanes(r + 1))
    inputs[:, :n, :r] = coordinates
    inputs[:, :n, -1] = 1
    return inputs


def _whole_lanes(size: int) -> int:
    return -(-size // LANES) * LANES


def _outputs(inputs: Tensor, weights: Tensor) -> Tensor:
    """Return [s, p, outputs, n]. The large factor stands to the right, where a product with few rows is fast."""
    s, p, k, w = weights.shape
    return (weights.view(s, p * k, w) @ inputs.mT).view(s, p, k, -1)


def _gradients(inputs: Tensor, residuals: Tensor) -> Tensor:
    """Return [s, p, outputs, w] of residuals [s, p, outputs, n]."""
    s, p, k, n = residuals.shape
    return (residuals.reshape(s, p * k, n) @ inputs).view(s, p, k, -1)
