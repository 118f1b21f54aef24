"""Tables of texts become tasks, split by a column, by files or by us, and what is wrong with them is told."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from bench_tasks.files.labelled import LabelledTask
from bench_tasks.files.table import open_table
from PIL import Image

from bench.config.data import DataSpec
from bench.domains.audio.files import AudioFiles
from bench.domains.options import DataOptions
from bench.domains.text.raw import Texts
from bench.domains.vision.files import ImageFiles
from bench.errors import DataError
from bench.runtime.cache import Cache
from bench.targets.classes import Classes
from bench.task import fingerprint
from tests.toys import classes_of, groups_of

Open = Callable[..., LabelledTask]


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Return how to open a table in the working directory with options."""
    monkeypatch.chdir(tmp_path)

    def open_it(place: str = "table.csv", family: str = "text_classification", **options: object) -> LabelledTask:
        spec = DataSpec(family, f"csv:{place}", DataOptions.model_validate(options))
        return open_table("mine", spec, Cache(tmp_path / "kept"))

    return open_it


def write(place: str, *rows: tuple[str, ...], header: str = "text,label") -> None:
    Path(place).write_text("\n".join([header, *(",".join(row) for row in rows)]) + "\n", encoding="utf-8")


def tickets(count: int = 8, labels: tuple[str, ...] = ("bill", "fault")) -> list[tuple[str, str]]:
    return [(f"{label} number {number}", label) for number in range(count) for label in labels]


def sides(task: LabelledTask) -> tuple[set[str], set[str]]:
    split = task.split(0, Cache(Path("kept")))
    assert isinstance(split.train.raw, Texts)
    assert isinstance(split.test.raw, Texts)
    return set(split.train.raw.strings), set(split.test.raw.strings)


def names_of(task: LabelledTask) -> tuple[str, ...]:
    assert isinstance(task.target, Classes)
    return task.target.names


@pytest.mark.parametrize("suffix", ["csv", "tsv", "parquet", "jsonl"])
def test_every_kind_of_table_is_the_same_task(suffix: str, opened: Open) -> None:
    frame = pd.DataFrame(tickets(), columns=["text", "label"])
    frame.to_csv("table.csv", index=False)
    frame.to_csv("table.tsv", index=False, sep="\t")
    frame.to_parquet("table.parquet")
    frame.to_json("table.jsonl", orient="records", lines=True)
    task = opened(f"table.{suffix}")
    assert task.card.sha256 == opened().card.sha256
    assert (task.card.domain, task.card.n_train, names_of(task)) == ("text", 12, ("bill", "fault"))
    assert "16 texts of 2 classes (bill, fault): dealt into 5 folds." in task.card.description
    assert task.card.source == f"csv:table.{suffix}"


def test_loading_is_the_same_twice_with_int64_labels(opened: Open) -> None:
    write("table.csv", *tickets())
    one, other = (opened().split(0, Cache(Path("kept"))) for _ in range(2))
    assert fingerprint(one) == fingerprint(other)
    assert classes_of(one.train).dtype == np.int64
    assert np.bincount(classes_of(one.test)).tolist() == [2, 2]


def test_examples_are_named_by_their_rows_on_both_sides(opened: Open) -> None:
    write("table.csv", *tickets())
    split = opened().split(0, Cache(Path("kept")))
    assert split.train.names is not None
    assert split.test.names is not None
    assert {*split.train.names, *split.test.names} == {f"row {number}" for number in range(2, 18)}
    for part in (split.train, split.test):
        assert isinstance(part.raw, Texts)
        for name, text in zip(part.names, part.raw.strings, strict=True):  # type: ignore[arg-type]
            assert tickets()[int(name.removeprefix("row ")) - 2][0] == text


def test_numbers_are_labels_as_they_are_written(opened: Open) -> None:
    write("table.csv", *tickets(labels=("0", "1", "10", "1.0")))
    assert names_of(opened()) == ("0", "1", "1.0", "10")


def test_other_columns_are_named_by_options(opened: Open) -> None:
    write("table.csv", *tickets(), header="body,kind")
    assert opened(text="body", label="kind").card.n_train == 12
    with pytest.raises(DataError, match=r"no column 'bodi'; did you mean 'body'\? \(there are: body, kind\)"):
        opened(text="bodi", label="kind")


