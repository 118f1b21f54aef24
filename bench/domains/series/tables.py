"""Reading tables of series: csv, tsv, parquet or jsonl, a series in a column each or all below each other."""

import io
import json
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from pandas.api import types

from bench.domains.options import DataOptions
from bench.domains.series.calendars import Calendar, find_calendar, is_date_column, read_times
from bench.domains.series.raw import Series
from bench.errors import DataError, nearest
from bench.files.suffixes import TABLE_SUFFIXES

TIME_NAMES: Final = ("ds", "date", "time", "timestamp", "datetime", "day", "month", "year", "step", "t")
"""Names by which a column of numbers is taken for one of times; of dates any name will do."""

LONG_SERIES: Final = "unique_id"
LONG_VALUES: Final = "y"

NAMED: Final = 3
"""How many of what is wrong are named."""


class Missing(NamedTuple):
    """How many `values` are not there, of which `absent` for want of a row of their time, and where the first are."""

    values: int
    absent: int
    first: tuple[str, ...]


class Table(NamedTuple):
    """The series of a file, what is not there as NaN, on one calendar."""

    series: tuple[Series, ...]
    calendar: Calendar
    missing: Missing
    remarks: tuple[str, ...]


class _Column(NamedTuple):
    """Values [n] of a series as they are in the file, at `times` [n]."""

    name: str
    times: pd.Index
    values: np.ndarray[tuple[int], np.dtype[np.float64]]


def read_series(path: Path, content: bytes, options: DataOptions) -> Table:
    """Return the series in the `content` of a table at `path`, each in order of time.

    Raises `DataError` if it cannot be read, has no times, or holds what is neither a number nor missing.
    """
    kind = path.suffix.lower()
    if kind not in TABLE_SUFFIXES:
        raise DataError(
            f"{path} is no table that is read here: its name has to end in one of {', '.join(TABLE_SUFFIXES)}"
        )
    frame = read_frame(path, content, kind)
    if not len(frame):
        raise DataError(f"{path} has no rows: a row for each time was expected")
    owner = _named_column(path, frame, "series", options.series) or (
        LONG_SERIES if LONG_SERIES in frame.columns else None
    )
    time = _time_column(path, frame, options, owner)
    times = read_times(frame[time], f"column {time!r} of {path}")
    chosen, left_out = _value_columns(path, frame, options, time=time, owner=owner)
    numbers = {name: _numbers(path, frame[name], times) for name in chosen}
    if owner is None:
        columns = [_Column(name, times, values) for name, values in numbers.items()]
    else:
        nobodys = int(frame[owner].isna().sum())
        if nobodys:
            raise DataError(
                f"{path} does not say in {owner!r} which series {nobodys} of its {len(frame)} rows belong to"
            )
        places = frame.groupby(owner, sort=False).indices
        columns = [
            _Column(str(key) if len(chosen) == 1 else f"{key} {name}", times[rows], values[rows])
            for key, rows in places.items()
            for name, values in numbers.items()
        ]
    remarks = [f"left out, since they hold no numbers: {', '.join(left_out)}"] if left_out else []
    unsorted = sum(not column.times.is_monotonic_increasing for column in columns)
    if unsorted:
        remarks.append("rows were not in order of time and have been sorted")
    columns = [_in_order(path, column, owner) for column in columns]
    calendar = find_calendar(max((column.times for column in columns), key=len), options.frequency, str(path))
    return _on_calendar(path, columns, calendar, remarks)


def read_frame(path: Path, content: bytes, kind: str) -> pd.DataFrame:
    """Return the table that the content of a file is, `kind` being one of `TABLE_SUFFIXES`.

    Raises `DataError` if it is empty, damaged or not UTF-8.
    """
    try:
        if kind == ".parquet":
            frame = pd.read_parquet(io.BytesIO(content))
        else:
            text = content.decode("utf-8-sig")
            if kind == ".jsonl":
                frame = pd.DataFrame([json.loads(line) for line in text.splitlines() if line.strip()])
            else:
                frame = pd.read_csv(io.StringIO(text), sep="\t" if kind == ".tsv" else ",")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path} is not UTF-8: byte {error.start} is {content[error.start]:#04x}; save it as UTF-8"
        ) from error
    except pd.errors.EmptyDataError as error:
        raise DataError(f"{path} is empty: a header and a row for each time were expected") from error
    except (ValueError, OSError) as error:  # pandas' and pyarrow's own are kinds of these
        raise DataError(f"cannot read {path} as {kind[1:]}: {' '.join(str(error).split())}") from error
    frame.columns = frame.columns.map(str)
    return frame.reset_index(drop=True)


def _named_column(path: Path, frame: pd.DataFrame, option: str, name: str | None) -> str | None:
    """Return the column that an option names, if it does. Raises `DataError` if there is none of that name."""
    if name is not None and name not in frame.columns:
        there = ", ".join(frame.columns)
        raise DataError(
            f"{path} has no column {name!r}, which `{option}` names{nearest(name, frame.columns)} (there are: {there})"
        )
    return name


