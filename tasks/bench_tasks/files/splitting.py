"""Making a test split: stratified, of whole groups, with every class on both sides, and by the seed alone."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from heapq import heapify, heappop, heappush
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.errors import DataError
from bench.subsets.subset import stratified_order

Mask = NDArray[np.bool_]
Labels = NDArray[np.int64]

DRAWS: Final = 20  # of an order of the groups, until one leaves every class on both sides


def hold_out(labels: Labels, units: NDArray[np.int64], *, share: float, seed: int) -> Mask:
    """Return which examples are held out, bool [n]: about `share` of each class, and whole units only.

    `labels` [n] are 0 to classes - 1, `units` [n] number what must not be on both sides; every class has to be in two
    units or more. Raises `DataError` if no split was found with every class on both sides.
    """
    generator = np.random.default_rng(seed)
    if len(np.unique(units)) == len(units):
        return _hold_out_examples(labels, share, generator)
    sizes = _sizes(labels, units)
    for _ in range(DRAWS):
        split = _Draw(sizes, share)
        if split.draw(generator.permutation(len(sizes)).tolist()):
            return split.held_out[units]
    raise DataError(
        "no split was found that has every class on both sides and every group on one: say which groups to test on "
        "(held_out)"
    )


def hold_out_evenly(strata: Labels, units: NDArray[np.int64], *, share: float, seed: int) -> Mask:
    """Return which examples are held out, bool [n]: about `share` of each stratum, and whole units only.

    `strata` [n] are 0 to their number - 1. Unlike classes in `hold_out` they are spread as evenly as units allow, and
    one may be on either side alone. There have to be two units or more.
    """
    generator = np.random.default_rng(seed)
    if len(np.unique(units)) == len(units):
        return _every_so_many(strata, share, generator)
    alone = np.isin(
        strata, on_one_side_only(strata, units)
    )  # such a stratum cannot be spread, so its size is what counts
    draw = _Draw(_sizes(np.where(alone, strata.max() + 1, strata), units), share)
    order = generator.permutation(int(units.max()) + 1).tolist()
    draw.spread(order)
    return draw.held_out[units]


def _every_so_many(strata: Labels, share: float, generator: np.random.Generator) -> Mask:
    """Return which examples are held out: of those of each stratum, in random order, one of every 1 / `share`."""
    n = len(strata)
    counts = np.floor(np.arange(n + 1) * share + generator.random())
    chosen = np.diff(counts) > 0
    if not chosen.any() or chosen.all():
        chosen[-1] ^= True
    held_out = np.zeros(n, dtype=np.bool_)
    held_out[np.lexsort((generator.random(n), strata))] = chosen
    return held_out


def _hold_out_examples(labels: Labels, share: float, generator: np.random.Generator) -> Mask:
    """Return which examples are held out where each stands for itself; one of every class is kept to learn from."""
    order = stratified_order(labels, generator)
    classes = int(labels.max()) + 1
    _, from_the_end = np.unique(labels[order[::-1]], return_index=True)  # the last of every class, counted from the end
    free = np.delete(order, len(order) - 1 - from_the_end)
    held_out = np.zeros(len(labels), dtype=np.bool_)
    held_out[free[: max(classes, round(share * len(labels)))]] = True
    return held_out


def _sizes(labels: Labels, units: NDArray[np.int64]) -> list[dict[int, int]]:
    """Return for each unit how many examples of which classes it has."""
    sizes: list[dict[int, int]] = [{} for _ in range(int(units.max()) + 1)]
    for unit, label in zip(units.tolist(), labels.tolist(), strict=True):
        sizes[unit][label] = sizes[unit].get(label, 0) + 1
    return sizes


class _Draw:
    """A split in the making: which units are held out, and how many examples of each class are."""

    def __init__(self, sizes: Sequence[dict[int, int]], share: float) -> None:
        self.held_out = np.zeros(len(sizes), dtype=np.bool_)
        self._sizes = sizes
        self._share = share
        self._totals = Counter[int]()
        self._members: dict[int, list[int]] = {}
        for unit, counts in enumerate(sizes):
            self._totals.update(counts)
            for label in counts:
                self._members.setdefault(label, []).append(unit)
        self._held = Counter[int]()
        self._n, self._n_held = self._totals.total(), 0  # examples

    def draw(self, order: Sequence[int]) -> bool:
        """Hold out units in this order, and return whether every class is on both sides.

        A unit is held out if that brings the classes nearer to their shares. Of a class that is then missing among
        those held out, the unit that does so best, or harms least, is; then more, if all classes together are short.
        Nothing takes the last of a class to learn from.
        """
        for unit in order:
            if self._cost(unit) < 0 and self._is_spare(unit):
                self._hold_out(unit)
        for label in sorted(self._totals):
            if not self._held[label]:
                spare = [unit for unit in self._members[label] if self._is_spare(unit)]
                if not spare:
                    return False
                self._hold_out(min(spare, key=self._cost))
        self._fill_up(order, self._is_spare)
        return True

    def spread(self, order: Sequence[int]) -> None:
        """Hold out each unit, in this order, that brings strata nearer to their shares, and all together too.

        Then more, if all together are short: units may be so large that no stratum comes nearer. One is left to learn
        from, and one is held out even where that is more than the share.
        """
        for unit in order:
            if self._cost(unit) < 0 and self._is_nearer(unit) and self._is_not_last(unit):
                self._hold_out(unit)
        self._fill_up(order, self._is_not_last)
        if not self.held_out.any():
            self._hold_out(min(order, key=lambda unit: (self._size(unit), self._cost(unit))))

    def _fill_up(self, order: Sequence[int], is_free: Callable[[int], bool]) -> None:
        """Hold out free units, those that harm least first, while that brings all together nearer to the share.

        A unit never gets cheaper by others that are held out, so a cost of before is a lower bound of the one now.
        """
        heap = [(self._cost(unit), place, unit) for place, unit in enumerate(order) if not self.held_out[unit]]
        heapify(heap)
        while heap:
            cost, place, unit = heappop(heap)
            if not self._is_nearer(unit) or not is_free(unit):  # and never will be
                continue
            now = self._cost(unit)
            if now > cost:
                heappush(heap, (now, place, unit))
            else:
                self._hold_out(unit)

    def _is_nearer(self, unit: int) -> bool:
        """Whether holding the unit out brings the number of all examples held out nearer to the share."""
        missing = self._share * self._n - self._n_held
        return abs(missing - self._size(unit)) < abs(missing)

    def _is_not_last(self, unit: int) -> bool:
        """Whether there is something to learn from without the unit."""
        return self._n - self._n_held > self._size(unit)

    def _size(self, unit: int) -> int:
        return sum(self._sizes[unit].values())

    def _cost(self, unit: int) -> float:
        """Return by how much holding the unit out raises the sum over classes of (held - share x all)^2 / all."""
        return sum(
            count * (2 * (self._held[label] - self._share * self._totals[label]) + count) / self._totals[label]
            for label, count in self._sizes[unit].items()
        )

    def _is_spare(self, unit: int) -> bool:
        """Whether every class of the unit has other examples to learn from."""
        return all(self._totals[label] - self._held[label] > count for label, count in self._sizes[unit].items())

    def _hold_out(self, unit: int) -> None:
        self.held_out[unit] = True
        self._n_held += self._size(unit)
        self._held.update(self._sizes[unit])


def units_of(*keys: Sequence[Hashable]) -> NDArray[np.int64]:
    """Return the number of each example's unit, int64 [n]: examples with a key in common are of one unit.

    `keys` are columns [n] such as groups and hashes of content; an empty one is left out.
    """
    columns = [column for column in keys if column]
    parents = list(range(len(columns[0])))

    def find_root(example: int) -> int:
        while parents[example] != example:
            parents[example] = parents[parents[example]]
            example = parents[example]
        return example

    for column in columns:
        first: dict[Hashable, int] = {}
        for example, key in enumerate(column):
            one, other = sorted((find_root(example), find_root(first.setdefault(key, example))))
            parents[other] = one
    roots = [find_root(example) for example in range(len(parents))]
    return np.unique(roots, return_inverse=True)[1].astype(np.int64)


def on_one_side_only(labels: Labels, units: NDArray[np.int64]) -> list[int]:
    """Return the classes all of whose examples are in one unit, so that no split has them on both sides."""
    first: dict[int, int] = {}
    several = set()
    for label, unit in zip(labels.tolist(), units.tolist(), strict=True):
        if first.setdefault(label, unit) != unit:
            several.add(label)
    return sorted(set(first) - several)


def shown(names: Iterable[str], *, at_most: int = 20) -> str:
    """Return names for people: separated by semicolons, and how many there are beyond `at_most`."""
    every = list(names)
    beyond = [f"and {len(every) - at_most:,} more"] if len(every) > at_most else []
    return "; ".join([*every[:at_most], *beyond])
