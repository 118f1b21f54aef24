"""Replicates: one quantity measured with several seeds, on all test examples and without each test block.

Two things were drawn by chance: what a seed decides (the budget, the network, the order) and the test examples. How
much the first moves a score is seen between seeds, how much the second between blocks of the test split. Whatever is
linear in scores (a difference, a mean over budgets, a point between two of them) has replicates again, and what two
scores have in common cancels in their difference.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from bench.stats.intervals import ROUNDING, Floats

FEWEST_BLOCKS: Final = 4
"""With fewer the spread between blocks says next to nothing of other test examples."""


@dataclass(frozen=True, slots=True, eq=False)
class Replicates:
    """What was measured with the seeds `seeds` [s], in rising order.

    `values` [s] are of all test examples. `moved` [s, b] says how far each test block moves them, such that the sum of
    squares over blocks is b (b - 1) times the variance that the test examples give a value. Without blocks b is 0.
    `n_blocks` is how many blocks of one size would know this variance as well: b, or less where sizes differ.

    `n_test` is how many examples, or units of several, are scored with each seed; `finest` the smallest variance that
    the mean can have, as scores move in steps. `overlap` is None where all seeds are tested on the same examples.
    Where each is tested on a fold of its own it is m / n_train n_test / n_train: what budgets of m examples drawn from
    the other folds have in common.
    """

    seeds: tuple[int, ...]
    values: Floats
    moved: Floats
    n_blocks: float
    n_test: float
    finest: float = 0.0
    overlap: float | None = None

    def __sub__(self, other: "Replicates") -> "Replicates":
        return combine([self, other], [1.0, -1.0])

    def __len__(self) -> int:
        return len(self.seeds)

    @property
    def is_nothing(self) -> bool:
        """Whether the values are 0 up to rounding, on all examples and without each block."""
        return all(np.abs(one).max(initial=0.0) <= ROUNDING for one in (self.values, self.moved))

    def scaled(self, factor: float) -> "Replicates":
        """Return the replicates of a multiple."""
        return combine([self], [factor])

    def plus(self, number: float) -> "Replicates":
        """Return the replicates of what is larger by a number."""
        return replace(self, values=self.values + number)

    def with_seeds(self, seeds: Sequence[int]) -> "Replicates":
        """Return what was measured with these seeds, each of which must be there."""
        rows = [self.seeds.index(seed) for seed in seeds]
        return replace(self, seeds=tuple(seeds), values=self.values[rows], moved=self.moved[rows])


NO_REPLICATES: Final = Replicates((), np.empty(0), np.empty((0, 0)), 0.0, 0.0)


def replicate(
    scores: Mapping[int, float],
    without: Mapping[int, ArrayLike],
    block_sizes: ArrayLike,
    *,
    finest: float = 0.0,
    overlap: float | None = None,
) -> Replicates:
    """Return the replicates of scores, by seed, that are known `without` each test block [b] too.

    `block_sizes` [b] are how many examples are in each block. Missing scores (nan) do not count. Where a score is
    missing without some block there are no blocks.

    Leaving out a block with the share w of the examples moves a mean by w / (1 - w) times how far the block's own mean
    e is from it. Of the variance, the sum of w^2 e^2 / (1 - w), each block gives its part without bias where examples
    stand for themselves (MacKinnon and White 1985, Journal of Econometrics 29(3), their second estimator, by cluster).
    """
    seeds = tuple(sorted(seed for seed, score in scores.items() if not np.isnan(score)))
    sizes = np.asarray(block_sizes, dtype=np.float64)
    values = np.array([scores[seed] for seed in seeds], dtype=np.float64)
    n_test = float(sizes.sum())
    nothing = np.empty((len(seeds), 0))
    if len(sizes) < 2 or any(len(np.atleast_1d(without[seed])) != len(sizes) for seed in seeds):
        return Replicates(seeds, values, nothing, 0.0, n_test, finest, overlap)
    left = np.array([without[seed] for seed in seeds], dtype=np.float64).reshape(len(seeds), len(sizes))
    shares = sizes / n_test
    moved = np.sqrt(len(sizes) * (len(sizes) - 1) * (1 - shares)) * (values[:, None] - left)  # [s, b]
    if np.isnan(moved).any():
        return Replicates(seeds, values, nothing, 0.0, n_test, finest, overlap)
    return Replicates(seeds, values, moved, float(1 / (shares**2).sum()), n_test, finest, overlap)


def combine(parts: Sequence[Replicates], weights: Sequence[float]) -> Replicates:
    """Return the replicates of the sum of weighted parts, over the seeds that all have.

    All parts are of one test split; where one has no blocks, the sum has none.
    """
    shared = shared_seeds(parts)
    several = [part.with_seeds(shared) for part in parts]
    n_blocks = {part.moved.shape[1] for part in several}
    moved = np.empty((len(shared), 0))
    if len(n_blocks) == 1:
        moved = sum((w * part.moved for w, part in zip(weights, several, strict=True)), np.zeros_like(several[0].moved))
    overlaps = [part.overlap for part in several if part.overlap is not None]
    return Replicates(
        shared,
        sum((w * part.values for w, part in zip(weights, several, strict=True)), np.zeros(len(shared))),
        moved,
        several[0].n_blocks if moved.shape[1] else 0.0,
        several[0].n_test,
        float(sum(w**2 * part.finest for w, part in zip(weights, several, strict=True))),
        max(overlaps, default=None),
    )


def shared_seeds(parts: Sequence[Replicates]) -> tuple[int, ...]:
    """Return the seeds that all parts have, in rising order; there is a part."""
    return tuple(sorted(set.intersection(*(set(part.seeds) for part in parts))))
