"""The spacing of labels along an axis."""

import numpy as np
from numpy.typing import NDArray

Heights = NDArray[np.float64]


def spread(wanted: Heights, *, gap: float, low: float, high: float) -> Heights:
    """Return heights [n] as near to those wanted as a gap between neighbours allows, in the same order.

    Least squares under h[i+1] >= h[i] + gap: taking i * gap off the sorted heights leaves an isotonic regression, which
    pooling adjacent violators solves (Barlow et al. 1972). The heights are then kept within [low, high], as far as they
    fit in.
    """
    order = np.argsort(wanted, kind="stable")
    offsets = gap * np.arange(len(wanted))
    pools: list[tuple[float, int]] = []  # mean and size of each run of labels that touch
    for value in wanted[order] - offsets:
        mean, size = float(value), 1
        while pools and pools[-1][0] >= mean:
            before, n_before = pools.pop()
            mean, size = (before * n_before + mean * size) / (n_before + size), size + n_before
        pools.append((mean, size))
    settled = np.array([mean for mean, size in pools for _ in range(size)])
    highest = max(low, high - gap * (len(wanted) - 1))  # of the first label, if the last is not to pass `high`
    heights = np.empty(len(wanted))
    heights[order] = np.clip(settled, low, highest) + offsets
    return heights
