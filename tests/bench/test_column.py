"""Columns select examples, keep their content in a file, and have a digest that depends on content alone."""

import io
import zipfile
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from bench.column import Array, Column, Dense, Ragged, dense, digest, digest_arrays, from_bytes, ragged, to_bytes

KINDS = ["?", "<i8", ">i4", "u1", "<f4", ">f8", "<c16", "<U5", ">U3"]
names = st.sampled_from(["class", "box", "logit", "tag"])
kinds = st.sampled_from(KINDS)


def of_length(n: int, kind: str) -> st.SearchStrategy[Array]:
    shapes = arrays.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=3).map(lambda rest: (n, *rest))
    texts = st.text("abß", max_size=3)
    return arrays.arrays(np.dtype(kind), shapes, elements=texts if "U" in kind else None)


@st.composite
def values(draw: st.DrawFn, n: int) -> dict[str, Array]:
    return {name: draw(of_length(n, draw(kinds))) for name in draw(st.sets(names, min_size=1, max_size=3))}


dense_columns = st.integers(0, 5).flatmap(values).map(Dense)


@st.composite
def ragged_columns(draw: st.DrawFn) -> Ragged:
    """Columns of zero to five examples, of which some have no entries; every other one lies on grids."""
    shapes = np.array(draw(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=5)), dtype=np.int64)
    shapes = shapes.reshape(-1, 2)
    offsets = np.concatenate([[0], shapes.prod(axis=1).cumsum()]).astype(np.int64)
    return Ragged(draw(values(int(offsets[-1]))), offsets, shapes if draw(st.booleans()) else None)


columns: st.SearchStrategy[Column] = dense_columns | ragged_columns()


def entries(column: Column, row: int) -> dict[str, object]:
    """Return what a column says of one example, to be compared."""
    found = {name: column.of(name, row) if isinstance(column, Ragged) else column[name][row] for name in column.values}
    return {name: np.asarray(one).tolist() for name, one in found.items()}


def changed(column: Column, values: Mapping[str, Array]) -> Column:
    return Dense(values) if isinstance(column, Dense) else Ragged(values, column.offsets, column.shapes)


def same_bits(one: Column, other: Column) -> bool:
    return type(one) is type(other) and digest(one) == digest(other)


@given(columns, st.data())
def test_the_examples_at_indices_are_those_with_repeats_and_in_their_order(column: Column, data: st.DataObject) -> None:
    rows = data.draw(st.lists(st.integers(-len(column), len(column) - 1), max_size=8)) if len(column) else []
    taken = column.take(rows)
    assert len(taken) == len(rows)
    assert str([entries(taken, i) for i in range(len(rows))]) == str(
        [entries(column, row % len(column)) for row in rows]
    )


@given(columns, st.data())
def test_flags_take_the_examples_that_are_set(column: Column, data: st.DataObject) -> None:
    flags = np.array(data.draw(st.lists(st.booleans(), min_size=len(column), max_size=len(column))), dtype=np.bool_)
    assert same_bits(column.take(flags), column.take(np.flatnonzero(flags)))


@given(columns)
def test_taking_all_examples_changes_nothing_and_taking_none_keeps_types(column: Column) -> None:
    assert same_bits(column.take(range(len(column))), column)
    none = column.take([])
    assert len(none) == 0
    assert {name: array.dtype for name, array in none.values.items()} == {
        name: array.dtype for name, array in column.values.items()
    }


@pytest.mark.parametrize("rows", [[0.5], [[0, 1]], [True]], ids=["fractions", "a matrix", "too few flags"])
def test_rows_that_are_neither_indices_nor_flags_are_refused(rows: Sequence[object]) -> None:
    with pytest.raises(AssertionError):
        dense(value=[1.0, 2.0, 3.0]).take(np.array(rows))


def test_a_row_that_there_is_not_is_refused() -> None:
    for column in (dense(tag=[1, 2]), ragged(tag=[[1], [2]])):
        with pytest.raises(IndexError):
            column.take([2])
    for row in (-1, 2):
        with pytest.raises(AssertionError):
            ragged(tag=[[1], [2]]).of("tag", row)


def test_sequences_become_a_ragged_column() -> None:
    column = ragged(tag=[[1, 2], np.array([], dtype=np.int64), [3]], score=[[0.1, 0.2], [], [0.3]])
    assert (len(column), column.offsets.tolist()) == (3, [0, 2, 2, 3])
    assert [column.of("tag", row).tolist() for row in range(3)] == [[1, 2], [], [3]]


def test_a_ragged_column_of_no_examples_keeps_type_and_shape() -> None:
    column = ragged(box=np.empty((0, 4), dtype=np.float32), tag=[])
    assert (len(column), column["box"].shape, column["box"].dtype.name) == (0, (0, 4), "float32")
    assert same_bits(from_bytes(to_bytes(column)), column)


def test_entries_that_lie_on_a_grid_come_back_on_it() -> None:
    column = ragged(shapes=[[2, 3], [1, 1]], mask=[range(6), [9]])
    assert column.of("mask", 0).tolist() == [[0, 1, 2], [3, 4, 5]]
    assert column.take([1]).of("mask", 0).tolist() == [[9]]


def test_entries_and_offsets_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(AssertionError, match="one length"):
        ragged(tag=[[1], [2, 3]], score=[[0.1, 0.2], [0.3]])
    with pytest.raises(AssertionError, match="grids"):
        ragged(shapes=[[2, 2]], mask=[[1, 2, 3]])
    for offsets in ([0, 3, 2], [1, 2, 2], [0, 1]):
        with pytest.raises(AssertionError, match="offsets"):
            Ragged({"tag": np.zeros(2)}, np.array(offsets, dtype=np.int64))
    with pytest.raises(AssertionError, match="int64"):
        Ragged({"tag": np.zeros(2)}, np.array([0, 2], dtype=np.int32))
    with pytest.raises(AssertionError, match="one length"):
        dense(one=[1, 2], other=[1])


