"""The past of series is read from tables of several forms, and time goes on after them where it is regular."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bench.domains.options import DataOptions
from bench.domains.series.histories import History, last_values, read_histories, times_to_come
from bench.errors import DataError

PLAIN = DataOptions()


def read(folder: Path, table: pd.DataFrame, *columns: str, options: DataOptions = PLAIN) -> list[History]:
    table.to_csv(folder / "table.csv", index=False)
    return list(read_histories(folder / "table.csv", columns, options))


def test_every_column_of_numbers_is_a_series_unless_some_are_named(tmp_path: Path) -> None:
    table = pd.DataFrame({"day": ["2024-01-01", "2024-01-02"], "a": [1, 2], "note": ["x", "y"], "b": [3.5, 4]})
    assert [history.name for history in read(tmp_path, table)] == ["a", "b"]
    assert [history.name for history in read(tmp_path, table, "b")] == ["b"]
    assert [history.name for history in read(tmp_path, table, options=DataOptions(values=("a",)))] == ["a"]
    assert [history.name for history in read(tmp_path, table, options=DataOptions(values=("gone",)))] == ["a", "b"]


def test_long_tables_are_read_by_name_and_in_order_of_time(tmp_path: Path) -> None:
    days = ["2024-01-03", "2024-01-01", "2024-01-02", "2024-01-01"]
    table = pd.DataFrame({"unique_id": ["n", "n", "n", "s"], "ds": days, "y": [3.0, 1, 2, 9], "temperature": 1.0})
    north, south = read(tmp_path, table)
    assert (north.name, north.values.tolist()) == ("n", [1, 2, 3])
    assert (south.name, south.values.tolist()) == ("s", [9])
    named = table.rename(columns={"unique_id": "shop", "y": "sold"}).drop(columns="temperature")
    assert [one.name for one in read(tmp_path, named, options=DataOptions(series="shop"))] == ["n", "s"]


@pytest.mark.parametrize(
    ("times", "coming"),
    [
        (pd.date_range("2024-01-29", periods=5, freq="D").strftime("%d.%m.%Y"), ("2024-02-03", "2024-02-04")),
        (pd.date_range("2023-08-01", periods=5, freq="MS").strftime("%Y-%m-%d"), ("2024-01-01", "2024-02-01")),
        (
            pd.date_range("2024-01-01 21:00", periods=5, freq="30min").astype(str),
            ("2024-01-01 23:30:00", "2024-01-02 00:00:00"),
        ),
    ],
    ids=["days", "months", "half hours"],
)
def test_dates_go_on(times: pd.Index, coming: tuple[str, ...], tmp_path: Path) -> None:
    (history,) = read(tmp_path, pd.DataFrame({"when": times, "value": range(5)}))
    assert times_to_come(history, 2) == coming


def test_numbered_steps_go_on(tmp_path: Path) -> None:
    (history,) = read(tmp_path, pd.DataFrame({"year": [1990, 1995, 2000], "value": [1, 2, 3]}))
    assert times_to_come(history, 2) == ("2005", "2010")


def test_without_regular_times_steps_have_none(tmp_path: Path) -> None:
    (untimed,) = read(tmp_path, pd.DataFrame({"value": [3, 2, 1]}))
    assert untimed.values.tolist() == [3, 2, 1]
    assert times_to_come(untimed, 2) == ()
    stray = ["2024-01-01", "2024-01-05", "2024-03-02", "2024-03-03 12:31"]
    (irregular,) = read(tmp_path, pd.DataFrame({"when": stray, "value": [1, 2, 3, 4]}))
    assert irregular.values.tolist() == [1, 2, 3, 4]
    assert times_to_come(irregular, 2) == ()


def test_a_step_without_a_row_is_missing(tmp_path: Path) -> None:
    days = [f"2024-01-{day:02}" for day in (1, 2, 3, 4, 6, 7)]
    (history,) = read(tmp_path, pd.DataFrame({"when": days, "value": np.arange(6.0)}))
    assert last_values(history, 2).tolist() == [4, 5]
    with pytest.raises(DataError, match=r"the series 'value' lacks 1 of its last 3 values.*fill them"):
        last_values(history, 3)
    with pytest.raises(DataError, match=r"has 7 values, too few: a forecast is made from 8"):
        last_values(history, 8)


@pytest.mark.parametrize(
    ("table", "columns", "message"),
    [
        ({"day": ["2024-01-01"], "a": [1]}, ["b"], r"has no column 'b' \(there are: day, a\)"),
        ({"day": ["2024-01-01"], "north": [1]}, ["nort"], r"did you mean 'north'\?"),
        ({"day": ["2024-01-01"], "a": ["x"]}, [], "has no column of numbers to forecast"),
        ({"day": ["2024-01-01"], "a": ["x"]}, ["a"], "the column 'a' is to hold numbers, but: .*x"),
        ({"day": ["2024-01-01"] * 2, "a": [1, 2]}, [], "times of the series 'a' come twice, the first 2024-01-01"),
        ({"unique_id": ["n"], "a": [1], "b": [2]}, [], "say with --column which of a, b"),
    ],
)
def test_a_table_that_cannot_be_used_says_why(
    table: dict[str, list[object]], columns: list[str], message: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=message):
        read(tmp_path, pd.DataFrame(table), *columns)


def test_a_file_that_is_no_table_says_so(tmp_path: Path) -> None:
    for content, said in (
        (b"", "is empty"),
        (b"a,b\n1,2\n1,2,3\n", "Expected 2 fields in line 3, saw 3$"),
        (b"\xff\xfe\x00", "is not UTF-8: byte 0 is 0xff"),
    ):
        (tmp_path / "table.csv").write_bytes(content)
        with pytest.raises(DataError, match=rf"table\.csv.*{said}"):
            list(read_histories(tmp_path / "table.csv", (), PLAIN))