def test_a_column_says_the_split_in_any_case_and_validation_is_not_used(opened: Open) -> None:
    parts = ("Train", "TRAIN", "test", "valid")
    rows = [(f"{label} {number}", label, parts[number % 4]) for label in ("a", "b") for number in range(8)]
    write("table.csv", *rows, header="text,label,part")
    task = opened(split="part")
    train, test = sides(task)
    assert train == {text for text, _, part in rows if part.lower() == "train"}
    assert test == {text for text, _, part in rows if part == "test"}
    assert task.card.remarks == ("4 rows of the validation split are not used",)
    assert "as its column 'part' says" in task.card.description


def test_validation_rows_are_tested_on_where_no_others_are(opened: Open) -> None:
    write(
        "table.csv",
        *[(*row, "train") for row in tickets()],
        *[(f"v{t}", x, "val") for t, x in tickets(2)],
        header="text,label,split",
    )
    assert sides(opened(split="split"))[1] == {f"v{text}" for text, _ in tickets(2)}


def test_a_split_column_that_says_something_else_is_refused(opened: Open) -> None:
    write("table.csv", ("x", "a", "train"), ("y", "b", "tset"), header="text,label,split")
    with pytest.raises(DataError, match="column 'split' says 'tset'; expected dev, test"):
        opened(split="split")
    write("table.csv", *[(*row, "train") for row in tickets()], header="text,label,split")
    with pytest.raises(DataError, match="there are no texts to test on"):
        opened(split="split")


def test_two_tables_are_train_and_test(opened: Open) -> None:
    write("train.csv", *tickets())
    write("test.csv", *[(f"other {text}", label) for text, label in tickets(2)])
    train, test = sides(opened("train.csv,test.csv"))
    assert (len(train), len(test)) == (16, 4)
    write("test.csv", ("", "bill"))
    with pytest.raises(DataError, match=r"test\.csv row 2 has no text"):
        opened("train.csv,test.csv")
    for place in ("train.csv,test.csv,val.csv", "train.csv,train.csv"):
        with pytest.raises(DataError, match="expected one table; or two"):
            opened(place)


def test_groups_are_kept_whole(opened: Open) -> None:
    rows = [(f"{site} {label} {n}", label, site) for site in "uvwxyz" for label in ("a", "b") for n in range(3)]
    write("table.csv", *rows, header="text,label,site")
    drawn = opened(group="site", test_share=0.34).split(0, Cache(Path("kept")))
    assert len(set(groups_of(drawn.test))) == 2
    assert not set(groups_of(drawn.test)) & set(groups_of(drawn.train))
    named = opened(group="site", held_out=("w",))
    assert sides(named)[1] == {text for text, _, site in rows if site == "w"}
    assert "those of group w" in named.card.description


def test_copies_tie_groups_together_unless_too_many(opened: Open) -> None:
    rows = [(f"{who} {label} {n}", label, who) for who in "uvwxyz" for label in ("a", "b") for n in range(3)]
    write("table.csv", *rows, ("hello", "a", "u"), ("hello", "a", "v"), header="text,label,who")
    for seed in range(4):
        groups = set(groups_of(opened(group="who", test_share=0.5, split_seed=seed).split(0, Cache(Path("kept"))).test))
        assert len(groups & {"u", "v"}) != 1
    write("table.csv", *rows, *[("hello", "a", who) for who in "uvwxyz"], header="text,label,who")
    task = opened(group="who", test_share=0.5)
    split = task.split(0, Cache(Path("kept")))
    assert (len(set(groups_of(split.train))), len(set(groups_of(split.test)))) == (3, 3)
    assert len(task.card.remarks) == 1
    assert task.card.remarks[0].startswith("of the 21 texts to test on, 3 can be learnt from, too")


def test_a_group_on_both_sides_of_a_given_split_is_refused(opened: Open) -> None:
    rows = [(text, label, "x", part) for part in ("train", "test") for text, label in tickets(2)]
    write("table.csv", *rows, header="text,label,who,split")
    with pytest.raises(DataError, match="1 of its groups are on both sides: x"):
        opened(split="split", group="who")


def test_a_class_in_one_group_is_refused(opened: Open) -> None:
    rows = [(f"{text} {who}", label, who) for who in "xy" for text, label in tickets(2)]
    write("table.csv", *rows, ("rare 1", "rare", "x"), ("rare 2", "rare", "x"), header="text,label,who")
    with pytest.raises(DataError, match=r"all examples in one group.*'rare' \(2\)"):
        opened(group="who")