def reordered(array: Array) -> Array:
    """Return equal content in Fortran order and the other byte order, as every second entry of a longer array."""
    swapped = np.asfortranarray(array.astype(array.dtype.newbyteorder()))
    return np.repeat(swapped, 2, axis=0)[::2]


@given(columns)
def test_memory_layout_and_byte_order_change_neither_digest_nor_file(column: Column) -> None:
    other = changed(column, {name: reordered(array) for name, array in reversed(list(column.values.items()))})
    assert digest(other) == digest(column)
    assert to_bytes(other) == to_bytes(column)


@given(st.lists(st.text(max_size=4), max_size=4))
@example(["\ud800", "a\0"])
def test_the_width_and_kind_of_a_string_type_change_neither_digest_nor_file(texts: list[str]) -> None:
    column = Dense({"text": np.array(texts, dtype=np.str_)})
    for dtype in (np.dtype("<U9"), np.dtype(">U6"), np.dtype(object)):
        other = Dense({"text": np.array(texts, dtype=dtype)})
        assert digest(other) == digest(column)
        assert to_bytes(other) == to_bytes(column)


def test_variable_width_strings_are_strings() -> None:
    wide = Dense({"text": np.array(["a", "bcd"], dtype=np.dtypes.StringDType())})
    assert digest(wide) == digest(dense(text=["a", "bcd"]))


def test_names_types_shapes_content_and_order_change_the_digest() -> None:
    columns: list[Column] = [
        dense(a=[[1, 2], [3, 4]]),
        dense(b=[[1, 2], [3, 4]]),
        dense(a=[[1.0, 2.0], [3.0, 4.0]]),
        dense(a=np.array([[1, 2], [3, 4]], dtype=np.int32)),
        dense(a=[["1", "2"], ["3", "4"]]),
        dense(a=[1, 2, 3, 4]),
        dense(a=[[1, 2, 3, 4]]),
        dense(a=[[3, 4], [1, 2]]),
        dense(a=[[1, 2], [3, 5]]),
        dense(a=[[1, 2], [3, 4]], b=[0, 0]),
        ragged(a=[[1, 2], [3, 4]]),
        ragged(a=[[1, 2, 3], [4]]),
        ragged(shapes=[[4, 1]], a=[[1, 2, 3, 4]]),
        ragged(shapes=[[2, 2]], a=[[1, 2, 3, 4]]),
        dense(a=["ab", "c"]),
        dense(a=["a", "bc"]),
    ]
    assert len({digest(column) for column in columns}) == len(columns)


@given(dense_columns.filter(lambda column: all(array.size for array in column.values.values())), st.data())
def test_no_other_content_has_the_same_digest(column: Dense, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(column.values)))
    other = {key: array.copy() for key, array in column.values.items()}
    first = other[name].reshape(-1)
    first[0] = "x" if other[name].dtype.kind == "U" else not first[0]
    differs = other[name].tobytes() != column[name].tobytes()
    assert (digest(Dense(other)) != digest(column)) == differs


def test_digests_are_the_same_from_run_to_run() -> None:
    column = ragged(tag=[[1, 2], np.array([], dtype=np.int64), [3]], word=[["a", "bß"], np.array([], dtype="U1"), [""]])
    assert digest(column) == "616e15bf767c59ae1449dd8f1a5282726e336169b85724f1ba190abca43ed3b4"


@given(columns)
def test_a_column_comes_back_from_its_file(column: Column) -> None:
    back = from_bytes(to_bytes(column))
    assert same_bits(back, column)
    assert to_bytes(back) == to_bytes(column)
    assert digest_arrays(back.arrays()) == digest(column)


def test_strings_in_an_object_array_come_back_as_strings() -> None:
    back = from_bytes(to_bytes(Dense({"word": np.array(["a", "bcd"], dtype=object)})))
    assert (back["word"].dtype, back["word"].tolist()) == (np.dtype("U3"), ["a", "bcd"])


@pytest.mark.parametrize(
    "array",
    [
        np.array([1, "a"], dtype=object),
        np.array(["a", None], dtype=object),
        np.array([[1], [2, 3]], dtype=object),
        np.array([b"a"]),
        np.zeros(2, dtype=[("x", "f4")]),
    ],
    ids=["numbers among strings", "a missing string", "lists", "bytes", "records"],
)
def test_what_is_neither_number_nor_flag_nor_string_is_refused(array: Array) -> None:
    for use in (digest, to_bytes):
        with pytest.raises(AssertionError, match="numbers, flags and strings"):
            use(Dense({"a": array}))


def empty_archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w"):
        pass
    return file.getvalue()


def objects_pickled() -> bytes:
    file = io.BytesIO()
    np.savez(file, a=np.array([None]))
    return file.getvalue()


def damaged() -> bytes:
    content = bytearray(to_bytes(dense(value=np.arange(100.0))))
    content[len(content) // 2] ^= 1
    return bytes(content)


@pytest.mark.parametrize(
    "content",
    [b"", b"text", to_bytes(dense(a=[1]))[:-30], empty_archive(), objects_pickled(), damaged()],
    ids=["nothing", "no archive", "cut off", "an empty archive", "pickled objects", "a flipped bit"],
)
def test_what_is_no_file_of_a_column_is_refused(content: bytes) -> None:
    with pytest.raises((ValueError, zipfile.BadZipFile)):
        from_bytes(content)
