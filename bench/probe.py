"""Owns linear heads: solved to their optimum, the penalty chosen by cross-validation inside the label budget.

With features X [n, d], centred and divided by one number so that their mean square is 1, a head W [d, k] with bias b
minimises

    mean over examples of loss(x W + b, y)  +  penalty / 2 * |W|^2

where the loss is the cross-entropy of a softmax for classes and half the squared error for a horizon. Where the
backbone was pretrained for the very horizon that the task asks for, its head is where W and b are held to instead of
zero: then few labels correct a forecaster instead of making one (a ridge regression on its residuals). scikit-learn's
`LogisticRegression(C=1 / (n * penalty))` has the same optimum on the same X.

Everything runs in the basis of X's right singular vectors, X = U S V^T: the penalty is the same there, a budget of n
labels needs at most n coordinates however wide the features are, and curvature is nearly diagonal.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import singledispatch
from typing import Final

import torch
from torch import Tensor

from bench.backbone import Head
from bench.target import Classes, Horizon, Target

Objective = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""From points [p, …] of the problems at rows [p]: their values [p] and gradients [p, …]."""

MEMORY: Final = 10
MOST_HALVINGS: Final = 20
MOST_ITERATIONS: Final = 500
TINY: Final = 1e-30
EXACT: Final = 1e-6
COMPARING: Final = 1e-4
"""Largest entry of the preconditioned gradient at which a problem counts as solved: to be used, or only compared.

A head that is stopped much earlier is in effect held more strongly, and the weakest penalty looks better than it is.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Solved:
    """A head on raw features and the penalty it was held by."""

    head: Head
    penalty: float


@dataclass(frozen=True, slots=True, eq=False)
class Budget:
    """What a head is solved from: coordinates [n, r] in the singular basis, their labels and folds [n] or None.

    `holds_bias` says whether the bias is penalised too, as it is where heads are held to a pretrained one.
    """

    coordinates: Tensor
    labels: Tensor
    folds: Tensor | None
    holds_bias: bool


def solve_head(
    target: Target,
    features: Tensor,
    labels: Tensor,
    folds: Tensor | None,
    *,
    penalties: Sequence[float],
    default: float,
    prior: Head | None = None,
) -> Solved:
    """Return the head for features [n, d] with encoded labels [n] or [n, k].

    The penalty with the least held-out loss over the `folds` [n] is used, the largest of equals; without folds,
    `default`. With a `prior` of the same horizon, what is solved is the correction to its forecasts, bias included.
    """
    if prior is not None:
        labels = labels - (features @ prior.weight + prior.bias)
    exact = features.double()
    centre = exact.mean(0)
    centred = exact - centre
    scale = centred.square().mean().sqrt().clamp_min(torch.finfo(torch.float32).tiny)
    left, singular, right = torch.linalg.svd(centred / scale, full_matrices=False)  # [n, r], [r], [r, d]
    rotated = Budget(left * singular, labels, folds, holds_bias=prior is not None)
    grid = sorted(penalties, reverse=True)
    penalty = grid[int(held_out_losses(target, rotated, grid).argmin())] if folds is not None else default
    everything, chosen = torch.ones(1, len(labels)), torch.tensor([penalty], dtype=torch.float64)
    weight, bias = (part[0] for part in fit_heads(target, rotated, everything, chosen, tolerance=EXACT))
    weight = right.T @ weight / scale  # [d, k]
    bias = bias - centre @ weight
    if prior is not None:
        weight, bias = prior.weight + weight, prior.bias + bias
    return Solved(Head(weight.float(), bias.float()), penalty)


def held_out_losses(target: Target, budget: Budget, penalties: Sequence[float]) -> Tensor:
    """Return the mean loss on the examples each fold leaves out, for every penalty; shape [len(penalties)].

    Examples that share labels with a held-out one are not learnt from either (purging: López de Prado 2018, Advances in
    Financial Machine Learning, section 7.4.1).
    """
    assert budget.folds is not None
    folds = budget.folds.unique()
    held_out = budget.folds[None, :] == folds[:, None]  # [folds, n]
    masks = (~_with_neighbours(held_out, target.overlap)).double()
    masks = masks.repeat(len(penalties), 1)  # penalty-major: [penalties * folds, n]
    values = torch.tensor(penalties, dtype=torch.float64).repeat_interleave(len(folds))
    weights, biases = fit_heads(target, budget, masks, values, tolerance=COMPARING)
    outputs = torch.einsum("nr,prk->pnk", budget.coordinates, weights) + biases[:, None]
    held_out = held_out.repeat(len(penalties), 1)
    losses = torch.stack(
        [target.loss(outputs[p, rows], budget.labels[rows]) * rows.sum() for p, rows in enumerate(held_out)]
    )
    return losses.reshape(len(penalties), len(folds)).sum(1) / len(budget.labels)


def _with_neighbours(rows: Tensor, reach: int) -> Tensor:
    """Return `rows` [folds, n] with `reach` more to either side of each."""
    spread = torch.nn.functional.max_pool1d(rows[:, None].float(), 2 * reach + 1, stride=1, padding=reach)
    return spread[:, 0] > 0


@singledispatch
def fit_heads(
    target: Target, budget: Budget, masks: Tensor, penalties: Tensor, *, tolerance: float
) -> tuple[Tensor, Tensor]:
    """Return weights [p, r, k] and biases [p, k] of p problems on the same coordinates.

    `masks` [p, n] says which examples each problem sees, `penalties` [p] how strongly it is held, `tolerance` how exact
    an iterative solution has to be.
    """
    raise AssertionError(f"no solver for {type(target).__name__}")


@fit_heads.register
def _(target: Horizon, budget: Budget, masks: Tensor, penalties: Tensor, *, tolerance: float) -> tuple[Tensor, Tensor]:
    """Solve ridge regressions in closed form: one eigendecomposition for each set of examples serves every penalty."""
    labels = budget.labels.double()
    weights, biases = [], []
    decompositions: dict[bytes, tuple[Tensor, ...]] = {}
    for mask, penalty in zip(masks, penalties, strict=True):
        rows = mask.bool()
        key = rows.numpy().tobytes()
        if key not in decompositions:
            x, y = budget.coordinates[rows], labels[rows]
            x_mean, y_mean = x.mean(0), y.mean(0)
            x, y = x - x_mean, y - y_mean
            values, vectors = torch.linalg.eigh(x.T @ x / len(x))
            decompositions[key] = values, vectors, vectors.T @ (x.T @ y / len(x)), x_mean, y_mean
        values, vectors, projected, x_mean, y_mean = decompositions[key]
        weight = vectors @ (projected / (values.clamp_min(0) + penalty)[:, None])  # [r, k]
        weights.append(weight)
        # About the mean of its examples a bias is a feature of variance 1 that no other is correlated with.
        biases.append((y_mean / (1 + penalty) if budget.holds_bias else y_mean) - x_mean @ weight)
    return torch.stack(weights), torch.stack(biases)


@fit_heads.register
def _(target: Classes, budget: Budget, masks: Tensor, penalties: Tensor, *, tolerance: float) -> tuple[Tensor, Tensor]:
    """Solve multinomial logistic regressions together by L-BFGS, preconditioned by the curvature at zero.

    At W = 0 the Hessian is the Gram matrix, diagonal in this basis, times 1 / k: with its inverse as the first
    approximation (Nocedal and Wright 2006, algorithm 7.4), a few dozen iterations do.
    """
    coordinates = budget.coordinates
    n, k = len(coordinates), target.width
    inputs = torch.cat([coordinates, torch.ones(n, 1, dtype=coordinates.dtype)], 1)  # [n, r + 1]: the bias is a weight
    shares = masks.double() / masks.double().sum(1, keepdim=True)  # [p, n]
    hot = torch.nn.functional.one_hot(budget.labels, k).double()  # [n, k]
    ridge = penalties[:, None, None] * torch.cat([torch.ones(inputs.shape[1] - 1), torch.zeros(1)])[:, None]
    curvature = inputs.square().mean(0)[None, :, None] / k + ridge  # [p, r + 1, 1]

    def objective(weights: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Return values [p] and gradients [p, r + 1, k] at weights [p, r + 1, k]."""
        p, share, held = len(weights), shares[rows].T, ridge[rows]
        logits = (inputs @ weights.permute(1, 0, 2).reshape(-1, p * k)).reshape(n, p, k)
        logs = logits.log_softmax(-1)
        values = -(share * torch.einsum("npk,nk->np", logs, hot)).sum(0)
        residuals = (logs.exp() - hot[:, None]) * share[:, :, None]  # [n, p, k]
        gradients = (inputs.T @ residuals.reshape(n, p * k)).reshape(-1, p, k).permute(1, 0, 2) + held * weights
        return values + 0.5 * (held * weights.square()).sum((1, 2)), gradients

    start = torch.zeros(len(masks), inputs.shape[1], k, dtype=inputs.dtype)
    weights = _minimise(objective, start, curvature, tolerance)
    return weights[:, :-1], weights[:, -1]


