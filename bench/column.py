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
        lengths, total = np.diff(self.offsets), int(self.offsets[-1])
        assert self.offsets.dtype == np.int64, "offsets are int64"
        assert self.offsets[0] == 0, "offsets begin at 0"
        assert (lengths >= 0).all(), "offsets do not fall"
        assert all(len(array) == total for array in self.values.values()), "offsets end where the arrays do"
        assert self.shapes is None or np.array_equal(self.shapes.prod(axis=1), lengths), "grids hold their entries"

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, name: str) -> Array:
        return self.values[name]

    def of(self, name: str, row: int) -> Array:
        """Return the entries of one example: [entries, …], or [*shape, …] where it lies on a grid."""
        assert 0 <= row < len(self), "the example is one of the column"
        entries: Array = self.values[name][self.offsets[row] : self.offsets[row + 1]]
        return entries if self.shapes is None else entries.reshape(*self.shapes[row], *entries.shape[1:])

    def take(self, rows: ArrayLike) -> "Ragged":
        """Return the examples at `rows`, which are indices or flags."""
        rows = _indices(rows, len(self))
        lengths = np.diff(self.offsets)[rows]
        offsets = np.concatenate([[0], lengths.cumsum()]).astype(np.int64)
        # The place of each kept entry: where its example begins, plus its place within the example.
        entries = np.repeat(self.offsets[:-1][rows] - offsets[:-1], lengths) + np.arange(offsets[-1])
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


def ragged(shapes: ArrayLike | None = None, **items: Sequence[ArrayLike] | Array) -> Ragged:
    """Return a column of sequences: for every name one array [entries, …] for each example.

    No examples are the array of none, whose type and shape beyond its first axis they keep: `np.empty((0, 4))`.
    """
    several = {name: [np.asarray(one) for one in arrays] for name, arrays in items.items()}
    lengths, *others = [[len(one) for one in arrays] for arrays in several.values()]
    assert all(other == lengths for other in others), "arrays of an example are of one length"
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    grid = None if shapes is None else np.asarray(shapes, dtype=np.int64)
    joined = {name: np.concatenate(arrays) if arrays else np.asarray(items[name]) for name, arrays in several.items()}
    return Ragged(joined, offsets, grid)


def concatenate(columns: Sequence[Column]) -> Column:
    """Return columns of the same names, one after the other."""
    first, *others = columns
    names = list(first.values)
    if not others:
        return first
    if all(isinstance(column, Dense) for column in columns):
        return Dense({name: np.concatenate([column[name] for column in columns]) for name in names})
    parts = [column for column in columns if isinstance(column, Ragged)]
    assert len(parts) == len(columns), "either all columns are ragged or none is"
    lengths = np.concatenate([np.diff(part.offsets) for part in parts])
    shapes = [part.shapes for part in parts if part.shapes is not None]
    return Ragged(
        {name: np.concatenate([part[name] for part in parts]) for name in names},
        np.concatenate([[0], lengths.cumsum()]).astype(np.int64),
        np.concatenate(shapes) if shapes else None,
    )


def digest_arrays(arrays: Mapping[str, Array]) -> str:
    """Return the sha256 of named arrays.

    Names, types, shapes and content count; memory layout, byte order and the width that a string type happens to have
    do not. Strings are hashed with their lengths, so that no two lists of strings are alike.
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
        for name, array in sorted(column.arrays().items()):
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:  # dated 1980, always
                np.lib.format.write_array(member, _plain(array), allow_pickle=False)
    return file.getvalue()


def from_bytes(content: bytes) -> Column:
    """Return the column of a file. Raises `ValueError` or `zipfile.BadZipFile` if it is none."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        arrays = {name.removesuffix(".npy"): _array(archive.read(name)) for name in archive.namelist()}
    offsets, shapes = arrays.pop(OFFSETS, None), arrays.pop(SHAPES, None)
    if not arrays:
        raise ValueError("the file holds no array")
    return Dense(arrays) if offsets is None else Ragged(arrays, offsets, shapes)


def _array(content: bytes) -> Array:
    """Return the array of a .npy file."""
    array: Array = np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)
    return array


def _pieces(arrays: Mapping[str, Array]) -> Iterator[bytes]:
    """Yield what a digest counts: for each array its name, type and shape, then its content."""
    for name, array in sorted(arrays.items()):
        plain = _plain(array)
        is_text = plain.dtype.kind == "U"
        yield f"{name} {'text' if is_text else plain.dtype.str} {plain.shape}".encode()
        if is_text:
            yield from (one.encode(errors="surrogatepass") for one in plain.flat)
        else:
            yield plain.tobytes()


def _plain(array: Array) -> Array:
    """Return an array in the one form that its content has: in C order, little-endian, strings no wider than needed.

    NumPy's own strings have no NUL characters at their end, so that those of an object array lose theirs here.
    """
    kind = array.dtype.kind
    if kind in "UTO":
        strings = array.ravel().tolist()
        assert all(isinstance(one, str) for one in strings), "columns hold numbers, flags and strings"
        array = np.array([one.rstrip("\0") for one in strings], dtype=np.str_).reshape(array.shape)
    else:
        assert kind in "biufc", "columns hold numbers, flags and strings"
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))


def _indices(rows: ArrayLike, n: int) -> Indices:
    """Return rows as indices; flags [n] become those that are set."""
    found = np.asarray(rows)
    assert found.ndim == 1, "rows are a list"
    if found.dtype == np.bool_:
        assert len(found) == n, "there is a flag for each example"
        return np.flatnonzero(found)
    assert found.size == 0 or found.dtype.kind in "iu", "rows are indices or flags"
    return found.astype(np.int64)
