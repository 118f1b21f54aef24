"""Owns linear heads: solved to their optimum, the penalty chosen by cross-validation inside the label budget.

With features X [n, d], centred and divided by one number so that their mean square is 1, a head W [d, k] with bias b
minimises

    mean over examples of loss(x W + b, y)  +  penalty / 2 * |W|^2

where the loss is the cross-entropy of a softmax for classes and half the squared error for a horizon. Where the
backbone was pretrained for the very horizon that the task asks for, its head is where W and b are held to instead of
zero: then few labels correct a forecaster instead of making one (a ridge regression on its residuals). scikit-learn's
`LogisticRegression(C=1 / (n * penalty))` has the same optimum on the same X.

Everything runs in the basis of X's right singular vectors: the penalty is the same there, a budget of n labels needs at
most n coordinates however wide the features are, and curvature is nearly diagonal. Budgets of one size are solved
side by side, with all their folds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import singledispatch
from typing import Final

import torch
from torch import Tensor

from bench.backbone import Head
from bench.probing.solvers import RidgeSolver, SoftmaxSolver, Solver
from bench.target import Classes, Horizon, Target

SIDE_BY_SIDE: Final = 2**20
"""Coordinates solved together: 4 MiB, what a core's caches hold. More at a time is slower, fewer waste calls."""


@dataclass(frozen=True, slots=True, eq=False)
class Solved:
    """A head on raw features and the penalty it was held by."""

    head: Head
    penalty: float


def solve_heads(
    target: Target,
    features: Tensor,
    labels: Tensor,
    folds: Tensor | None,
    *,
    penalties: Sequence[float],
    default: float,
    prior: Head | None = None,
) -> list[Solved]:
    """Return a head for each of s label budgets: features [s, n, d], encoded labels [s, n] or [s, n, k].

    The penalty is chosen with the help of the `folds` [s, n] (see `choose_penalties`); without folds it is `default`.
    With a `prior` of the same horizon, what is solved is the correction to its forecasts, bias included.
    """
    count = max(1, SIDE_BY_SIDE // (features.shape[1] * min(features.shape[1:])))
    solved = []
    for start in range(0, len(features), count):
        some = slice(start, start + count)
        dealt = None if folds is None else folds[some]
        solved += _solve(target, features[some], labels[some], dealt, tuple(penalties), default, prior)
    return solved


def _solve(
    target: Target,
    features: Tensor,
    labels: Tensor,
    folds: Tensor | None,
    penalties: tuple[float, ...],
    default: float,
    prior: Head | None,
) -> list[Solved]:
    if prior is not None:
        labels = labels - (features @ prior.weight + prior.bias)
    centre = features.mean(1)  # [s, d]
    centred = features - centre[:, None]
    scale = centred.square().mean((1, 2)).sqrt().clamp_min(torch.finfo(torch.float32).tiny)  # [s]
    inputs = centred / scale[:, None, None]
    basis = singular_basis(inputs)  # [s, d, r]
    solver = solver_for(target, inputs @ basis, labels, prior)
    if folds is None:
        penalty, start = torch.full((len(features),), default, dtype=torch.float64), None
    else:
        penalty, start = choose_penalties(solver, folds, overlap=target.overlap, grid=penalties)
    everything = torch.ones(len(features), 1, features.shape[1], dtype=torch.bool)
    weights = solver.fit(everything, penalty, exact=True, start=start)[:, 0]  # [s, k, r + 1]
    weight = basis.double() @ weights[..., :-1].mT / scale[:, None, None]  # [s, d, k]
    bias = weights[..., -1] - (centre.double()[:, None] @ weight)[:, 0]
    if prior is not None:
        weight, bias = prior.weight + weight, prior.bias + bias
    heads = zip(weight.float(), bias.float(), penalty.tolist(), strict=True)
    return [Solved(Head(matrix, vector), held) for matrix, vector, held in heads]


def singular_basis(inputs: Tensor) -> Tensor:
    """Return an orthonormal basis [s, d, r], r <= min(n, d), in which each Gram matrix of inputs [s, n, d] is diagonal.

    Wide inputs are decomposed themselves, long ones by their Gram matrix, which is cheaper: rounding tilts the basis of
    its small directions a little, but any orthonormal basis serves.
    """
    if inputs.shape[1] < inputs.shape[2]:
        rows: Tensor = torch.linalg.svd(inputs, full_matrices=False).Vh
        return rows.mT
    basis: Tensor = torch.linalg.eigh(inputs.mT @ inputs).eigenvectors
    return basis


@singledispatch
def solver_for(target: Target, coordinates: Tensor, labels: Tensor, prior: Head | None) -> Solver:
    """Return what solves a target's heads."""
    raise AssertionError(f"no solver for {type(target).__name__}")


@solver_for.register
def _(target: Classes, coordinates: Tensor, labels: Tensor, prior: Head | None) -> Solver:
    return SoftmaxSolver(coordinates, labels, target.width)


@solver_for.register
def _(target: Horizon, coordinates: Tensor, labels: Tensor, prior: Head | None) -> Solver:
    return RidgeSolver(coordinates, labels, holds_bias=prior is not None, names=range(len(labels)))


def choose_penalties(solver: Solver, folds: Tensor, *, overlap: int, grid: Sequence[float]) -> tuple[Tensor, Tensor]:
    """Return the penalty of each budget, float64 [s], and weights [s, 1, outputs, r + 1] near its solution.

    From the largest on, each smaller penalty is tried until the mean loss of held-out examples rises: the loss has one
    valley along the grid, and what lies beyond it is the costliest to solve. Examples that share labels with a held-out
    one are not learnt from either (purging: López de Prado 2018, Advances in Financial Machine Learning, 7.4.1).
    """
    held_out = folds[:, None] == torch.arange(int(folds.max()) + 1)[:, None]  # [s, folds, n]
    learnt_from = ~_with_neighbours(held_out, overlap)
    least = torch.full((len(folds),), torch.inf, dtype=torch.float64)
    chosen = torch.full_like(least, max(grid))
    best = weights = None
    going = torch.arange(len(folds))
    for penalty in sorted(grid, reverse=True):
        there = solver.take(going)
        held = torch.full((len(going),), penalty, dtype=torch.float64)
        weights = there.fit(learnt_from[going], held, exact=False, start=weights)  # [going, folds, outputs, r + 1]
        losses = ((there.losses(weights) * held_out[going]).sum((1, 2)) / folds.shape[1]).double()
        best = weights.mean(1, keepdim=True) if best is None else best
        better = losses < least[going]
        going, weights = going[better], weights[better]
        if not len(going):
            break
        least[going], chosen[going], best[going] = losses[better], penalty, weights.mean(1, keepdim=True)
    assert best is not None, "the grid is not empty"
    return chosen, best


def _with_neighbours(rows: Tensor, reach: int) -> Tensor:
    """Return flags [s, folds, n] with `reach` more to either side of each that is set."""
    return torch.nn.functional.max_pool1d(rows.float(), 2 * reach + 1, stride=1, padding=reach) > 0