def test_blank_texts_and_missing_labels_are_refused_with_their_rows_or_left_out(opened: Open) -> None:
    write("table.csv", *tickets(), ("", "bill"), ('"  "', "fault"), ("fine", ""), ("", ""), ("a", "b", "c"))
    with pytest.raises(DataError, match="5 rows that cannot be used") as refused:
        opened()
    for told in ("row 18 has no text; row 19 has no text", "row 20 has no label; row 21 has no text and no label"):
        assert told in str(refused.value)
    assert "row 22 has 3 fields instead of 2" in str(refused.value)
    task = opened(skip_bad=True)
    assert sum(map(len, sides(task))) == 16
    assert task.card.remarks[0].startswith("5 rows left out: row")


def test_copies_are_kept_on_one_side_or_told(opened: Open) -> None:
    write("table.csv", *(tickets(4) * 2))
    task = opened(test_share=0.5)
    train, test = sides(task)
    assert not train & test
    assert "copies among the texts: 8" in task.card.remarks[0]
    write("a.csv", *tickets(), ("who knows", "bill"))
    write("b.csv", *tickets(1), ("who knows", "fault"))
    assert opened("a.csv,b.csv").card.remarks == (
        (
            "of the 3 texts to test on, 3 can be learnt from, too: b.csv row 2 (as a.csv row 2); b.csv row 3 (as a.csv "
            "row 3); b.csv row 4 (as a.csv row 18)"
        ),
        "copies among the texts with different labels: 1, such as a.csv row 18 and b.csv row 4",
    )


def test_labels_that_are_probably_one_class_are_told(opened: Open) -> None:
    write("table.csv", *tickets(labels=("Dog", "dog ", "cat")))
    assert opened().card.remarks == ("labels 'Dog' and 'dog ' are probably one class",)


def test_numbers_that_are_written_in_two_ways_and_what_stands_for_nothing_are_told(opened: Open) -> None:
    write("table.csv", *tickets(labels=("1", "1.0", "NaN", "none")))
    assert opened().card.remarks == (
        "labels '1' and '1.0' are probably one class",
        "the label 'NaN' probably stands for a missing one",
    )


def test_one_class_or_none_is_refused(opened: Open) -> None:
    write("table.csv", *tickets(labels=("bill",)))
    with pytest.raises(DataError, match="at least two classes"):
        opened()
    write("table.csv")
    with pytest.raises(DataError, match="there are none"):
        opened()


def test_what_is_no_table_of_labels_is_refused(opened: Open) -> None:
    write("table.csv", *tickets())
    with pytest.raises(DataError, match="there is no file"):
        opened("nowhere.csv")
    with pytest.raises(DataError, match="names no table"):
        opened("")
    with pytest.raises(DataError, match="not for forecasting"):
        opened(family="forecasting")
    with pytest.raises(DataError, match="image does not apply to text_classification from csv"):
        opened(image="path")


def test_a_table_names_pictures_from_its_own_folder(opened: Open) -> None:
    Path("data/photos").mkdir(parents=True)
    rows = [(f"photos/{label}{n}.png", label) for label in ("ant", "bee") for n in range(4)]
    for number, (path, _) in enumerate(rows):
        Image.new("RGB", (5, 4), (number, 0, 0)).save(Path("data") / path)
    write("data/table.csv", *rows, header="image,label")
    task = opened("data/table.csv", family="image_classification")
    split = task.split(0, Cache(Path("kept")))
    assert isinstance(split.train.raw, ImageFiles)
    assert (len(split.train), len(split.test), task.card.domain) == (6, 2, "vision")
    assert {
        Path(str(path)).name[:3]
        for path, label in zip(split.train.raw.paths, classes_of(split.train), strict=True)
        if label
    } == {"bee"}
    assert len(list(split.test.raw.pictures() if isinstance(split.test.raw, ImageFiles) else ())) == 2
    write("data/table.csv", *rows, ("photos/none.png", "ant"), ("table.csv", "bee"), header="image,label")
    with pytest.raises(
        DataError, match=r"row 10 names none.png, which cannot be read.*; row 11 names table.csv, which"
    ):
        opened("data/table.csv", family="image_classification")
    assert opened("data/table.csv", family="image_classification", skip_bad=True).card.sha256 == task.card.sha256


def test_a_table_names_recordings(opened: Open) -> None:
    rows = [(f"{label}{n}.wav", label) for label in ("no", "yes") for n in range(4)]
    for number, (path, _) in enumerate(rows):
        soundfile.write(path, np.random.default_rng(number).normal(scale=0.1, size=800), 8_000)
    write("table.csv", *rows, header="audio,label")
    raw = opened(family="audio_classification", rate_hz=4_000).split(0, Cache(Path("kept"))).train.raw
    assert isinstance(raw, AudioFiles)
    assert (raw.rate_hz, raw.length) == (4_000, 400)
