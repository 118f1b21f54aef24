"""Linear heads: solved to their optimum, the penalty chosen by cross-validation inside the label budget.

With features X [n, d], centred and divided by one number so that their mean square is 1, a head W [d, k] with bias b
minimises

    mean over examples of loss(x W + b, y)  +  penalty / 2 * |W|^2

where the loss is the cross-entropy of a softmax for classes and half the squared error for a horizon. Where the
backbone was pretrained for the very horizon that the task asks for, its head is where W and b are held to instead of
zero: then few labels correct a forecaster instead of making one (a ridge regression on its residuals). scikit-learn's
`LogisticRegression(C=1 / (n * penalty))` has the same optimum on the same X.

Everything runs in the basis V of X's right singular vectors, X = Z V' with coordinates Z [n, r], r <= min(n, d). For
W = V U + (what is orthogonal to V) the outputs are Z U, whatever is orthogonal only adds to the penalty, and |V U|
= |U|: so U has the same optimum, a budget of n labels needs at most n coordinates however wide the features are, and
since Z'Z is diagonal, curvature nearly is. Of the solution (U, c) the head on raw features, centre m and scale t, is

    W = V U / t,    b = c - m W

Budgets of one size and number of folds are solved side by side, with all their folds. What comes before and after is
done budget by budget, on memory of its own: rounding depends on shapes and alignment, and a head must not depend on
which others were asked for with it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import torch
from torch import Tensor

from bench.backbone import Head
from bench.probing.problem import Problem
from bench.probing.solver import Solver

SIDE_BY_SIDE: Final = 2**20
"""Coordinates solved together: 4 MiB, what a core's caches hold. More at a time is slower, fewer waste calls."""


@dataclass(frozen=True, slots=True, eq=False)
class Solved:
    """A head on raw features and the penalty it was held by."""

    head: Head
    penalty: float


