"""L-BFGS on many smooth convex functions side by side, each with steps of its own.

Why side by side: a linear head on few examples is so small that one iteration is all calls and little arithmetic.
Problems are laid out in a grid [s, p], p problems on each of s data sets, and every call works on the whole grid.

No solution depends on which data sets were solved beside it, to the last bit. Rounding depends on the shapes and the
alignment of what is multiplied, so that this takes care:

* All problems begin together. The k-th iteration is the k-th of each, with as many remembered pairs.
* A solved problem stays where it is while its neighbours go on: its step is 0. A data set leaves when all of its own
  problems are solved, and never one problem alone: the p problems of a data set are rows of one product, whose
  rounding changes with the number of rows.
* No matrix is multiplied by a single column: a grid of one problem would take another routine for it than a grid of
  many does.
* Problems begin at multiples of 64 bytes where d is a multiple of `LANES`. Some routines round differently elsewhere.
"""

from typing import Final, NamedTuple, Protocol

import torch
from torch import Tensor

MEMORY: Final = 10
MOST_HALVINGS: Final = 20
MOST_ITERATIONS: Final = 1000
LANES: Final = 16
"""Single-precision numbers in 64 bytes, the widest register of a processor and the alignment of an allocation."""


class Objective(Protocol):
    """Functions [s, p] of points [s, p, d]."""

    def evaluate(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Return values [s, p] and gradients [s, p, d]."""

    def take(self, sets: Tensor) -> "Objective":
        """Return the functions of the data sets that these flags [s] name."""


class _State(NamedTuple):
    """Where the problems are; every tensor begins with [s, p].

    `pairs` are the last m moves of the point, each followed by the turn of the gradient that it brought.
    """

    point: Tensor  # [s, p, d]
    value: Tensor  # [s, p]
    gradient: Tensor  # [s, p, d]
    pairs: Tensor  # [s, p, 2m, d]
    products: Tensor  # [s, p, 2m, 2m], of each pair's two vectors with all others
    projected: Tensor  # [s, p, 2m], of the same vectors with the gradient


def minimise(objective: Objective, start: Tensor, *, tolerance: float) -> Tensor:
    """Return the minima [s, p, d] of convex functions, from `start` [s, p, d].

    A problem is solved when no entry of its gradient is larger than `tolerance`. Functions should be scaled so that
    their curvature is about 1 in every coordinate: this saves most of the iterations.
    """
    solution = start.clone()
    s, p, d = start.shape
    sets = torch.arange(s)  # those that still go on
    none = start.new_zeros
    state = _State(start, *objective.evaluate(start), none(s, p, 0, d), none(s, p, 0, 0), none(s, p, 0))
    for _ in range(MOST_ITERATIONS):
        unsolved = state.gradient.abs().amax(2) > tolerance  # [s, p]
        going = unsolved.any(1)  # [s]
        if not going.all():
            solution[sets] = state.point
            if not going.any():
                return solution
            sets, unsolved = sets[going], unsolved[going]
            state = _State(*(part[going] for part in state))
            objective = objective.take(going)
        state = _step(objective, state, unsolved)
    solution[sets] = state.point
    return solution


def _step(objective: Objective, state: _State, unsolved: Tensor) -> _State:
    """Return the state one iteration on: a quasi-Newton step of each unsolved problem, halved until it descends.

    It descends if the value falls by a ten-thousandth of what the slope promises (Armijo's rule). While one problem
    halves its step all are evaluated once more, the others where they were: their value is the same again.
    """
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
    new = torch.stack((point - state.point, gradient - state.gradient, gradient), 2)  # [s, p, 3, d]
    pairs = torch.cat((pairs, new[:, :, :2]), 2)  # [s, p, 2m, d]
    across = pairs @ new.mT  # [s, p, 2m, 3]: with the new move, the new turn and the gradient
    beside, corner = across[:, :, :-2, :2], across[:, :, -2:, :2]
    products = torch.cat((torch.cat((products, beside), 3), torch.cat((beside.mT, corner), 3)), 2)
    return _State(point, value, gradient, pairs, products, across[..., 2])


def _direction(state: _State) -> Tensor:
    """Return the quasi-Newton directions [s, p, d].

    This is the two-loop recursion (Nocedal and Wright 2006, algorithm 7.4), done on coefficients of the pairs instead
    of on vectors (Chen, Wang and Zhou 2014, Large-scale L-BFGS using MapReduce). With moves s_i, turns y_i and
    rho_i = 1 / s_i.y_i, the recursion from the gradient g is

        q = g;              from the newest i to the oldest:  a_i = rho_i s_i.q,  q = q - a_i y_i
        q = scale * q;      from the oldest i to the newest:  b_i = rho_i y_i.q,  q = q + (a_i - b_i) s_i

    and -q is the direction. At each point q = scale * g + sum of loads_j v_j over the 2m vectors v_j of the pairs, so
    that v.q = scale * v.g + sum of loads_j v.v_j: `projected` and `products` hold all that this takes. The pairs
    themselves are read twice for each iteration, however many there are: when their products are made, and at the end.

    The scale s.y / y.y of the newest pair estimates the inverse curvature. A pair without positive curvature is passed
    over, problem by problem: so are the zeros that a solved problem adds.
    """
    if not state.pairs.shape[2]:
        return -state.gradient
    products, projected, tiny = state.products, state.projected, torch.finfo(state.products.dtype).tiny
    along = products.diagonal(1, 2, 3)[..., ::2]  # of each move with its turn, [s, p, m]
    inverse = torch.where(along > 0, 1 / along.clamp_min(tiny), 0)
    weights, loads = torch.zeros_like(inverse), torch.zeros_like(projected)  # a_i, and how much of each vector is in q
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
