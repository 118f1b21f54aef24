"""Softmax and logistic regressions, solved by L-BFGS side by side (see `bench.probing.lbfgs`).

Each product of a budget has the same shape and begins at a multiple of 64 bytes, whichever budgets it is solved with:
so its solution has the same bits.
"""

from dataclasses import dataclass, replace
from typing import Final

import torch
from torch import Tensor
from torch.nn.functional import one_hot, pad

from bench.probing.lanes import gradients, outputs, widen
from bench.probing.lbfgs import minimise
from bench.probing.solver import Solver

EXACT: Final = 1e-6
COMPARING: Final = 1e-4
"""Largest entry of the scaled gradient at which a problem counts as solved: to be used, or only compared.

A head that is stopped much earlier is in effect held more strongly, and the weakest penalty looks better than it is.
"""


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
        inputs = widen(self.coordinates).to(dtype)  # [s, n', w]
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
        logits = outputs(widen(self.coordinates).to(weights.dtype), weights)[..., :n]  # [s, p, classes, n]
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
        slopes = gradients(self.inputs, residuals) + held
        return values + 0.5 * (held * weights).sum((2, 3)), (slopes / self.scale).flatten(2)

    def curvature(self, weights: Tensor) -> Tensor:
        """Return the Hessian's diagonal at `weights`, [s, p, classes or 1, w]."""
        shares = self._logits(weights).softmax(2)
        spread = shares * (1 - shares) * self.shares[:, :, None]
        if self.directions is not None:
            spread = 2 * spread[:, :, :1]
        return (gradients(self.inputs.square(), spread) + self.ridge).clamp_min(1e-12)

    def _logits(self, weights: Tensor) -> Tensor:
        logits = outputs(self.inputs, weights)
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
        inputs = widen(self.coordinates).to(dtype)  # [s, n', w]
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
        logits = outputs(widen(self.coordinates).to(weights.dtype), weights)[..., :n]  # [s, p, k, n]
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
        logits = outputs(self.inputs, weights)
        values = (self.shares * _log_losses(logits, self.answers)).sum(3)  # [s, p, k]
        held = self.ridge * weights
        slopes = gradients(self.inputs, (logits.sigmoid() - self.answers) * self.shares) + held
        return (values + 0.5 * (held * weights).sum(3)).flatten(1), (slopes / self.scale).flatten(1, 2)

    def curvature(self, weights: Tensor) -> Tensor:
        """Return the Hessian's diagonal at `weights`, [s, p, k, w]."""
        yes = outputs(self.inputs, weights).sigmoid()
        spread = yes * (1 - yes) * self.shares
        return (gradients(self.inputs.square(), spread) + self.ridge).clamp_min(1e-12)


def _log_losses(logits: Tensor, answers: Tensor) -> Tensor:
    """Return the loss of each answer, of the shape of `logits`."""
    return torch.logaddexp(logits, torch.zeros_like(logits)) - answers * logits
