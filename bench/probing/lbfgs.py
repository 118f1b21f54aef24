"""Owns minimising many smooth convex functions side by side: L-BFGS, every problem with steps of its own.

Problems lie in a grid [s, p]: p problems on each of s data sets. A solved one stays as it is while its neighbours go
on, and leaves when its whole row or column is solved, so that no solution depends on what it was solved with.
"""

from typing import Final, NamedTuple, Protocol

import torch
from torch import Tensor

MEMORY: Final = 10
MOST_HALVINGS: Final = 20
MOST_ITERATIONS: Final = 1000


class Objective(Protocol):
    """Functions [s, p] of points [s, p, d]."""

    def evaluate(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Return values [s, p] and gradients [s, p, d]."""

    def take(self, sets: Tensor, problems: Tensor) -> "Objective":
        """Return the functions in the rows and columns of the grid that these flags name."""


class _State(NamedTuple):
    """Where the problems are; every tensor begins with [s, p].

    `pairs` [s, p, 2m, d] are the last m moves, each followed by the turn of the gradient that it brought; `products`
    [s, p, 2m, 2m] are their inner products.
    """

    point: Tensor
    value: Tensor
    gradient: Tensor
    pairs: Tensor
    products: Tensor


def minimise(objective: Objective, start: Tensor, *, tolerance: float) -> Tensor:
    """Return the minima [s, p, d] of convex functions, from `start` [s, p, d].

    A problem is solved when no entry of its gradient is larger than `tolerance`. Functions should be scaled so that
    their curvature is about 1 in every coordinate: this saves most of the iterations.
    """
    solution = start.clone()
    sets, problems = (torch.arange(size) for size in start.shape[:2])  # those that still go on
    shape = start.shape[:2]
    state = _State(
        start, *objective.evaluate(start), start.new_zeros(*shape, 0, start.shape[2]), start.new_zeros(*shape, 0, 0)
    )
    for _ in range(MOST_ITERATIONS):
        unsolved = state.gradient.abs().amax(2) > tolerance  # [s, p]
        rows, columns = unsolved.any(1), unsolved.any(0)
        if not (rows.all() and columns.all()):
            solution[sets[:, None], problems] = state.point
            if not rows.any():
                return solution
            sets, problems, unsolved = sets[rows], problems[columns], unsolved[rows][:, columns]
            state = _State(*(part[rows][:, columns] for part in state))
            objective = objective.take(rows, columns)
        state = _step(objective, state, unsolved)
    solution[sets[:, None], problems] = state.point
    return solution


def _step(objective: Objective, state: _State, unsolved: Tensor) -> _State:
    """Return the state one iteration on: a quasi-Newton step of each unsolved problem, halved until it descends."""
    direction = _direction(state)
    slope = (state.gradient * direction).sum(2)
    rounding = 4 * torch.finfo(state.value.dtype).eps * state.value.abs()
    step = unsolved.to(state.value.dtype)
    for _ in range(MOST_HALVINGS):
        point = torch.addcmul(state.point, step[..., None], direction)
        value, gradient = objective.evaluate(point)
        short = value > state.value + 1e-4 * step * slope + rounding
        if not short.any():
            break
        step = torch.where(short, step / 2, step)
    return _remember(state, point, value, gradient)


def _remember(state: _State, point: Tensor, value: Tensor, gradient: Tensor) -> _State:
    """Return the state at a new point, with the pair that led there; the oldest of too many pairs is forgotten."""
    pairs, products = state.pairs, state.products
    if pairs.shape[2] == 2 * MEMORY:
        pairs, products = pairs[:, :, 2:], products[:, :, 2:, 2:]
    new = torch.stack((point - state.point, gradient - state.gradient), 2)  # [s, p, 2, d]
    across = pairs @ new.mT
    products = torch.cat((torch.cat((products, across), 3), torch.cat((across.mT, new @ new.mT), 3)), 2)
    return _State(point, value, gradient, torch.cat((pairs, new), 2), products)


def _direction(state: _State) -> Tensor:
    """Return the quasi-Newton directions [s, p, d].

    This is the two-loop recursion (Nocedal and Wright 2006, algorithm 7.4), done on coefficients of the pairs instead
    of on vectors (Chen, Wang and Zhou 2014, Large-scale L-BFGS using MapReduce), so that the pairs are read twice,
    however many there are. A pair without positive curvature is passed over, problem by problem.
    """
    if not state.pairs.shape[2]:
        return -state.gradient
    products, tiny = state.products, torch.finfo(state.products.dtype).tiny
    along = products.diagonal(1, 2, 3)[..., ::2]  # of each move with its turn, [s, p, m]
    inverse = torch.where(along > 0, 1 / along.clamp_min(tiny), 0)
    projected = (state.pairs @ state.gradient[..., None])[..., 0]  # [s, p, 2m]
    weights, loads = torch.zeros_like(inverse), torch.zeros_like(projected)  # the product is gradient + loads @ pairs
    for pair in reversed(range(along.shape[2])):
        product = projected[..., 2 * pair] + (products[..., 2 * pair, :] * loads).sum(-1)
        weights[..., pair] = inverse[..., pair] * product
        loads[..., 2 * pair + 1] = -weights[..., pair]
    scale = torch.where(along[..., -1] > 0, along[..., -1] / products[..., -1, -1].clamp_min(tiny), 1)
    loads *= scale[..., None]
    for pair in range(along.shape[2]):
        product = scale * projected[..., 2 * pair + 1] + (products[..., 2 * pair + 1, :] * loads).sum(-1)
        loads[..., 2 * pair] = weights[..., pair] - inverse[..., pair] * product
    return -(scale[..., None] * state.gradient + (loads[..., None, :] @ state.pairs)[..., 0, :])
