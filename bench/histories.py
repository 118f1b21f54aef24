"""Owns the past of series in a table, and the times of the steps that come after it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bench.data import DataOptions
from bench.errors import DataError, nearest

LONG_FORM: Final = "unique_id"
"""The column that names the series of a long table, unless the data were said to have another."""


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """One series, oldest value first: `values` [n] with nan where one is missing, `times` [n] if they are known."""

    name: str
    values: NDArray[np.float64]
    times: pd.DatetimeIndex | None


def read_table(path: Path, *, as_text: bool = False) -> pd.DataFrame:
    """Return a table of comma- or tab-separated values, JSON lines or parquet; `as_text` takes cells as they stand.

    Raises `DataError` if it cannot be read.
    """
    suffix = path.suffix.lower()
    try:
        if suffix == ".parquet":
            return pd.read_parquet(path)
        if suffix == ".jsonl":
            return pd.read_json(path, lines=True, dtype=not as_text, convert_dates=False)
        separator = "\t" if suffix == ".tsv" else ","
        if as_text:
            return pd.read_csv(path, sep=separator, dtype=str, keep_default_na=False, encoding="utf-8-sig")
        return pd.read_csv(path, sep=separator, encoding="utf-8-sig")
    except (OSError, ValueError) as error:  # pandas' own errors are ValueErrors
        raise DataError(f"cannot read the table {path}: {' '.join(str(error).split())}") from error


def read_histories(path: Path, columns: Sequence[str], options: DataOptions) -> Iterator[History]:
    """Yield the series of a table: one in each column, or, in the long form, one under each name.

    `columns` hold the values; without any those that `options` names, if they are there, or all that hold numbers. The
    column of times is the one that `options` names, or else the first that holds dates. Raises `DataError`.
    """
    table = read_table(path)
    time = options.time if options.time in table.columns else _dates(table)
    names = options.series or LONG_FORM
    if time is not None:
        stamps = pd.to_datetime(table[time], format="mixed", errors="coerce")
        table = table.assign(**{str(time): stamps}).sort_values(time, kind="stable")
    values = _value_columns(path, table, columns, options, apart={time, names})
    if names not in table.columns:
        yield from (_history(path, table, column, time, column) for column in values)
        return
    if len(values) != 1:
        raise DataError(
            f"{path} names its series in the column {names!r} and so has one column of values: say with --column which "
            f"of {', '.join(values)}"
        )
    for name, part in table.groupby(names, sort=False):
        yield _history(path, part, values[0], time, str(name))


def last_values(history: History, count: int) -> NDArray[np.float32]:
    """Return the last `count` values, float32. Raises `DataError` if there are not so many, or some are missing."""
    if len(history.values) < count:
        raise DataError(
            f"the series {history.name!r} has {len(history.values)} values, too few: a forecast is made from {count}"
        )
    last = history.values[-count:]
    missing = int((~np.isfinite(last)).sum())
    if missing:
        raise DataError(
            f"the series {history.name!r} lacks {missing} of its last {count} values, which a forecast is made from: "
            "fill them"
        )
    return last.astype(np.float32)


def times_to_come(history: History, context: int, steps: int) -> tuple[str, ...]:
    """Return the times of the next `steps` steps; none if there are no times, or no regular ones in the context."""
    if history.times is None:
        return ()
    past = history.times[-context:]
    frequency = pd.infer_freq(past) if len(past) >= 3 and past.notna().all() else None
    if frequency is None:
        return ()
    coming = pd.date_range(past[-1], periods=steps + 1, freq=frequency)[1:]
    whole_days = bool((coming == coming.normalize()).all() and (past == past.normalize()).all())
    return tuple(coming.strftime("%Y-%m-%d" if whole_days else "%Y-%m-%d %H:%M:%S"))


def _history(path: Path, table: pd.DataFrame, column: str, time: str | None, name: str) -> History:
    try:
        values = pd.to_numeric(table[column]).to_numpy(dtype=np.float64)
    except (ValueError, TypeError) as error:
        raise DataError(f"{path}: the column {column!r} does not hold numbers: {error}") from error
    return History(name, values, None if time is None else pd.DatetimeIndex(table[time]))


def _dates(table: pd.DataFrame) -> str | None:
    """Return the first column that holds dates, written out."""
    for column in table.columns:
        if not pd.api.types.is_numeric_dtype(table[column]) and len(table):
            stamps = pd.to_datetime(table[column], format="mixed", errors="coerce")
            if stamps.notna().all():
                return str(column)
    return None


def _value_columns(
    path: Path, table: pd.DataFrame, columns: Sequence[str], options: DataOptions, apart: Iterable[str | None]
) -> list[str]:
    known = [str(column) for column in table.columns]
    for column in columns:
        if column not in known:
            raise DataError(f"{path} has no column {column!r}{nearest(column, known)} (there are: {', '.join(known)})")
    if columns:
        return list(columns)
    if options.values and set(options.values) <= set(known):
        return list(options.values)
    numbers = [name for name in known if pd.api.types.is_numeric_dtype(table[name]) and name not in set(apart)]
    if not numbers:
        raise DataError(f"{path} has no column of numbers (there are: {', '.join(known)})")
    return numbers
