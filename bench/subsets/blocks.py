"""Test blocks: up to twenty parts of a test split, of which uncertainty is estimated by leaving out one at a time.

Blocks belong to a task and its data version, never to a run: every run on the same data has the same blocks, so that
scores without a block can be compared between runs. What depends on each other lies in one block: the examples of a
group, and neighbouring windows of a series. No block is empty.
"""

import heapq
from typing import Final

import numpy as np

from bench.column import Array, Indices
from bench.subsets.seeds import data_stream

MOST_BLOCKS: Final = 20
"""Enough degrees of freedom for an interval, few enough to keep a score without each block."""

FEWEST_SERIES: Final = 10
"""From so many series on, whole series are dealt; fewer would leave too few blocks to estimate a variance from."""

HORIZONS: Final = 3
"""The shortest stretch of window starts, in horizons: its futures reach into the next one, at its end only.

With autocorrelated errors over 24 horizons, intervals from stretches of two held the truth in 91 % of simulated draws
where 95 % are promised, from stretches of three in 93 to 94 %: see `tests/bench/stats/test_simulation.py`.
"""


def deal_blocks(n: int, groups: Array | None, *, seed_from: str, most: int = MOST_BLOCKS) -> Indices:
    """Return the block, 0 to b - 1, of each of n >= 1 test examples; shape [n].

    Groups are dealt largest first, each to the block that is lightest so far, those of one size in random order: blocks
    differ by at most the largest group. Without `groups` [n], single examples are dealt at random, and blocks differ by
    one example at most. `seed_from` is the sha256 of the data.

    There are min(most, number of groups) blocks, so one where all examples are of one group, and without groups one for
    each example where there are fewer than `most`.
    """
    generator = data_stream(seed_from, "blocks")
    if groups is None:
        blocks = np.empty(n, dtype=np.int64)
        blocks[generator.permutation(n)] = np.arange(n) % most
        return blocks
    _, membership, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    order = np.lexsort((generator.random(len(sizes)), -sizes))
    return _deal_to_lightest(sizes, order, most)[membership]


def stretch_blocks(moments: Array, series: Array | None, horizon: int, most: int = MOST_BLOCKS) -> Indices:
    """Return the block, 0 to b - 1, of each of n >= 1 windows; shape [n].

    `moments` [n] are what windows start at, in any unit and order; windows of several series can start at one moment,
    and `series` [n] then says whose they are. `horizon` is in steps, and there is one step between a series' windows.

    With fewer than ten series, a block is a stretch of time, in all series at once. Stretches are as many as can have
    three horizons of window starts each, `most` at most, and as even as can be: what is left over is spread over all of
    them. A test span shorter than six horizons is one block. With ten series or more, whole series are dealt, largest
    first to the lightest block, those of one length in the order of their names.
    """
    if series is not None:
        _, owners, sizes = np.unique(series, return_inverse=True, return_counts=True)
        if len(sizes) >= FEWEST_SERIES:
            return _deal_to_lightest(sizes, np.argsort(-sizes, kind="stable"), most)[owners]
    starts, ranks = np.unique(moments, return_inverse=True)
    count = min(most, max(1, len(starts) // (HORIZONS * horizon)))
    return (ranks * count // len(starts)).astype(np.int64)


def _deal_to_lightest(sizes: Indices, order: Indices, most: int) -> Indices:
    """Return the block of each group, [groups]: in this order each goes to the lightest block, or the first of these.

    There are as many blocks as groups, `most` at most: while there are empty ones, they are lighter than all others.
    """
    blocks = np.empty(len(sizes), dtype=np.int64)
    weights = [(0, block) for block in range(most)]
    for group in order.tolist():
        weight, block = weights[0]
        blocks[group] = block
        heapq.heapreplace(weights, (weight + int(sizes[group]), block))
    return blocks
