"""Owns which training examples a cell may see: the budgets of one task, drawn once per seed."""

from collections.abc import Iterable

import numpy as np

from bench.budget import Asked, Budget
from bench.domain import Indices
from bench.errors import DataError
from bench.planning.seeds import stream
from bench.planning.subset import budget_size
from bench.target import Labels, Target


class Budgets:
    """The label budgets of one training split: of one seed each holds every smaller one, shares and counts alike."""

    def __init__(self, target: Target, labels: Labels) -> None:
        self._target = target
        self._labels = labels
        self._orders: dict[int, Indices] = {}

    def draw(self, asked: Asked, seed: int) -> Budget[Labels]:
        """Return the budget that comes of what is asked for, its rows in the order of the split.

        Raises `DataError` if there are fewer examples, or if they are too few to learn from.
        """
        size = budget_size(asked, len(self._labels))
        self._refuse(asked, size)
        rows = np.sort(self._order(seed)[:size])
        return Budget(asked, rows, float(size), self._labels[rows])

    def union(self, budgets: Iterable[tuple[Asked, int]]) -> Indices:
        """Return the rows that some of several budgets hold, each what is asked for and a seed; sorted."""
        total = len(self._labels)
        sizes: dict[int, int] = {}
        for asked, seed in budgets:
            sizes[seed] = max(budget_size(asked, total), sizes.get(seed, 0))
        return np.unique(np.concatenate([self._order(seed)[:size] for seed, size in sizes.items()]))

    def _refuse(self, asked: Asked, size: int) -> None:
        total, needed, unit = len(self._labels), self._target.smallest_budget, self._target.label
        if size > total:
            raise DataError(f"a budget of {asked} {unit}, but there are {total}: ask for {total} or fewer, or for all")
        if size < needed:
            raise DataError(
                f"a budget of {asked} is {size} of {total} {unit}, too few for one example of each of {needed} "
                f"classes: ask for {needed} or more"
            )

    def _order(self, seed: int) -> Indices:
        """Return all rows of the training split in the order in which budgets of this seed take them."""
        if seed not in self._orders:
            self._orders[seed] = self._target.budget_order(self._labels, stream(seed, "subset"))
        return self._orders[seed]