def solve_heads(
    problem: Problem,
    features: Tensor,
    labels: Tensor,
    folds: Tensor | None,
    *,
    overlap: int = 0,
    penalties: Sequence[float],
    default: float,
    prior: Head | None = None,
) -> list[Solved]:
    """Return a head for each of s label budgets: features [s, n, d], encoded labels [s, n] or [s, n, k].

    The penalty is chosen with the help of the `folds` [s, n] (see `choose_penalties`), of which every budget has as
    many; without folds it is `default`.
    With a `prior` of the same horizon, what is solved is the correction to its forecasts, bias included.
    """
    count = max(1, SIDE_BY_SIDE // (features.shape[1] * min(features.shape[1:])))
    solved = []
    for start in range(0, len(features), count):
        some = slice(start, start + count)
        dealt = None if folds is None else folds[some]
        solver = _Budgets(problem, features[some], labels[some], prior)
        solved += solver.solve(dealt, overlap=overlap, penalties=penalties, default=default)
    return solved


class _Budgets:
    """Budgets whose heads are solved side by side."""

    def __init__(self, problem: Problem, features: Tensor, labels: Tensor, prior: Head | None) -> None:
        self._inputs = [_Inputs.of(rows.clone()) for rows in features]
        self._prior = prior
        self._examples = features.shape[:2]  # s, n
        if prior is not None:
            predicted = torch.stack([rows.clone() @ prior.weight + prior.bias for rows in features])  # [s, n, k]
            labels = labels.view(predicted.shape) - predicted
        coordinates = torch.stack([one.coordinates for one in self._inputs])
        self._solver = problem.solver(coordinates, labels, holds_bias=prior is not None)

    def solve(self, folds: Tensor | None, *, overlap: int, penalties: Sequence[float], default: float) -> list[Solved]:
        """Return the head of each budget."""
        count, n = self._examples
        if folds is None:
            penalty, start = torch.full((count,), default, dtype=torch.float64), None
        else:
            penalty, start = choose_penalties(
                self._solver, folds, overlap=overlap, grid=tuple(penalties), cautious=self._prior is not None
            )
        everything = torch.ones(count, 1, n, dtype=torch.bool)
        weights = self._solver.fit(everything, penalty, exact=True, start=start)[:, 0]  # [s, k, w]
        solved = zip(self._inputs, weights, penalty.tolist(), strict=True)
        return [Solved(budget.head(fitted, self._prior), held) for budget, fitted, held in solved]


class _Inputs(NamedTuple):
    """The features of a budget as its problem sees them."""

    centre: Tensor  # [d]
    scale: Tensor  # []
    basis: Tensor  # [d, r]
    coordinates: Tensor  # [n, r]

    @classmethod
    def of(cls, features: Tensor) -> "_Inputs":
        """Return those of features [n, d]."""
        centre = features.mean(0)
        centred = features - centre
        scale = centred.square().mean().sqrt().clamp_min(torch.finfo(torch.float32).tiny)
        inputs = centred / scale
        basis = singular_basis(inputs)
        return cls(centre, scale, basis, inputs @ basis)

    def head(self, weights: Tensor, prior: Head | None) -> Head:
        """Return the head on raw features of weights [k, w], which correct a `prior` if there is one."""
        weight = self.basis.double() @ weights[:, : self.basis.shape[1]].clone().mT / self.scale  # [d, k]
        bias = weights[:, -1] - self.centre.double() @ weight
        if prior is not None:
            weight, bias = prior.weight + weight, prior.bias + bias
        return Head(weight.float(), bias.float())


def singular_basis(inputs: Tensor) -> Tensor:
    """Return an orthonormal basis [d, r], r <= min(n, d), in which the Gram matrix of inputs [n, d] is diagonal.

    Wide inputs are decomposed themselves, long ones by their Gram matrix, which is cheaper: rounding tilts the basis of
    its small directions a little, but any orthonormal basis serves.
    """
    if inputs.shape[0] < inputs.shape[1]:
        rows: Tensor = torch.linalg.svd(inputs, full_matrices=False).Vh
        return rows.mT
    basis: Tensor = torch.linalg.eigh(inputs.mT @ inputs).eigenvectors
    return basis


def choose_penalties(
    solver: Solver, folds: Tensor, *, overlap: int, grid: Sequence[float], cautious: bool = False
) -> tuple[Tensor, Tensor]:
    """Return the penalty of each budget, float64 [s], and weights [s, 1, outputs, w] near its solution.

    From the largest on, each smaller penalty is tried until the mean loss of held-out examples rises: the loss has one
    valley along the grid, and what lies beyond it is the costliest to solve. Examples that share labels with a held-out
    one are not learnt from either (purging: López de Prado 2018, Advances in Financial Machine Learning, 7.4.1).

    A `cautious` choice is the largest penalty that is worse than the best by no more than a standard error over folds
    (Breiman, Friedman, Olshen and Stone 1984, 3.4.3): what came with the weights is left only for what is clear.
    """
    last = folds.amax(1)  # [s]
    assert (last == last[0]).all(), "a budget with fewer folds than its peers would be given empty ones"
    held_out = folds[:, None] == torch.arange(int(last[0]) + 1)[:, None]  # [s, folds, n]
    learnt_from = ~_with_neighbours(held_out, overlap)
    least = torch.full((len(folds),), torch.inf, dtype=torch.float64)
    chosen = torch.full_like(least, max(grid))
    best = weights = None
    going = torch.arange(len(folds))
    sizes = held_out.sum(2)  # [s, folds]
    tried: list[tuple[float, Tensor]] = []
    for penalty in sorted(grid, reverse=True):
        there = solver.take(going)
        held = torch.full((len(going),), penalty, dtype=torch.float64)
        weights = there.fit(learnt_from[going], held, exact=False, start=weights)  # [going, folds, outputs, w]
        of_folds = (there.losses(weights) * held_out[going]).sum(2)  # [going, folds]
        losses = (of_folds.sum(1) / folds.shape[1]).double()
        means = torch.full(sizes.shape, torch.nan, dtype=torch.float64)
        means[going] = of_folds.double() / sizes[going]
        tried.append((penalty, means))
        best = weights.mean(1, keepdim=True) if best is None else best
        better = losses < least[going]
        going, weights = going[better], weights[better]
        if not len(going):
            break
        least[going], chosen[going], best[going] = losses[better], penalty, weights.mean(1, keepdim=True)
    assert best is not None, "the grid is not empty"
    return (_most_cautious(chosen, tried) if cautious else chosen), best


def _most_cautious(chosen: Tensor, tried: Sequence[tuple[float, Tensor]]) -> Tensor:
    """Return for each budget the largest penalty that is worse than the chosen one by a standard error at most.

    `tried` are penalties from the largest on, with the mean loss of each fold [s, folds].
    """
    found = chosen.clone()
    by_penalty = dict(tried)
    for budget, best in enumerate(chosen.tolist()):
        for penalty, means in tried:
            worse = means[budget] - by_penalty[best][budget]  # [folds]
            if worse.mean() <= worse.std() / len(worse) ** 0.5:
                found[budget] = penalty
                break
    return found


def _with_neighbours(rows: Tensor, reach: int) -> Tensor:
    """Return flags [s, folds, n] with `reach` more to either side of each that is set."""
    return torch.nn.functional.max_pool1d(rows.float(), 2 * reach + 1, stride=1, padding=reach) > 0
