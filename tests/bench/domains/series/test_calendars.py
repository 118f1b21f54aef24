"""Frequencies and seasons are found in times as people write them, with gaps or without."""

import numpy as np
import pandas as pd
import pytest

from bench.domains.series.calendars import find_calendar, is_date_column, read_times
from bench.errors import DataError


@pytest.mark.parametrize(
    ("frequency", "season"),
    [
        ("s", 60),
        ("min", 60),
        ("5min", 288),
        ("7min", 1),
        ("15min", 96),
        ("30min", 48),
        ("h", 24),
        ("D", 7),
        ("B", 5),
        ("7D", 52),
        ("MS", 12),
        ("ME", 12),
        ("3MS", 4),
        ("12MS", 1),
    ],
)
def test_frequency_and_season_are_found(frequency: str, season: int) -> None:
    times = pd.date_range("2014-02-01", periods=40, freq=frequency, unit="ns")
    assert find_calendar(times, None, "here") == (frequency, season)


@pytest.mark.parametrize("frequency", ["15min", "h", "D", "MS", "ME"])
def test_the_frequency_is_found_where_times_are_missing(frequency: str) -> None:
    times = pd.date_range("2014-02-01", periods=40, freq=frequency, unit="ns")
    calendar = find_calendar(times.delete([7, 8, 20]), None, "here")
    assert calendar.steps(times[0], times[-1]).equals(times)


def test_a_frequency_that_is_wanted_is_taken() -> None:
    times = pd.date_range("2014-02-01", periods=40, freq="h")
    assert find_calendar(times, "30min", "here") == ("30min", 48)


def test_times_without_a_plain_frequency_need_one() -> None:
    times = pd.DatetimeIndex(["2014-01-05", "2014-02-17", "2014-03-20", "2014-05-02"])
    with pytest.raises(DataError, match=r"the frequency of 4 times from 2014-01-05 .* is not plain: set `frequency`"):
        find_calendar(times, None, "here")


@pytest.mark.parametrize(
    "written",
    [
        ["2016-02-01T00:00:00Z", "2016-02-01T01:00:00Z"],
        ["2016-02-01 00:00", "2016-02-01 01:00"],
        ["02/01/2016 00:00", "02/01/2016 01:00"],
        ["01.02.2016 00:00:00", "01.02.2016 01:00:00"],
        ["2016/02/01 12:00 AM", "2016/02/01 01:00 AM"],
    ],
)
def test_dates_are_read_as_people_write_them(written: list[str]) -> None:
    times = read_times(pd.Series(written), "here")
    assert times.equals(pd.DatetimeIndex(["2016-02-01 00:00", "2016-02-01 01:00"]))


def test_days_before_months_are_told_by_even_steps() -> None:
    months = pd.date_range("2016-01-01", periods=24, freq="MS")
    assert read_times(pd.Series(months.strftime("%d/%m/%Y")), "here").equals(months)
    days = pd.Series([f"01/{day:02}/2016" for day in range(1, 13)])
    assert read_times(days, "here").equals(pd.date_range("2016-01-01", periods=12, freq="D"))


def test_words_and_numbers_are_no_dates() -> None:
    assert not is_date_column(pd.Series(["2016-01-01", "soon"]))
    assert not is_date_column(pd.Series([1.0, 2.0]))
    assert read_times(pd.Series([3, 5]), "here").tolist() == [3, 5]
    with pytest.raises(DataError, match="there are 2 that are none, the first 'soon'"):
        read_times(pd.Series(["2016-01-01", "soon", None]), "here")
    with pytest.raises(DataError, match="there are dates written in several ways"):
        read_times(pd.Series(["2016-01-01", "13/01/2016"]), "here")
    with pytest.raises(DataError, match="'h' is one of dates"):
        find_calendar(pd.Index([1, 2, 3]), "h", "here")
    with pytest.raises(DataError, match="broken numbers"):
        read_times(pd.Series([1.5, np.nan]), "here")
