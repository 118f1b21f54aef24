"""Tables of every kind give the same text, and say where and why they cannot be read."""

import json
from pathlib import Path

import pandas as pd
import pytest

from bench.errors import DataError
from bench.files.rows import Rows, read_rows

TEXTS = ["It's fine, really.", "NA", "None", 'He said "no"\nand left', "naïve \U0001f642"]
LABELS = ["0", "1", "1.0", "NaN", "null"]


def read(path: Path, *columns: str, encoding: str = "utf-8") -> Rows:
    return read_rows(path, columns or ("text", "label"), encoding)


def write_table(path: Path) -> None:
    frame = pd.DataFrame({"label": LABELS, "other": range(5), "text": TEXTS})
    if path.suffix == ".parquet":
        frame.to_parquet(path)
    elif path.suffix == ".jsonl":
        frame.to_json(path, orient="records", lines=True)
    else:
        frame.to_csv(path, index=False, sep="\t" if path.suffix == ".tsv" else ",")


@pytest.mark.parametrize("suffix", ["csv", "tsv", "parquet", "jsonl", "CSV"])
def test_texts_stay_as_they_are_written(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"table.{suffix}"
    write_table(path)
    rows = read(path)
    assert rows.values == {"text": TEXTS, "label": LABELS}
    assert not rows.bad


def test_numbers_are_text_and_what_is_missing_is_empty(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "a", "label": 1}\n\n{"text": null, "label": true}\n{"text": "c"}\n')
    pd.DataFrame({"text": ["a", None, "c"], "label": [1.5, 2, float("nan")]}).to_parquet(tmp_path / "a.parquet")
    lines, parquet = read(tmp_path / "a.jsonl"), read(tmp_path / "a.parquet")
    assert lines.values == {"text": ["a", "", "c"], "label": ["1", "True", ""]}
    assert lines.numbers == [1, 3, 4]
    assert parquet.values == {"text": ["a", "", "c"], "label": ["1.5", "2.0", ""]}


def test_rows_are_counted_as_spreadsheets_do(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('text,label\n"two\nlines",x\n\nthird,y\n')
    assert read(tmp_path / "a.csv").numbers == [2, 4]


def test_semicolons_and_a_byte_order_mark_are_understood(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("\ufefftext;label\nja, gut;1\n".encode())
    assert read(tmp_path / "a.csv").values == {"text": ["ja, gut"], "label": ["1"]}


def test_rows_of_another_length_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,label\nfine, really,pos\nbad,neg\nlonely\n")
    rows = read(tmp_path / "a.csv")
    assert rows.values["text"] == ["bad"]
    assert rows.bad.keys() == {2, 4}
    assert "has 3 fields instead of 2" in rows.bad[2]


def test_lines_that_are_no_records_are_told(tmp_path: Path) -> None:
    strange = [{"text": ["a"], "label": 1}, {"text": "\ud800", "label": 1}]
    lines = ['{"text": "a", "label": 1}', "{oops", "[1]", *map(json.dumps, strange)]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    bad = read(tmp_path / "a.jsonl").bad
    assert bad.keys() == {2, 3, 4, 5}
    assert bad[2].startswith("is not JSON")
    assert (bad[3], bad[4], bad[5]) == (
        "is no JSON object",
        "has no text as its text but a list",
        "has half a character in its text",
    )


def test_another_encoding_is_told_with_its_place_or_read_if_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("text,label\ncafé,1\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"is not utf-8: byte 14 \(line 2\) is 0xe9.*iconv -f windows-1252"):
        read(tmp_path / "a.csv")
    assert read(tmp_path / "a.csv", encoding="latin-1").values["text"] == ["café"]
    (tmp_path / "b.csv").write_text("text,label\ncafé,1\n", encoding="utf-16")
    with pytest.raises(DataError, match='encoding = "utf-16"'):
        read(tmp_path / "b.csv")
    with pytest.raises(DataError, match="there is no encoding 'latin9000'"):
        read(tmp_path / "a.csv", encoding="latin9000")


@pytest.mark.parametrize("suffix", ["csv", "parquet", "jsonl"])
def test_an_unknown_column_is_told_with_those_there_are(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"table.{suffix}"
    write_table(path)
    with pytest.raises(DataError, match=r"no column 'texts'; did you mean 'text'\? \(there are: label, other, text\)"):
        read(path, "texts", "label")


def test_damaged_tables_are_refused(tmp_path: Path) -> None:
    for name, content, told in (
        ("a.csv", b'text,label\n"never closed,1\n', "around line"),
        ("a.parquet", b"no parquet", "cannot read"),
        ("b.csv", b"", "is empty"),
        ("a.txt", b"text", "expected a name that ends in"),
        ("c.csv", b"text,text,label\n", "several columns named text"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError, match=told):
            read(tmp_path / name)
    with pytest.raises(DataError, match="there is no file"):
        read(tmp_path / "missing.csv")


def test_a_text_may_be_long(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f"text,label\n{'a' * 200_000},1\n")
    assert len(read(tmp_path / "a.csv").values["text"][0]) == 200_000