def _minimise(objective: Objective, start: Tensor, curvature: Tensor, tolerance: float) -> Tensor:
    """Return the minima [p, …] of p convex problems at once, from `start` [p, …], by L-BFGS with halved steps.

    `curvature` [p, …] is a diagonal approximation of the Hessian at the start. A problem leaves as soon as it is
    solved, so that the hard ones do not hold up the easy ones.
    """
    solution = start.clone()
    rows = torch.arange(len(start))  # of the problems still unsolved
    point = start
    value, gradient = objective(point, rows)
    moves: list[Tensor] = []
    turns: list[Tensor] = []
    for _ in range(MOST_ITERATIONS):
        unsolved = (gradient / curvature.sqrt()).flatten(1).abs().amax(1) > tolerance
        if not unsolved.all():
            solution[rows] = point
            rows, point, value, gradient, curvature, *pairs = (
                part[unsolved] for part in (rows, point, value, gradient, curvature, *moves, *turns)
            )
            moves, turns = pairs[: len(moves)], pairs[len(moves) :]
        if not len(rows):
            return solution
        direction = -_inverse_hessian_product(gradient, moves, turns, curvature)
        slope = _dot(gradient, direction)
        step = torch.ones_like(value)
        for _ in range(MOST_HALVINGS):
            proposed = point + _over(step, point) * direction
            new_value, new_gradient = objective(proposed, rows)
            short = new_value > value + 1e-4 * step * slope + 1e-12 * value.abs()
            if not short.any():
                break
            step = torch.where(short, step / 2, step)
        moves, turns = [*moves, proposed - point][-MEMORY:], [*turns, new_gradient - gradient][-MEMORY:]
        point, value, gradient = proposed, new_value, new_gradient
    solution[rows] = point
    return solution


def _inverse_hessian_product(gradient: Tensor, moves: list[Tensor], turns: list[Tensor], curvature: Tensor) -> Tensor:
    """Return the two-loop recursion's product [p, …]; a pair without positive curvature is passed over per problem."""
    product = gradient
    history = []
    for move, turn in zip(reversed(moves), reversed(turns), strict=True):
        along = _dot(move, turn)
        inverse = torch.where(along > TINY, 1 / along.clamp_min(TINY), 0)
        weight = inverse * _dot(move, product)
        product = product - _over(weight, turn) * turn
        history.append((move, turn, inverse, weight))
    product = product / curvature
    if moves:
        along, across = _dot(moves[-1], turns[-1]), _dot(turns[-1], turns[-1] / curvature)
        product = product * _over(torch.where(along > TINY, along / across.clamp_min(TINY), 1), product)
    for move, turn, inverse, weight in reversed(history):
        product = product + _over(weight - inverse * _dot(turn, product), move) * move
    return product


def _dot(left: Tensor, right: Tensor) -> Tensor:
    return (left * right).flatten(1).sum(1)


def _over(values: Tensor, like: Tensor) -> Tensor:
    return values.reshape(-1, *(1,) * (like.ndim - 1))
