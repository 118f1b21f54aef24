"""Label budgets: which examples a run may see, nested whatever is asked for and stratified over classes."""

import numpy as np
from numpy.typing import NDArray

from bench.budget import Asked, Count
from bench.column import Indices


def budget_size(asked: Asked, total: int) -> int:
    """Return the number of examples in a budget that counts them: a count, or a share of `total`, at least one."""
    return asked.of if isinstance(asked, Count) else max(1, round(asked.of * total))


def stratified_order(labels: NDArray[np.int64], generator: np.random.Generator) -> Indices:
    """Return all indices in an order whose every prefix is a stratified budget; shape [n].

    Prefixes nest by construction. One example of every class comes first (in random order of the classes), so a prefix
    as long as there are classes holds each of them. After that, the r-th of a class's m examples has the key (r + 1/2)
    / m: sorting by key spreads each class evenly, so that a class's count in a prefix follows its share.
    """
    keys = np.empty(len(labels), dtype=np.float64)
    tie_breaks = generator.random(len(labels))
    for name in np.unique(labels):
        members = np.flatnonzero(labels == name)
        ranks = generator.permutation(len(members))
        keys[members] = np.where(ranks == 0, -1.0, (ranks + 0.5) / len(members))
    return np.lexsort((tie_breaks, keys)).astype(np.int64)


def stratified_folds(labels: NDArray[np.int64], count: int, generator: np.random.Generator) -> Indices:
    """Return the fold (0 to count - 1) of each example; shape [n]. Each class is dealt out over the folds in turn."""
    folds = np.empty(len(labels), dtype=np.int64)
    folds[_stratified_deal(labels, generator)] = np.arange(len(labels)) % count
    return folds


def _stratified_deal(labels: NDArray[np.int64], generator: np.random.Generator) -> Indices:
    """Return all indices class by class, shuffled within each: dealing them out in turn is stratified."""
    return np.lexsort((generator.random(len(labels)), labels)).astype(np.int64)


def blocked_folds(total: int, count: int) -> Indices:
    """Return the fold of each of `total` examples in order of time: `count` blocks of neighbours; shape [total]."""
    return np.arange(total, dtype=np.int64) * count // total