def _time_column(path: Path, frame: pd.DataFrame, options: DataOptions, owner: str | None) -> str:
    """Return the column of times: the one that is named, else the first of dates, else one of numbers by its name."""
    if named := _named_column(path, frame, "time", options.time):
        return named
    others = [name for name in frame.columns if name != owner]
    found = next((name for name in others if is_date_column(frame[name])), None)
    found = found or next((name for name in others if name.lower() in TIME_NAMES), None)
    if found is None:
        raise DataError(
            f"{path} has no column of times, so the order of its rows is not known: name one with `time`, or add one "
            f"of dates such as 2016-07-01 00:00, or of whole numbers called {TIME_NAMES[2]!r} (there are: "
            f"{', '.join(frame.columns)})"
        )
    return found


def _value_columns(
    path: Path, frame: pd.DataFrame, options: DataOptions, *, time: str, owner: str | None
) -> tuple[list[str], list[str]]:
    """Return the columns of values, and those that were left out since they hold none."""
    for name in options.values:
        _named_column(path, frame, "values", name)
    if options.values:
        return list(options.values), []
    if owner is not None and LONG_VALUES in frame.columns:
        return [LONG_VALUES], []
    others = [name for name in frame.columns if name not in (time, owner)]
    chosen = [name for name in others if not name.startswith("Unnamed:") and _is_mostly_numbers(frame[name])]
    if not chosen:
        raise DataError(
            f"{path} has no column of numbers beside its times {time!r} (there are: {', '.join(frame.columns)})"
        )
    return chosen, [name for name in others if name not in chosen]


def _is_mostly_numbers(column: "pd.Series[Any]") -> bool:
    """Whether a column is one of values: a few words in it are damage, which is told, and not a reason to leave it."""
    if types.is_bool_dtype(column) or types.is_datetime64_any_dtype(column):
        return False
    there = column.dropna()
    return there.empty or bool(pd.to_numeric(there, errors="coerce").notna().mean() >= 0.5)


def _numbers(path: Path, column: "pd.Series[Any]", times: pd.Index) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return a column as numbers, NaN where there is none. Raises `DataError` for words and infinite values."""
    values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    words = np.flatnonzero(np.isnan(values) & column.notna().to_numpy())
    if len(words):
        first = ", ".join(f"{column.iloc[row]!r} at {times[row]}" for row in words[:NAMED])
        raise DataError(
            f"column {column.name!r} of {path} holds {len(words)} of {len(values)} values that are no numbers, the "
            f"first {first}: mend them, or choose other columns with `values`"
        )
    endless = np.flatnonzero(np.isinf(values))
    if len(endless):
        first = ", ".join(f"{times[row]}" for row in endless[:NAMED])
        raise DataError(
            f"column {column.name!r} of {path} holds {len(endless)} infinite values, the first at {first}: mend them, "
            "or leave them empty and say --fill (fill = true)"
        )
    return values


def _in_order(path: Path, column: _Column, owner: str | None) -> _Column:
    """Return the column in order of time. Raises `DataError` if a time comes twice."""
    order = np.argsort(column.times.to_numpy(), kind="stable")
    times = column.times[order]
    twice = times[times.duplicated()]
    if len(twice):
        first = ", ".join(str(time) for time in twice.unique()[:NAMED])
        apart = (
            ""
            if owner
            else "; if several series stand below each other, name the column that tells them apart with `series`"
        )
        raise DataError(
            f"{path} has {len(twice)} rows too many for series {column.name!r}, whose times come twice, the first "
            f"{first}{apart}"
        )
    return _Column(column.name, times, column.values[order])


def _on_calendar(path: Path, columns: list[_Column], calendar: Calendar, remarks: list[str]) -> Table:
    """Return the columns with a value, or NaN, for every step of the calendar."""
    series: list[Series] = []
    first: list[str] = []
    missing = absent = 0
    for column in columns:
        steps = calendar.steps(column.times[0], column.times[-1])
        places = steps.get_indexer(column.times)
        astray = column.times[places < 0]
        if len(astray):
            raise DataError(
                f"{path}: {len(astray)} times of series {column.name!r} are not {calendar.title} after each other, the "
                f"first {', '.join(str(time) for time in astray[:NAMED])}: mend them, or set `frequency`"
            )
        values = np.full(len(steps), np.nan)
        values[places] = column.values
        lost = np.flatnonzero(np.isnan(values))
        missing += len(lost)
        absent += len(steps) - len(places)
        first += [f"{column.name!r} at {steps[row]}" for row in lost[: NAMED - len(first)]]
        series.append(Series(column.name, values, calendar.moments(steps)))
    return Table(tuple(series), calendar, Missing(missing, absent, tuple(first)), tuple(remarks))
