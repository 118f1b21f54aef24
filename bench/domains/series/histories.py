"""The past of series in a table, and the times of the steps that come after it.

What is learnt from is read by `bench.domains.series.tables`, which refuses whatever is not whole; here only the last
steps count, and a table need not say when they were.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api import types

from bench.domains.options import DataOptions
from bench.domains.series.calendars import Calendar, find_calendar, is_date_column, read_times
from bench.domains.series.tables import LONG_SERIES, LONG_VALUES, TIME_NAMES, read_frame
from bench.errors import DataError, nearest
from bench.files.suffixes import TABLE_SUFFIXES


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """Values [n] of one series in order of time, nan where one is missing; `times` [n] if steps are regular."""

    name: str
    values: NDArray[np.float64]
    calendar: Calendar | None
    times: pd.Index


def read_histories(path: Path, columns: Sequence[str], options: DataOptions) -> Iterator[History]:
    """Yield the series of a table: one in each column or, in the long form, one under each name.

    `columns` hold the values; without any those that `options` names, if they are there, or all that hold numbers.
    Raises `DataError` if the table or its columns cannot be read.
    """
    table = _read_table(path)
    owner = options.series or LONG_SERIES
    time = _time_column(table, options)
    values = _value_columns(path, table, columns, options, apart=(time, owner))
    if owner not in table.columns:
        yield from (_history(path, table, column, time, column, options) for column in values)
        return
    if len(values) != 1:
        raise DataError(
            f"{path} tells its series apart by {owner!r}, so their values are in one column: say with --column "
            f"which of {', '.join(values)}"
        )
    for name, part in table.groupby(owner, sort=False):
        yield _history(path, part, values[0], time, str(name), options)


def _read_table(path: Path) -> pd.DataFrame:
    """Return a table; a file whose name does not say what it is is taken for comma-separated values."""
    kind = path.suffix.lower()
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from error
    return read_frame(path, content, kind if kind in TABLE_SUFFIXES else ".csv")


def last_values(history: History, count: int) -> NDArray[np.float64]:
    """Return the last `count` values. Raises `DataError` if there are not so many, or some are missing."""
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
    return last


def times_to_come(history: History, steps: int) -> tuple[str, ...]:
    """Return the times of the next `steps` steps, none if steps are not regular."""
    if history.calendar is None:
        return ()
    frequency, last = history.calendar.frequency, history.times[-1]
    if isinstance(frequency, int):
        return tuple(str(last + frequency * step) for step in range(1, steps + 1))
    coming = pd.date_range(last, periods=steps + 1, freq=frequency)[1:]
    days_alone = bool((coming == coming.normalize()).all() and last == last.normalize())
    return tuple(coming.strftime("%Y-%m-%d" if days_alone else "%Y-%m-%d %H:%M:%S"))


def _history(
    path: Path, table: pd.DataFrame, column: str, time: str | None, name: str, options: DataOptions
) -> History:
    """Return one series in order of time, with nan where a step of a regular calendar has no row."""
    try:
        values = pd.to_numeric(table[column]).to_numpy(dtype=np.float64)
    except (ValueError, TypeError) as error:
        raise DataError(f"{path}: the column {column!r} is to hold numbers, but: {error}") from error
    if time is None or not len(table):
        return History(name, values, None, table.index)
    times = read_times(table[time], f"column {time!r} of {path}")
    if times.has_duplicates:
        raise DataError(f"{path}: times of the series {name!r} come twice, the first {times[times.duplicated()][0]}")
    order = np.argsort(times.to_numpy(), kind="stable")
    times, values = times[order], values[order]
    calendar = _calendar(times, options.frequency)
    if calendar is None:
        return History(name, values, None, times)
    steps = calendar.steps(times[0], times[-1])
    whole = np.full(len(steps), np.nan)
    whole[steps.get_indexer(times)] = values
    return History(name, whole, calendar, steps)


def _calendar(times: pd.Index, frequency: str | None) -> Calendar | None:
    """Return the calendar that all times are steps of, or None."""
    try:
        calendar = find_calendar(times, frequency, "")
    except DataError:
        return None
    return calendar if times.isin(calendar.steps(times[0], times[-1])).all() else None


def _time_column(table: pd.DataFrame, options: DataOptions) -> str | None:
    """Return the column of times: the one of training, else the first of dates, else one of numbers by its name."""
    if options.time in table.columns:
        return options.time
    if not len(table):
        return None
    dates = (name for name in table.columns if is_date_column(table[name]))
    named = (name for name in table.columns if name.lower() in TIME_NAMES and types.is_integer_dtype(table[name]))
    return next(dates, None) or next(named, None)


def _value_columns(
    path: Path, table: pd.DataFrame, columns: Sequence[str], options: DataOptions, apart: Sequence[str | None]
) -> list[str]:
    known = list(table.columns)
    for column in columns:
        if column not in known:
            raise DataError(f"{path} has no column {column!r}{nearest(column, known)} (there are: {', '.join(known)})")
    if columns:
        return list(columns)
    if options.values and set(options.values) <= set(known):
        return list(options.values)
    numbers = [name for name in known if types.is_numeric_dtype(table[name]) and name not in apart]
    if not numbers:
        raise DataError(f"{path} has no column of numbers to forecast (there are: {', '.join(known)})")
    return [LONG_VALUES] if apart[1] in known and LONG_VALUES in numbers else numbers
