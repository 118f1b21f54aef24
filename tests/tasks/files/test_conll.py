"""Tagged words are read from CoNLL files and lines of JSON: checked, put into BIO, split by documents."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from bench_tasks.files.labelled import LabelledTask
from bench_tasks.opening import guess_family, open_task

from bench.column import Ragged
from bench.config.data import DataSpec
from bench.domains.options import DataOptions
from bench.domains.text.raw import Texts
from bench.errors import DataError
from bench.runtime.cache import Cache
from bench.targets.tags import Tags
from tests.toys import groups_of

Open = Callable[..., LabelledTask]


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Return how to open what lies in the working directory."""
    monkeypatch.chdir(tmp_path)

    def open_it(address: str = "conll:news.txt", **options: object) -> LabelledTask:
        spec = DataSpec("text_classification", address, DataOptions.model_validate(options))
        task = open_task("mine", spec, Cache(tmp_path / "kept"))
        assert isinstance(task, LabelledTask)
        return task

    return open_it


def write(*sentences: str, place: str = "news.txt") -> None:
    """Write sentences of words, each with its tag after a slash."""
    blocks = ["\n".join(pair.replace("/", " NN ") for pair in sentence.split()) for sentence in sentences]
    Path(place).write_text("\n\n".join(blocks) + "\n")


def tagged(task: LabelledTask) -> dict[str, str]:
    """Return each sentence by its name, as `write` takes it."""
    assert isinstance(task.target, Tags)
    found = {}
    split = task.split(0, Cache(Path("kept")))
    for part in (split.train, split.test):
        column = part.labels["tag"]
        assert isinstance(part.raw, Texts)
        assert isinstance(column, Ragged)
        assert part.raw.words is not None
        assert part.names is not None
        for row, (name, words) in enumerate(zip(part.names, part.raw.words, strict=True)):
            tags = [task.target.names[tag] for tag in column.of("tag", row)]
            found[name] = " ".join(f"{word}/{tag}" for word, tag in zip(words, tags, strict=True))
    return found


BIO = ("Ann/B-PER Lee/I-PER ran/O", "Rome/B-LOC Bonn/B-LOC", "so/O", "Bo/B-PER")


def test_words_have_the_first_column_and_tags_the_last(opened: Open) -> None:
    write(*BIO)
    task = opened(test="one")
    assert task.target == Tags(("O", "B-LOC", "B-PER", "I-PER"))
    assert tagged(task) == dict(zip(("line 1", "line 5", "line 8", "line 10"), BIO, strict=True))
    assert "4 texts with 7 words and 2 kinds of entities (LOC, PER)" in task.card.description
    assert task.card.remarks == ()


def test_tags_in_iob1_are_read_as_bio_and_told(opened: Open) -> None:
    write("Ann/I-PER Lee/I-PER ran/O", "Rome/I-LOC Bonn/B-LOC", "so/O", "Bo/I-PER")
    task = opened(test="one")
    assert list(tagged(task).values()) == list(BIO) or set(tagged(task).values()) == set(BIO)
    assert task.card.remarks == ("tags were in IOB1, and are read as BIO: 3 entities began with I-",)
    write(*BIO)
    assert opened(test="one").card.sha256 == task.card.sha256


def test_an_entity_that_does_not_begin_is_refused_with_its_line(opened: Open) -> None:
    write("Ann/B-PER Lee/I-PER ran/O", "in/O Rome/I-LOC", "so/O")
    with pytest.raises(DataError, match=r"in BIO.*news.txt line 6: I-LOC after O; write B- there"):
        opened()
    write("Ann/B-PER Lee/I-LOC ran/O", "so/O")
    with pytest.raises(DataError, match=r"news.txt line 2: I-LOC after B-PER"):
        opened()


def test_tags_of_another_scheme_and_words_without_any_are_refused_or_left_out(opened: Open) -> None:
    write(*BIO, "a/O b/S-PER", "c")
    with pytest.raises(DataError) as refused:
        opened()
    assert "line 12 has the tag 'S-PER' in line 13: expected O, B-KIND or I-KIND" in str(refused.value)
    assert "line 15 has a word without a tag in line 15" in str(refused.value)
    assert len(tagged(opened(skip_bad=True))) == 4


