"""Random streams: those of a cell come from its seed, those of data from the sha256 of the data.

A cell has one for its subset, its initialisation and its order each; of data are test blocks and folds.

Nothing in the project draws from global state, so no score depends on what ran before in the process.
"""

import hashlib
from typing import Final, Literal

import numpy as np

from bench.cell import ALL_STREAMS, Cell

Purpose = Literal["subset", "initialisation", "order", "folds"]

DataPurpose = Literal["blocks", "test folds"]

VARIED: Final[tuple[Purpose, ...]] = ("subset", "initialisation", "order")
"""The streams that a cell's seed is behind. Folds are dealt from the examples alone."""

_SPAWN_KEYS: dict[Purpose, int] = {"subset": 0, "initialisation": 1, "order": 2, "folds": 3}


def seed_of(cell: Cell, purpose: Purpose) -> int:
    """Return the seed of one of a cell's streams: 0 where the cell's seed is that of another stream alone."""
    return cell.seed if cell.varied in (ALL_STREAMS, purpose) else 0


def fold_of(cell: Cell, folds: int) -> int:
    """Return which of so many folds of the data a cell is tested on: the one whose turn it is by its seed.

    Where one stream alone follows the seed the fold does not: it would vary beside the stream.
    """
    return cell.seed % folds if cell.varied == ALL_STREAMS else 0


def stream(seed: int, purpose: Purpose) -> np.random.Generator:
    """Return the NumPy generator of one purpose; streams of different purposes are independent."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(_SPAWN_KEYS[purpose],)))


def data_stream(sha256: str, purpose: DataPurpose) -> np.random.Generator:
    """Return the NumPy generator of what belongs to data and to no run; `sha256` is that of the data."""
    digest = hashlib.sha256(f"{purpose} of {sha256}".encode()).hexdigest()
    return np.random.default_rng(np.random.SeedSequence(int(digest, 16)))


def torch_seed(seed: int, purpose: Purpose) -> int:
    """Return a 63-bit seed of one purpose for a torch generator."""
    return int(stream(seed, purpose).integers(2**63))
