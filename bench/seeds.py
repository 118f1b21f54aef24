"""Owns the random streams of a cell: subset, initialisation and order, each its own, all from the cell's seed.

Nothing in the project draws from global state, so no score depends on what ran before in the process.
"""

from typing import Literal

import numpy as np

Purpose = Literal["subset", "initialisation", "order", "folds"]

_SPAWN_KEYS: dict[Purpose, int] = {"subset": 0, "initialisation": 1, "order": 2, "folds": 3}


def stream(seed: int, purpose: Purpose) -> np.random.Generator:
    """Return the NumPy generator of one purpose; streams of different purposes are independent."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(_SPAWN_KEYS[purpose],)))


def torch_seed(seed: int, purpose: Purpose) -> int:
    """Return a 63-bit seed of one purpose for a torch generator."""
    return int(stream(seed, purpose).integers(2**63))