def test_documents_are_on_one_side(opened: Open) -> None:
    documents = [f"-DOCSTART-/O\n\nw{number}/B-PER\n\nso{number}/O\n" for number in range(8)]
    Path("news.txt").write_text("".join(documents).replace("/", " "))
    task = opened()
    split = task.split(0, Cache(Path("kept")))
    assert split.train.groups is not None
    assert split.test.groups is not None
    groups = Counter([*split.train.groups.tolist(), *split.test.groups.tolist()])
    assert groups == {f"news.txt document {number}": 2 for number in range(1, 9)}
    assert (len(split.train), len(split.test)) == (12, 4)
    assert "-DOCSTART-" not in "".join(tagged(task).values())


def test_one_document_is_split_by_sentences(opened: Open) -> None:
    write("-DOCSTART-/O", *BIO)
    split = opened(test="one").split(0, Cache(Path("kept")))
    assert split.train.groups is None
    assert (len(split.train), len(split.test)) == (3, 1)


def test_texts_are_each_tested_once_in_whole_documents(opened: Open) -> None:
    write(
        *(
            line
            for number in range(10)
            for line in ("-DOCSTART-/O", f"Ann{number}/B-PER ran/O", f"in/O Rome{number}/B-LOC")
        )
    )
    task = opened()
    splits = [task.split(fold, Cache(Path("kept"))) for fold in range(5)]
    assert task.card.folds == 5
    tested = [name for split in splits if split.test.names is not None for name in split.test.names.tolist()]
    assert len(set(tested)) == len(tested) == 20
    for split in splits:
        assert len(set(groups_of(split.test))) == 2
        assert not set(groups_of(split.train)) & set(groups_of(split.test))


def test_two_files_are_learnt_from_and_tested_on(opened: Open) -> None:
    write(*BIO, place="train.txt")
    write("Eve/B-PER", place="test.txt")
    split = opened("conll:train.txt,test.txt").split(0, Cache(Path("kept")))
    assert split.train.names is not None
    assert split.test.names is not None
    assert split.test.names.tolist() == ["test.txt line 1"]
    assert split.train.names.tolist()[0] == "train.txt line 1"


def test_lines_of_json_are_read_without_being_told_so(opened: Open) -> None:
    write(*BIO)
    records = [[pair.split("/") for pair in sentence.split()] for sentence in BIO]
    lines = [json.dumps({"tokens": [a for a, _ in one], "tags": [b for _, b in one]}) for one in records]
    Path("news.jsonl").write_text("\n".join(lines) + "\n")
    assert opened("csv:news.jsonl").card.sha256 == opened("conll:news.jsonl").card.sha256 == opened().card.sha256
    assert guess_family("csv:news.jsonl", {}, Cache(Path("kept"))) == "text_classification"
    assert guess_family("conll:news.txt", {}, Cache(Path("kept"))) == "text_classification"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "line 1 is not JSON"),
        ("[]", "line 1 is no JSON object"),
        ('{"tokens": ["a"], "tags": [1]}', "line 1 has no list of strings as its tags"),
        ('{"tokens": [], "tags": []}', "line 1 has no list of strings as its tokens"),
        ('{"tokens": ["a", "b"], "tags": ["O"]}', "line 1 has 2 tokens but 1 tags"),
        ('{"tokens": [" "], "tags": ["O"]}', "line 1 has a word of nothing but spaces"),
        ('{"tokens": ["a"], "tags": ["PER"]}', "line 1 has the tag 'PER'"),
    ],
)
def test_lines_of_json_that_cannot_be_used_are_told(line: str, said: str, opened: Open) -> None:
    Path("news.jsonl").write_text(line + "\n")
    with pytest.raises(DataError, match=said):
        opened("conll:news.jsonl")


def test_what_is_no_tagged_text_is_refused(opened: Open) -> None:
    with pytest.raises(DataError, match="there is no file"):
        opened()
    write("so/O", "no/O")
    with pytest.raises(DataError, match="no word of the texts is in an entity"):
        opened()
    with pytest.raises(DataError, match="no other target"):
        opened(target="value")
    with pytest.raises(DataError, match="label does not apply"):
        opened(label="tag")
