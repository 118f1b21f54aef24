"""Time in tables of series: reading dates, how far apart steps are, and how many make a seasonal cycle."""

from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from pandas.api import types
from pandas.tseries.frequencies import to_offset

from bench.domains.series.raw import Moments
from bench.errors import DataError

DATES: Final = ("%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%Y/%m/%d", "%d-%m-%Y", "%m-%d-%Y", "%Y%m%d", "%d-%b-%Y", "%b %Y")
CLOCKS: Final = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
LAYOUTS: Final = ("ISO8601", *(date + clock for date in DATES for clock in CLOCKS))

MINUTE: Final = pd.Timedelta(minutes=1)
HOUR: Final = pd.Timedelta(hours=1)
DAY: Final = pd.Timedelta(days=1)
MONTH: Final = pd.Timedelta(days=28)
YEAR: Final = pd.Timedelta(days=365.25)

SOME: Final = 13  # times, so that the mean step of months is not that of a short one

BUSINESS_DAYS: Final = "B"
WEEKDAYS: Final = 5


class Calendar(NamedTuple):
    """Steps of one `frequency`: of dates as pandas calls it ("h", "15min", "MS"), of numbers how far they are apart."""

    frequency: str | int
    season: int

    @property
    def title(self) -> str:
        """The frequency in words."""
        return f"steps of {self.frequency}"

    def steps(self, first: object, last: object) -> pd.Index:
        """Return all times from the first to the last."""
        if isinstance(self.frequency, int):
            assert isinstance(first, int | np.integer)
            assert isinstance(last, int | np.integer)
            return pd.Index(np.arange(int(first), int(last) + 1, self.frequency))
        assert isinstance(first, pd.Timestamp)
        assert isinstance(last, pd.Timestamp)
        return pd.date_range(first, last, freq=self.frequency, unit="ns")

    def moments(self, steps: pd.Index) -> Moments:
        """Return times [n] as numbers in their order."""
        return steps.to_numpy().astype(np.int64)


def is_date_column(column: "pd.Series[Any]") -> bool:
    """Whether every value of a column is a date."""
    return _dates(column) is not None


def read_times(column: "pd.Series[Any]", where: str) -> pd.Index:
    """Return a column of times as dates without a zone (UTC, where there was one), or as whole numbers.

    Raises `DataError` if they are neither.
    """
    dates = _dates(column)
    if dates is not None:
        return dates
    if types.is_integer_dtype(column) and not column.isna().any():
        numbers: pd.Index = pd.Index(column.to_numpy(dtype=np.int64))
        return numbers
    if types.is_numeric_dtype(column):
        raise DataError(
            f"{where} is to hold times, but holds broken numbers or none at all: use dates or whole numbers"
        )
    text = column.astype(str)
    read = [pd.to_datetime(text, format=layout, errors="coerce", utc=True).notna() for layout in LAYOUTS]
    failed = column[~np.any(read, axis=0)]
    what = (
        f"{len(failed)} that are none, the first {failed.iloc[0]!r}" if len(failed) else "dates written in several ways"
    )
    raise DataError(f"{where} is to hold {len(column)} times, but there are {what}: write them as 2016-07-01 00:00")


def _dates(column: "pd.Series[Any]") -> pd.DatetimeIndex | None:
    """Return a column read as dates, or None if some value is none.

    Of several readings (01/02/2016 is in January or in February) the one holds in which steps are most alike.
    """
    if types.is_datetime64_any_dtype(column):
        readings = [pd.to_datetime(column, utc=True)]
    elif types.is_numeric_dtype(column):
        readings = []
    else:
        text = column.astype(str)
        fitting = [one for one in LAYOUTS if not pd.isna(pd.to_datetime(text.iloc[0], format=one, errors="coerce"))]
        readings = [pd.to_datetime(text, format=layout, errors="coerce", utc=True) for layout in fitting]
    whole = [reading for reading in readings if reading.notna().all()]
    if not whole:
        return None
    likely = min(whole, key=_unevenness)
    return pd.DatetimeIndex(likely.dt.tz_convert(None).astype("datetime64[ns]"))


def _unevenness(times: "pd.Series[pd.Timestamp]") -> float:
    steps = times.drop_duplicates().sort_values().diff()[1:]
    return float(steps.std() / steps.mean()) if len(steps) > 1 else 0.0


def find_calendar(times: pd.Index, wanted: str | None, where: str) -> Calendar:
    """Return the calendar of `times` in their order, of the `wanted` frequency if there is one.

    Raises `DataError` if none can be found or the one that is wanted does not exist.
    """
    if not isinstance(times, pd.DatetimeIndex):
        if wanted:
            raise DataError(
                f"{where}: frequency = {wanted!r} is one of dates, but its times are whole numbers: set `season`"
            )
        return Calendar(_usual_difference(times), 1)
    frequency = wanted or (_frequency(times) if len(times) > 1 else None)
    if frequency is None:
        raise DataError(
            f"{where}: the frequency of {len(times)} times from {times[0]} to {times[-1]} is not plain: set "
            "`frequency`, such as 'h', '15min', 'D' or 'MS'"
        )
    try:
        some = pd.date_range(times[0], periods=SOME, freq=frequency)
    except ValueError as error:
        raise DataError(
            f"{where}: {frequency!r} is no frequency; there are 'h', '15min', 'D', 'W', 'MS', 'YS'"
        ) from error
    return Calendar(frequency, season_of(frequency, (some[-1] - some[0]) / (SOME - 1)))


def _usual_difference(times: pd.Index) -> int:
    differences, counts = np.unique(np.diff(times.to_numpy()), return_counts=True)
    return int(differences[counts.argmax()]) if len(differences) else 1


def _frequency(times: pd.DatetimeIndex) -> str | None:
    """Return pandas' name of the frequency by which most neighbours are apart, None if there is none.

    Weeks are "7D" and quarters "3MS", whatever they begin with, and some times may be missing.
    """
    usual = (times[1:] - times[:-1]).value_counts().index[0]
    if usual >= MONTH:
        months = round(usual / (YEAR / 12))
        count = "" if months == 1 else f"{months}"
        if (times.day == 1).all():
            return f"{count}MS"
        return f"{count}ME" if times.is_month_end.all() else None
    if usual == DAY and len(times) > WEEKDAYS and (times.day_of_week < WEEKDAYS).all():
        return BUSINESS_DAYS
    if usual % DAY == pd.Timedelta(0):
        return "D" if usual == DAY else f"{usual // DAY}D"
    frequency: str = to_offset(usual).freqstr
    return frequency


def season_of(frequency: str, step: pd.Timedelta) -> int:
    """Return the steps of the cycle that series of a frequency mostly have, 1 where there is none.

    The year for steps of a week or more, the week for days, the day for steps from five minutes on, and the hour or the
    minute for shorter ones.
    """
    if frequency == BUSINESS_DAYS:
        return WEEKDAYS
    if step >= 7 * DAY:
        return max(1, round(YEAR / step))
    for cycle, shortest in ((7 * DAY, DAY), (DAY, 5 * MINUTE), (HOUR, MINUTE), (MINUTE, pd.Timedelta(0))):
        if step >= shortest:
            return int(cycle / step) if cycle % step == pd.Timedelta(0) else 1
    raise AssertionError(f"a step of {step} is shorter than none")
