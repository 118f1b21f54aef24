"""Which training examples a cell may see: the budgets of one task, drawn once per seed."""

from collections.abc import Iterable

import numpy as np

from bench.budget import Asked, Budget, Count
from bench.column import Array, Column, Indices
from bench.errors import DataError
from bench.subsets.seeds import stream
from bench.subsets.subset import budget_size
from bench.target import Target


class Budgets:
    """The label budgets of one training split: of one seed each holds every smaller one, shares and counts alike."""

    def __init__(self, target: Target, labels: Column, facts: Column | None) -> None:
        self._target = target
        self._labels = labels
        self._facts = facts
        self._orders: dict[int, tuple[Indices, Array]] = {}

    @property
    def total(self) -> float:
        """What all examples amount to, in the unit of the target; any order of them comes to the same."""
        return float(self._order(0)[1][-1])

    def draw(self, asked: Asked, seed: int) -> Budget[Column]:
        """Return the budget that comes of what is asked for, its rows in the order of the split.

        Raises `DataError` if there are fewer examples, or if they are too few to learn from.
        """
        order, amounts = self._order(seed)
        size = self._size(asked, seed)
        rows = np.sort(order[:size])
        return Budget(asked, rows, float(amounts[size - 1]) if size else 0.0, self._labels.take(rows))

    def union(self, budgets: Iterable[tuple[Asked, int]]) -> Indices:
        """Return the rows that some of several budgets hold, each what is asked for and a seed; sorted.

        What is too much or too little counts as all or nothing here: it is refused when it is drawn.
        """
        sizes: dict[int, int] = {}
        for asked, seed in budgets:
            sizes[seed] = max(self._reach(asked, seed), sizes.get(seed, 0))
        rows = [self._order(seed)[0][:size] for seed, size in sizes.items()]
        return np.unique(np.concatenate([np.empty(0, dtype=np.int64), *rows]))

    def _size(self, asked: Asked, seed: int) -> int:
        """Return the number of examples in a budget. Raises `DataError` for one that cannot be learnt from."""
        total, unit = len(self._labels), self._target.unit
        there = float(self._order(seed)[1][-1])
        if isinstance(asked, Count) and asked.of > there:
            raise DataError(
                f"a budget of {asked} {unit}, but there are {there:g}: ask for {there:g} or fewer, or for all"
            )
        size = self._reach(asked, seed)
        needed, why = self._target.sampling.fewest(self._labels)
        if 0 < size < needed:
            raise DataError(
                f"a budget of {asked} is {size} of {total} {unit}, too few for {why}: ask for {needed} or more"
            )
        return size

    def _reach(self, asked: Asked, seed: int) -> int:
        """Return how many examples of the order it takes to amount to what is asked for.

        A share is rounded to whole examples of the split, at least one, or in another unit to what comes nearest to it;
        a count takes the fewest that hold it.
        """
        amounts = self._order(seed)[1]
        if not isinstance(asked, Count):
            if self._target.sampling.counts_examples:
                return budget_size(asked, len(amounts))
            return int(np.abs(amounts - asked.of * amounts[-1]).argmin()) + 1
        return min(len(amounts), int(np.searchsorted(amounts, asked.of - 1e-9)) + 1) if asked.of else 0

    def _order(self, seed: int) -> tuple[Indices, Array]:
        """Return all rows in the order in which this seed's budgets take them, and what the first so many amount to."""
        if seed not in self._orders:
            sampling = self._target.sampling
            order = sampling.order(self._labels, self._facts, stream(seed, "subset"))
            self._orders[seed] = order, sampling.amounts(self._labels, self._facts, order)
        return self._orders[seed]
