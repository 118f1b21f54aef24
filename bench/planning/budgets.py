"""Owns which training examples a cell may see: the budgets of one task, drawn once per seed."""

from collections.abc import Iterable

import numpy as np

from bench.domain import Indices
from bench.errors import DataError
from bench.planning.seeds import stream
from bench.planning.subset import budget_size
from bench.target import Labels, Target


class Budgets:
    """The label budgets of one training split."""

    def __init__(self, target: Target, labels: Labels) -> None:
        self._target = target
        self._labels = labels
        self._orders: dict[int, Indices] = {}

    def rows(self, fraction: float, seed: int) -> Indices:
        """Return the rows of the training split that a cell may see, [n_labels], in the order of the split.

        Raises `DataError` if they are too few to learn from.
        """
        total = len(self._labels)
        n_labels, needed = budget_size(fraction, total), self._target.smallest_budget
        if n_labels < needed:
            raise DataError(
                f"fraction {fraction:g} of {total} training examples is a budget of {n_labels} labels, too few for one "
                f"example of each of {needed} classes: use a fraction of at least {needed / total:.2g}"
            )
        return np.sort(self._order(seed)[:n_labels])

    def union(self, budgets: Iterable[tuple[float, int]]) -> Indices:
        """Return the rows that some of several budgets hold, each a fraction and a seed; sorted."""
        total = len(self._labels)
        largest: dict[int, float] = {}
        for fraction, seed in budgets:
            largest[seed] = max(fraction, largest.get(seed, 0.0))
        return np.unique(
            np.concatenate([self._order(seed)[: budget_size(fraction, total)] for seed, fraction in largest.items()])
        )

    def _order(self, seed: int) -> Indices:
        """Return all rows of the training split in the order in which budgets of this seed take them."""
        if seed not in self._orders:
            self._orders[seed] = self._target.budget_order(self._labels, stream(seed, "subset"))
        return self._orders[seed]
