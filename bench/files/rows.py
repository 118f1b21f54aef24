"""Reading columns of tables in files: comma- or tab-separated, parquet or lines of JSON, every value as text."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pyarrow import ArrowException
from pyarrow.parquet import ParquetFile

from bench.errors import DataError, nearest
from bench.files.suffixes import TABLE_SUFFIXES

SEPARATORS: Final = ",;\t|"
HEAD_BYTES: Final = 2**20  # of a table, in which its first line ends


@dataclass(frozen=True, slots=True)
class Rows:
    """Some columns of a table, by name: `values` [n] each, as text, "" where there is none.

    `numbers` [n] are those of the rows as their readers count them: lines of JSON and rows of parquet from one, rows of
    other tables from the header, as spreadsheets do. `bad` says by number why a row is not among them.
    """

    numbers: list[int] = field(default_factory=list)
    values: dict[str, list[str]] = field(default_factory=dict)
    bad: dict[int, str] = field(default_factory=dict)


def read_rows(path: Path, columns: Sequence[str], encoding: str) -> Rows:
    """Return the columns of a table.

    Raises `DataError` for a file that is missing, damaged, of another kind or in another encoding, and for a column
    that it does not have.
    """
    kind = _kind(path)
    with _readable(path):
        if kind == ".parquet":
            return _read_parquet(path, columns)
        text = _decoded(path, path.read_bytes(), encoding)
    if kind == ".jsonl":
        return _read_json_lines(path, text, columns)
    return _read_separated(path, text, columns)


def read_text(path: Path, encoding: str) -> str:
    """Return the text of a file. Raises `DataError` for one that is missing or in another encoding."""
    with _readable(path):
        return _decoded(path, path.read_bytes(), encoding)


def read_names(path: Path, encoding: str) -> list[str]:
    """Return the names of the columns of a table, of lines of JSON those of the first; none if it is empty or damaged.

    What is not in the encoding does not matter yet. Raises `DataError` for a file that is missing or no table.
    """
    kind = _kind(path)
    with _readable(path):
        if kind == ".parquet":
            return list(ParquetFile(path).schema_arrow.names)
        with path.open("rb") as file:
            start = file.read(HEAD_BYTES)
    first = _decoded(path, start, encoding, errors="replace").partition("\n")[0]
    if kind != ".jsonl":
        return next(csv.reader([first], delimiter=_separator(kind, first)), [])
    try:
        record = json.loads(first)
    except json.JSONDecodeError:
        return []
    return list(record) if isinstance(record, dict) else []


def _kind(path: Path) -> str:
    """Return the suffix, one of `TABLE_SUFFIXES`. Raises `DataError` if it is another."""
    kind = path.suffix.casefold()
    if kind not in TABLE_SUFFIXES:
        raise DataError(
            f"{path} is no table that can be read: expected a name that ends in {', '.join(TABLE_SUFFIXES)}"
        )
    return kind


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Turn what opening or reading a file raises into a `DataError`."""
    try:
        yield
    except (FileNotFoundError, IsADirectoryError) as error:
        raise DataError(f"there is no file {path} (looked for {path.absolute()})") from error
    except (OSError, ArrowException) as error:
        raise DataError(f"cannot read {path}: {error}") from error


def _separator(kind: str, header: str) -> str:
    return "\t" if kind == ".tsv" else max(SEPARATORS, key=header.count)


def _decoded(path: Path, data: bytes, encoding: str, *, errors: str = "strict") -> str:
    try:
        return data.decode("utf-8-sig" if encoding == "utf-8" else encoding, errors)
    except LookupError as error:
        raise DataError(f"there is no encoding {encoding!r}: such as utf-8, utf-16 or windows-1252") from error
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        guess = "utf-16" if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else "windows-1252"
        raise DataError(
            f"{path} is not {encoding}: byte {error.start} (line {line}) is 0x{data[error.start]:02x}. Say what it is, "
            f'such as encoding = "{guess}", or convert it: iconv -f {guess} -t utf-8 {path.name} > new{path.suffix}'
        ) from error


def _read_separated(path: Path, text: str, columns: Sequence[str]) -> Rows:
    header = text.partition("\n")[0]
    separator = _separator(path.suffix.casefold(), header)
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))  # a text may be as long as it likes
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        names = next(lines, [])
        _refuse_unknown(path, columns, names)
        places = {column: names.index(column) for column in columns}
        rows = Rows(values={column: [] for column in columns})
        for number, row in enumerate(lines, start=2):
            if len(row) == len(names):
                rows.numbers.append(number)
                for column, place in places.items():
                    rows.values[column].append(row[place])
            elif row:  # an empty line is none
                rows.bad[number] = f"has {len(row)} fields instead of {len(names)} (is a text not in quotes?)"
    except csv.Error as error:
        raise DataError(f"cannot read {path} around line {lines.line_num}: {error}; are quotes doubled?") from error
    return rows


def _read_json_lines(path: Path, text: str, columns: Sequence[str]) -> Rows:
    records: dict[int, dict[str, object]] = {}
    bad: dict[int, str] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except json.JSONDecodeError as error:
            bad[number] = f"is not JSON: {error}"
            continue
        if isinstance(record, dict):
            records[number] = record
        else:
            bad[number] = "is no JSON object"
    _refuse_unknown(path, columns, list(dict.fromkeys(name for record in records.values() for name in record)))
    return _as_text(records, ([record.get(column) for column in columns] for record in records.values()), columns, bad)


def _read_parquet(path: Path, columns: Sequence[str]) -> Rows:
    file = ParquetFile(path)
    _refuse_unknown(path, columns, file.schema_arrow.names)
    table = file.read(columns=list(columns))
    values = [table.column(column).to_pylist() for column in columns]
    return _as_text(range(1, table.num_rows + 1), map(list, zip(*values, strict=True)), columns, {})


def _as_text(
    numbers: Iterable[int], records: Iterable[Sequence[object]], columns: Sequence[str], bad: dict[int, str]
) -> Rows:
    """Return records [n, columns] as rows of text: numbers as they are written, nothing as ""."""
    rows = Rows(values={column: [] for column in columns}, bad=bad)
    for number, record in zip(numbers, records, strict=True):
        strange = list(_strange(record, columns))
        if strange:
            rows.bad[number] = ", ".join(strange)
            continue
        rows.numbers.append(number)
        for column, value in zip(columns, record, strict=True):
            missing = value is None or value != value  # a number that is none is not equal to itself
            rows.values[column].append("" if missing else str(value))
    return rows


def _strange(record: Sequence[object], columns: Sequence[str]) -> Iterator[str]:
    for column, value in zip(columns, record, strict=True):
        if not isinstance(value, str | int | float | None):
            yield f"has no text as its {column} but a {type(value).__name__}"
        elif isinstance(value, str) and any("\ud800" <= letter <= "\udfff" for letter in value):
            yield f"has half a character in its {column}"


def _refuse_unknown(path: Path, columns: Sequence[str], known: Sequence[str]) -> None:
    if not known:
        raise DataError(f"{path} is empty: expected columns {', '.join(columns)}")
    unknown = [f"{column!r}{nearest(column, known)}" for column in columns if column not in known]
    if unknown:
        raise DataError(f"{path} has no column {', nor '.join(unknown)} (there are: {', '.join(known)})")
    double = [column for column in columns if list(known).count(column) > 1]
    if double:
        raise DataError(f"{path} has several columns named {', '.join(double)}: one of each is expected")
