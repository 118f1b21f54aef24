"""Columns: labels, predictions and facts of a split as named arrays, dense or ragged, with a digest of their content.

A column has an entry for each example. It holds what targets put into it under names of their own: a class index, a
matrix of logits, boxes with their classes and scores. Everything that keeps, hashes, selects or scores labels and
predictions works on columns and knows no target.
"""

import hashlib
import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[Any]
Indices = NDArray[np.int64]

OFFSETS: Final = " offsets"
SHAPES: Final = " shapes"
"""Names of a ragged column's own arrays in its file and digest; a space keeps them apart from a target's names."""


@dataclass(frozen=True, slots=True, eq=False)
class Dense:
    """Named arrays with one entry for each example: each is [n, …]."""

    values: Mapping[str, Array]

    def __post_init__(self) -> None:
        assert self.values, "a column has at least one array"
        assert len({len(array) for array in self.values.values()}) == 1, "arrays of a column are of one length"

    def __len__(self) -> int:
        return len(next(iter(self.values.values())))

    def __getitem__(self, name: str) -> Array:
        return self.values[name]

    def take(self, rows: ArrayLike) -> "Dense":
        """Return the examples at `rows`, which are indices or flags."""
        rows = _indices(rows, len(self))
        return Dense({name: array[rows] for name, array in self.values.items()})

    def arrays(self) -> dict[str, Array]:
        """Return all that the column holds, by name."""
        return dict(self.values)


@dataclass(frozen=True, slots=True, eq=False)
class Ragged:
    """Named arrays with any number of entries for each example: each is [total, …].

    The entries of example i are those from `offsets[i]` to `offsets[i + 1]`; `offsets` is int64 [n + 1]. Where the
    entries of an example lie on a grid, `shapes` [n, dimensions] says which.
    """

    values: Mapping[str, Array]
    offsets: Indices
    shapes: Indices | None = None

    def __post_init__(self) -> None:
        assert self.values, "a column has at least one array"
        total = int(self.offsets[-1])
        assert all(len(array) == total for array in self.values.values()), "offsets end where the arrays do"

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, name: str) -> Array:
        return self.values[name]

    def of(self, name: str, row: int) -> Array:
        """Return the entries of one example: [entries, …], or [*shape, …] where it lies on a grid."""
        entries: Array = self.values[name][self.offsets[row] : self.offsets[row + 1]]
        return entries if self.shapes is None else entries.reshape(*self.shapes[row], *entries.shape[1:])

    def take(self, rows: ArrayLike) -> "Ragged":
        """Return the examples at `rows`, which are indices or flags."""
        rows = _indices(rows, len(self))
        lengths = np.diff(self.offsets)[rows]
        offsets = np.concatenate([[0], lengths.cumsum()]).astype(np.int64)
        # The place of each kept entry: where its example begins, plus its place within the example.
        entries = np.repeat(self.offsets[rows] - offsets[:-1], lengths) + np.arange(offsets[-1])
        shapes = None if self.shapes is None else self.shapes[rows]
        return Ragged({name: array[entries] for name, array in self.values.items()}, offsets, shapes)

    def arrays(self) -> dict[str, Array]:
        """Return all that the column holds, by name, offsets and shapes included."""
        shapes = {} if self.shapes is None else {SHAPES: self.shapes}
        return {**self.values, OFFSETS: self.offsets, **shapes}


Column = Dense | Ragged


def dense(**values: ArrayLike) -> Dense:
    """Return a column of these arrays, each [n, …]."""
    return Dense({name: np.asarray(array) for name, array in values.items()})


def ragged(shapes: ArrayLike | None = None, **items: Sequence[ArrayLike]) -> Ragged:
    """Return a column of sequences: for every name one array for each example, at least one example."""
    several = {name: [np.asarray(one) for one in arrays] for name, arrays in items.items()}
    lengths = [len(one) for one in next(iter(several.values()))]
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    grid = None if shapes is None else np.asarray(shapes, dtype=np.int64)
    return Ragged({name: np.concatenate(arrays) for name, arrays in several.items()}, offsets, grid)


def digest_arrays(arrays: Mapping[str, Array]) -> str:
    """Return the sha256 of named arrays.

    Names, types, shapes and content count; memory addresses and the width that a string type happens to have do not.
    Strings are hashed with their lengths, so that no two lists of strings are alike.
    """
    found = hashlib.sha256()
    for piece in _pieces(arrays):
        found.update(len(piece).to_bytes(8, "little"))
        found.update(piece)
    return found.hexdigest()


def digest(column: Column) -> str:
    """Return the sha256 of a column's content."""
    return digest_arrays(column.arrays())


def to_bytes(column: Column) -> bytes:
    """Return a column as the bytes of its file: an uncompressed .npz, the same bytes for the same content."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, array in column.arrays().items():
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:  # dated 1980, always
                np.lib.format.write_array(member, np.ascontiguousarray(array), allow_pickle=False)
    return file.getvalue()


def from_bytes(content: bytes) -> Column:
    """Return the column of a file. Raises `ValueError` or `zipfile.BadZipFile` if it is none."""
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    offsets, shapes = arrays.pop(OFFSETS, None), arrays.pop(SHAPES, None)
    return Dense(arrays) if offsets is None else Ragged(arrays, offsets, shapes)


def _pieces(arrays: Mapping[str, Array]) -> Iterator[bytes]:
    for name, array in sorted(arrays.items()):
        is_text = array.dtype.kind in "UO"
        assert not is_text or all(isinstance(one, str) for one in array.flat), "columns hold numbers, flags and strings"
        kind = "text" if is_text else array.dtype.newbyteorder("<").str
        yield f"{name} {kind} {array.shape}".encode()
        if is_text:
            yield from (one.encode() for one in array.flat)
        else:
            yield np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).tobytes()


def _indices(rows: ArrayLike, n: int) -> Indices:
    """Return rows as indices; flags [n] become those that are set."""
    found = np.asarray(rows)
    if found.dtype == np.bool_:
        assert len(found) == n, "there is a flag for each example"
        return np.flatnonzero(found)
    return found.astype(np.int64)
