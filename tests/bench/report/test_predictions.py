"""Predictions are shown in tables that fit a terminal, and as records that hold all of them."""

import numpy as np

from bench.answers import Answers
from bench.column import Array, dense
from bench.domains.contract import Source
from bench.domains.text.raw import Texts
from bench.report.predictions import as_records, as_table
from bench.targets.classes import OUTPUT, Classes
from bench.targets.forecast import LABEL, Forecast

NAMES = ("ants", "bees", "a class whose name is longer than any other class's name")
OUTPUTS = np.log(np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8]], dtype=np.float32))
RAW = Texts(("which examples they are makes no difference",))
FILES = (Source("photos/one.jpg"), Source("a/very/long/folder/of/photographs/" * 3 + "two.jpg"))


def classes(outputs: Array, top: int) -> Answers:
    return Classes(NAMES).answers(dense(**{OUTPUT: outputs}), RAW, top)


def forecasts(values: Array) -> Answers:
    return Forecast(values.shape[1]).answers(dense(**{LABEL: values}), RAW, 1)


def widths(table: str) -> set[int]:
    return {len(line) for line in table.splitlines()}


def test_a_table_of_classes_has_a_line_for_each_file_and_fits() -> None:
    table = as_table(FILES, classes(OUTPUTS, 1)).splitlines()
    assert [line.split()[0] for line in table[:2]] == ["file", "photos/one.jpg"]
    assert table[1].split()[1:] == ["ants", "0.700"]
    assert table[2].endswith("0.800")
    assert "…" in table[2]
    assert widths("\n".join(table)) == {80}


def test_the_next_classes_stand_below() -> None:
    table = as_table(FILES[:1], classes(OUTPUTS[:1], 2)).splitlines()
    assert [line.split() for line in table[1:]] == [["photos/one.jpg", "ants", "0.700"], ["bees", "0.200"]]


def test_texts_stand_for_themselves_in_one_line() -> None:
    sources = (Source("tickets.csv", row=3, text="first line\nand  second"), Source(text="given"))
    table = as_table(sources, classes(OUTPUTS, 1)).splitlines()
    assert table[0].startswith("text ")
    assert table[1].startswith("first line and second  ants")


def test_records_of_classes_say_where_from_and_how_sure() -> None:
    sources = (Source("tickets.csv", row=3, text="help"), Source("two.jpg"))
    first, second = as_records(sources, classes(OUTPUTS, 1))
    assert first == {"file": "tickets.csv", "row": 3, "text": "help", "label": "ants", "probability": 0.7}
    assert second == {"file": "two.jpg", "label": NAMES[2], "probability": 0.8}
    (several, _) = as_records(sources, classes(OUTPUTS, 9))
    assert several["top"] == [
        {"label": "ants", "probability": 0.7},
        {"label": "bees", "probability": 0.2},
        {"label": NAMES[2], "probability": 0.1},
    ]


def test_series_of_one_file_stand_side_by_side_as_far_as_they_fit() -> None:
    sources = tuple(Source("demand.csv", series=f"a shop with a name, {number}") for number in range(6))
    values = np.full((6, 3), 123.456, dtype=np.float32)
    table = as_table(sources, forecasts(values))
    assert max(widths(table)) <= 80
    blocks = table.split("\n\n")
    assert len(blocks) == 2
    for block in blocks:
        file, heading, *rows = block.splitlines()
        assert file == "demand.csv"
        assert heading.split()[0] == "step"
        assert [row.split()[0] for row in rows] == ["1", "2", "3"]
    assert table.count("123.456") == 18


def test_times_stand_before_what_is_forecast_for_them() -> None:
    sources = (Source("a.csv", series="north", times=("2024-01-02", "2024-01-03")), Source("b.csv", series="north"))
    values = np.array([[1.5, 1_000], [1e-5, 2e-5]], dtype=np.float32)
    first, second = (block.splitlines() for block in as_table(sources, forecasts(values)).split("\n\n"))
    assert [line.split() for line in first[1:]] == [
        ["time", "north"],
        ["2024-01-02", "1.50"],
        ["2024-01-03", "1000.00"],
    ]
    assert second[2].split() == ["1", "1.00000e-05"]
    assert as_records(sources, forecasts(values))[0] == {
        "file": "a.csv",
        "series": "north",
        "times": ("2024-01-02", "2024-01-03"),
        "forecast": [1.5, 1000.0],
    }
