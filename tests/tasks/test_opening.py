"""What data are of is told by what is said of them, by columns and by files; what cannot be told is asked."""

import json
from pathlib import Path

import pandas as pd
import pytest
from bench_tasks.opening import guess_family

from bench.errors import DataError
from bench.runtime.cache import Cache


def guessed(address: str, folder: Path, **said: object) -> str:
    return guess_family(address, said, Cache(folder / "cache"))


def table(path: Path, columns: dict[str, list[object]]) -> str:
    frame = pd.DataFrame(columns)
    match path.suffix:
        case ".parquet":
            frame.to_parquet(path)
        case ".jsonl":
            path.write_text("".join(json.dumps(row) + "\n" for row in frame.to_dict("records")))
        case suffix:
            frame.to_csv(path, index=False, sep="\t" if suffix == ".tsv" else ",")
    return f"csv:{path}"


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet", ".jsonl"])
@pytest.mark.parametrize(
    ("columns", "family"),
    [
        ({"text": ["good"], "label": ["yes"]}, "text_classification"),
        ({"title": ["good"], "label": ["yes"]}, "text_classification"),
        ({"image": ["a.png"], "label": ["yes"]}, "image_classification"),
        ({"audio": ["a.wav"], "label": ["yes"]}, "audio_classification"),
        ({"ds": ["2024-01-01"], "y": [1.5]}, "forecasting"),
    ],
)
def test_the_columns_of_a_table_tell_its_family(
    suffix: str, columns: dict[str, list[object]], family: str, tmp_path: Path
) -> None:
    assert guessed(table(tmp_path / f"a{suffix}", columns), tmp_path) == family


@pytest.mark.parametrize(
    ("said", "family"),
    [
        ({"text": "body"}, "text_classification"),
        ({"label": "queue"}, "text_classification"),
        ({"image": "photo", "label": "queue"}, "image_classification"),
        ({"audio": "voice"}, "audio_classification"),
        ({"horizon": 3}, "forecasting"),
    ],
)
def test_columns_that_are_named_tell_it_whatever_they_are_called(
    said: dict[str, object], family: str, tmp_path: Path
) -> None:
    columns: dict[str, list[object]] = {"body": ["a"], "queue": ["b"], "photo": ["c"], "voice": ["d"]}
    assert guessed(table(tmp_path / "a.csv", columns), tmp_path, **said) == family


def test_a_header_is_read_with_any_separator_and_in_the_encoding_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text;label\ncafé;1\n", encoding="utf-16")
    assert guessed(f"csv:{tmp_path}/a.csv", tmp_path, encoding="utf-16") == "text_classification"
    with pytest.raises(DataError, match="there is no encoding 'latin9000'"):
        guessed(f"csv:{tmp_path}/a.csv", tmp_path, encoding="latin9000")


@pytest.mark.parametrize(("file", "family"), [("a/1.PNG", "image"), ("a/b/1.flac", "audio")])
def test_the_first_files_of_a_folder_tell_it(file: str, family: str, tmp_path: Path) -> None:
    (tmp_path / "data" / file).parent.mkdir(parents=True)
    (tmp_path / "data" / "licence.txt").touch()
    (tmp_path / "data" / file).touch()
    assert guessed(f"folder:{tmp_path}/data", tmp_path) == f"{family}_classification"


def test_a_few_other_files_among_them_do_not_change_it(tmp_path: Path) -> None:
    (tmp_path / "data" / "song").mkdir(parents=True)
    for file in ("cover.jpg", "first.flac", "second.flac", "words.txt"):
        (tmp_path / "data" / "song" / file).touch()
    assert guessed(f"folder:{tmp_path}/data", tmp_path) == "audio_classification"


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("hf:stanfordnlp/sst2", "say with --family what this is: image_classification, text_classification"),
        ("folder:photos.zip", "neither a picture nor a recording in photos.zip"),
        ("csv:none.csv", "there is no file none.csv"),
        ("csv:none.parquet", "there is no file none.parquet"),
        ("csv:notes.txt", r"no table that can be read: expected a name that ends in \.csv"),
    ],
)
def test_what_cannot_be_told_is_asked(address: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=said):
        guessed(address, tmp_path)
