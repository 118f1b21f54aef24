"""Data sets of the Hugging Face hub, in a folder or in its cache, are read by its own library."""

import io
import json
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest
import soundfile
from bench_tasks.files.found import Found
from bench_tasks.hubs import hf_columns, hf_data, kept
from bench_tasks.hubs.kept import KeptTask
from bench_tasks.hubs.located import Located, Stamp
from bench_tasks.opening import open_task
from PIL import Image

from bench.card import ScoredUnits
from bench.config.data import DataSpec
from bench.domains.audio.files import AudioFiles
from bench.domains.contract import FileReader
from bench.domains.options import DataOptions
from bench.domains.text.raw import Texts
from bench.domains.vision.files import ImageFiles
from bench.errors import DataError
from bench.files import changes
from bench.files.embedded import Embedded
from bench.files.stored import Finding
from bench.runtime.cache import Cache
from bench.targets.classes import Classes
from bench.task import Task
from tests.formats import put_in_hub_cache, write_parquet, write_sst2
from tests.offline import cut_network
from tests.toys import classes_of, groups_of

SENTIMENTS = datasets.ClassLabel(names=["negative", "positive"])


@pytest.fixture(autouse=True)
def hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make an empty cache for the library, without a network and without its progress bars."""
    for switch in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE"):
        monkeypatch.delenv(switch, raising=False)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "hf")
    datasets.disable_progress_bars()
    cut_network(monkeypatch)
    return tmp_path / "hf"


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


def open_by_name(place: object, cache: Cache, family: str = "text_classification", **options: object) -> Task:
    return open_task("named", DataSpec(family, f"hf:{place}", DataOptions.model_validate(options)), cache)


@pytest.fixture
def sst2(tmp_path: Path) -> Path:
    """Write a repository like SST-2's."""
    return write_sst2(tmp_path / "sst2")


def test_hidden_test_labels_are_not_used_and_the_validation_split_is_tested_on(sst2: Path, cache: Cache) -> None:
    task = open_by_name(sst2, cache, text="sentence")
    split = task.split(0, cache)
    assert isinstance(task.target, Classes)
    assert task.target.names == ("negative", "positive")
    assert (len(split.train), len(split.test), task.card.n_train) == (20, 6, 20)
    assert isinstance(split.test.raw, Texts)
    assert split.test.raw.strings[:2] == ("sentence 0 of validation", "sentence 1 of validation")
    assert classes_of(split.test).tolist() == [0, 1, 0, 1, 0, 1]
    assert task.card.remarks == (
        "the labels of its split 'test' are hidden, so that it is not used",
        "its split 'validation' is the one that is tested on",
    )


def test_what_is_in_the_hubs_cache_needs_no_network(sst2: Path, cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    put_in_hub_cache(sst2, "stanfordnlp/sst2")
    shutil.rmtree(sst2)
    tried = cut_network(monkeypatch)
    task = open_by_name("stanfordnlp/sst2", cache, text="sentence")
    again = open_by_name("stanfordnlp/sst2", cache, text="sentence")
    assert isinstance(again, KeptTask)
    assert again.card == task.card
    assert len(again.split(0, cache).train) == 20
    assert task.card.title == "SST-2"
    assert "Socher" in task.card.citation
    assert tried == []


def test_without_a_network_one_sentence_says_so_within_seconds(hub_cache: Path, cache: Cache) -> None:
    start = time.monotonic()
    with pytest.raises(DataError) as caught:
        open_by_name("stanfordnlp/sst2", cache, text="sentence")
    said = str(caught.value)
    assert f"hf:stanfordnlp/sst2 is not in {hub_cache}, and the hub does not answer: run `bench fetch" in said
    assert "\n" not in said
    assert time.monotonic() - start < 5


@pytest.mark.parametrize("switch", ["HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE"])
def test_nothing_is_tried_if_the_user_is_offline(cache: Cache, monkeypatch: pytest.MonkeyPatch, switch: str) -> None:
    tried = cut_network(monkeypatch)
    monkeypatch.setenv(switch, "1")
    with pytest.raises(DataError, match=f"is not in .*, and {switch} is set"):
        open_by_name("stanfordnlp/sst2", cache)
    assert tried == []


def test_a_test_split_with_labels_is_tested_on_and_validation_is_left_alone(tmp_path: Path, cache: Cache) -> None:
    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.Value("string")})
    splits = {
        split: {"text": [f"{split} {row}" for row in range(8)], "label": ["spam", "ham"] * 4}
        for split in ("train", "validation", "test")
    }
    task = open_by_name(write_parquet(tmp_path / "mail", splits, features), cache)
    assert isinstance(task.target, Classes)
    assert task.target.names == ("ham", "spam")
    assert task.card.remarks == ("its split 'validation' is not used",)
    raw = task.split(0, cache).test.raw
    assert isinstance(raw, Texts)
    assert raw.strings[0] == "test 0"


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_a_folder_of_one_file_is_split_by_us(tmp_path: Path, cache: Cache, suffix: str) -> None:
    folder = tmp_path / "tickets"
    folder.mkdir()
    rows = [{"body": f"ticket {row}", "queue": row % 3} for row in range(30)]
    if suffix == "csv":
        (folder / "tickets.csv").write_text("body,queue\n" + "".join(f"{row['body']},{row['queue']}\n" for row in rows))
    else:
        (folder / "tickets.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    split = open_by_name(folder, cache, text="body", label="queue", test_share=0.4).split(0, cache)
    assert np.bincount(classes_of(split.test)).tolist() == [4, 4, 4]
    assert (len(split.train), len(split.test)) == (18, 12)


def test_a_folder_whose_files_change_is_another_data_set(tmp_path: Path, cache: Cache) -> None:
    folder = tmp_path / "tickets"
    folder.mkdir()
    table = "text,label\n" + "".join(f"ticket {row},{'ab'[row % 2]}\n" for row in range(20))
    (folder / "tickets.csv").write_text(table)
    before = open_by_name(folder, cache).card.sha256
    assert open_by_name(folder, cache).card.sha256 == before
    (folder / "tickets.csv").write_text(table.replace("ticket 7", "ticket seven"))
    assert open_by_name(folder, cache).card.sha256 != before


def write_tickets(folder: Path, word: str) -> None:
    folder.mkdir(exist_ok=True)
    rows = [f"ticket {row} {word},{'ab'[row % 2]}\n" for row in range(20)]
    (folder / "tickets.csv").write_text("text,label\n" + "".join(rows))


def test_a_card_of_data_that_change_while_they_are_read_is_not_kept_for_what_they_are_then(
    tmp_path: Path, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tickets(tmp_path / "tickets", "lost")
    read = hf_data.read

    def read_and_change(spec: DataSpec, located: Located, cache: Cache) -> Found:
        found = read(spec, located, cache)
        write_tickets(tmp_path / "tickets", "late")
        return found

    with monkeypatch.context() as patch:
        patch.setattr(hf_data, "read", read_and_change)
        before = open_by_name(tmp_path / "tickets", cache)
    now = open_by_name(tmp_path / "tickets", cache)
    assert not isinstance(now, KeptTask)
    assert now.card.sha256 != before.card.sha256
    assert isinstance(now.split(0, cache).test.raw, Texts)


def test_after_a_kept_card_turned_out_to_be_wrong_the_data_are_looked_at(
    tmp_path: Path, hub_cache: Path, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "stamp", lambda root: Stamp("of a clock that stands still", 0))
    write_tickets(tmp_path / "tickets", "lost")
    open_by_name(tmp_path / "tickets", cache)
    [table] = hub_cache.rglob("*.arrow")
    table.write_bytes(table.read_bytes().replace(b"lost", b"late"))
    stale = open_by_name(tmp_path / "tickets", cache)
    assert isinstance(stale, KeptTask)
    with pytest.raises(DataError, match=r"changed since it was looked at: give the same command once more$"):
        stale.split(0, cache)
    again = open_by_name(tmp_path / "tickets", cache)
    assert again.card.sha256 != stale.card.sha256
    again.split(0, cache)


@pytest.mark.parametrize("hours", [0, 1], ids=["a moment ago", "an hour ago"])
def test_pictures_of_a_table_that_changed_a_moment_ago_are_examined_again(
    hours: int, tmp_path: Path, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    examined: list[Embedded] = []
    look = hf_columns._look

    def counted(reader: FileReader, cell: Embedded) -> Finding:
        examined.append(cell)
        return look(reader, cell)

    monkeypatch.setattr(hf_columns, "_look", counted)
    monkeypatch.setattr(changes, "time_ns", lambda: time.time_ns() + hours * 3_600 * 10**9)
    folder = with_media(tmp_path, "image", datasets.Image(), [picture(seed) for seed in range(8)])
    open_by_name(folder, cache, "image_classification")
    assert len(examined) == 8
    open_by_name(folder, cache, "image_classification").split(0, cache)
    assert len(examined) == (8 if hours else 16)


def picture(seed: int) -> bytes:
    file = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (6 + seed % 2, 5, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def recording(seed: int, rate_hz: int, kind: str = "FLAC") -> bytes:
    file = io.BytesIO()
    samples = np.random.default_rng(seed).integers(-9_000, 9_000, rate_hz // 2, dtype=np.int16)
    soundfile.write(file, samples, rate_hz, format=kind)
    return file.getvalue()


def with_media(tmp_path: Path, column: str, feature: object, files: Sequence[bytes]) -> Path:
    features = datasets.Features({column: feature, "label": datasets.ClassLabel(names=["cat", "dog"])})
    half = len(files) // 2
    splits = {
        split: {
            column: [{"bytes": file, "path": None} for file in part],
            "label": [row % 2 for row in range(len(part))],
        }
        for split, part in (("train", files[:half]), ("test", files[half:]))
    }
    return write_parquet(tmp_path / "media", splits, features)


def test_pictures_in_cells_are_decoded_when_they_are_looked_at(tmp_path: Path, cache: Cache) -> None:
    files = [picture(seed) for seed in range(8)]
    folder = with_media(tmp_path, "img", datasets.Image(), files)
    task = open_by_name(folder, cache, "image_classification", image="img")
    raw = open_by_name(folder, cache, "image_classification", image="img").split(0, cache).test.raw
    assert isinstance(raw, ImageFiles)
    for seen, file in zip(raw.pictures(), files[4:], strict=True):
        np.testing.assert_array_equal(seen, np.asarray(Image.open(io.BytesIO(file))))
    few = raw.take(np.array([2, 0]))
    np.testing.assert_array_equal(next(few.pictures()), np.asarray(Image.open(io.BytesIO(files[6]))))
    assert task.card.domain == "vision"


def test_recordings_in_cells_are_decoded_by_soundfile_and_resampled(tmp_path: Path, cache: Cache) -> None:
    folder = with_media(tmp_path, "audio", datasets.Audio(), [recording(seed, 8_000) for seed in range(8)])
    raw = open_by_name(folder, cache, "audio_classification", seconds=1.0).split(0, cache).train.raw
    assert isinstance(raw, AudioFiles)
    waveforms = raw.waveforms()
    assert (waveforms.samples.shape, waveforms.rate_hz) == ((4, 16_000), 16_000)
    assert np.abs(waveforms.samples[:, :3_990]).max() == 0 < np.abs(waveforms.samples[:, 4_010:11_990]).max()


def test_a_recording_that_is_cut_off_is_named(tmp_path: Path, cache: Cache) -> None:
    files = [recording(seed, 8_000, "WAV") for seed in range(8)]
    files[1] = files[1][:-1_000]
    folder = with_media(tmp_path, "audio", datasets.Audio(), files)
    with pytest.raises(DataError, match="one row that cannot be used: row 1 of train is truncated"):
        open_by_name(folder, cache, "audio_classification", seconds=1.0)


def test_a_damaged_picture_is_named_and_left_out_if_asked_to(tmp_path: Path, cache: Cache) -> None:
    files = [picture(seed) for seed in range(8)]
    files[1] = files[1][:90]
    folder = with_media(tmp_path, "image", datasets.Image(), files)
    with pytest.raises(DataError, match="one row that cannot be used: row 1 of train is damaged or truncated"):
        open_by_name(folder, cache, "image_classification")
    task = open_by_name(folder, cache, "image_classification", skip_bad=True)
    assert task.card.n_train == 3
    assert len(task.split(0, cache).train) == 3


def test_rows_without_a_label_are_left_out_and_counted(tmp_path: Path, cache: Cache) -> None:
    features = datasets.Features({"text": datasets.Value("string"), "label": SENTIMENTS})
    rows: dict[str, Any] = {
        "text": [f"text {row}" for row in range(12)],
        "label": [-1, *(row % 2 for row in range(11))],
    }
    task = open_by_name(write_parquet(tmp_path / "snli", {"train": rows}, features), cache, test_share=0.4)
    assert "1 texts without a label left out" in task.card.remarks
    assert task.card.n_train == 7


def test_groups_in_a_column_stay_on_one_side(tmp_path: Path, cache: Cache) -> None:
    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.Value("string"), "author": datasets.Value("int32")}
    )
    rows: dict[str, Any] = {
        "text": [f"text {row}" for row in range(24)],
        "label": ["spam", "ham"] * 12,
        "author": [row // 4 for row in range(24)],
    }
    folder = write_parquet(tmp_path / "letters", {"train": rows}, features)
    split = open_by_name(folder, cache, group="author", held_out=["2", "5"]).split(0, cache)
    assert (set(groups_of(split.train)), set(groups_of(split.test))) == ({"0", "1", "3", "4"}, {"2", "5"})
    with pytest.raises(DataError, match=r"no column 'auther'; did you mean 'author'\?"):
        open_by_name(folder, cache, group="auther")


def test_a_column_says_what_is_scored_as_one(tmp_path: Path, cache: Cache) -> None:
    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.Value("string"), "author": datasets.Value("int32")}
    )
    rows: dict[str, Any] = {
        "text": [f"text {row}" for row in range(24)],
        "label": ["spam" if row // 4 % 2 else "ham" for row in range(24)],
        "author": [row // 4 for row in range(24)],
    }
    folder = write_parquet(tmp_path / "letters", {"train": rows}, features)
    task = open_by_name(folder, cache, score_by="author", held_out=["2", "5"])
    test = task.split(0, cache).test
    assert test.units is not None
    assert test.units.tolist() == ["2"] * 4 + ["5"] * 4
    assert task.card.scored == ScoredUnits(name="author", n=2, examples=8, combined="mean")
    with pytest.raises(
        DataError, match=r"no column 'auther'; did you mean 'author'\?.*say which is meant with score_by"
    ):
        open_by_name(folder, cache, score_by="auther")


@pytest.mark.parametrize("option", ["group", "score_by"])
@pytest.mark.parametrize("nothing", [None, "", "  "])
def test_a_row_without_a_group_is_named_and_left_out_if_asked_to(
    option: str, nothing: str | None, tmp_path: Path, cache: Cache
) -> None:
    features = datasets.Features({name: datasets.Value("string") for name in ("text", "label", "author")})
    rows: dict[str, Any] = {
        "text": [f"text {row}" for row in range(24)],
        "label": ["spam" if row // 4 % 2 else "ham" for row in range(23)] + [None],
        "author": ["a0", nothing, *(f"a{row // 4}" for row in range(2, 23)), nothing],
    }
    folder = write_parquet(tmp_path / "letters", {"train": rows}, features)
    with pytest.raises(DataError, match="one row that cannot be used: row 1 of train has no author"):
        open_by_name(folder, cache, **{option: "author"})
    task = open_by_name(folder, cache, skip_bad=True, test_share=0.4, **{option: "author"})
    split = task.split(0, cache)
    assert set(groups_of(split.train)) | set(groups_of(split.test)) == {f"a{number}" for number in range(6)}
    assert len(split.train) + len(split.test) == 22
    assert "one row left out: row 1 of train has no author" in task.card.remarks
    assert "1 texts without a label left out" in task.card.remarks


def test_a_number_that_is_none_names_no_group(tmp_path: Path, cache: Cache) -> None:
    kinds = {"text": datasets.Value("string"), "label": datasets.Value("string"), "author": datasets.Value("float64")}
    rows: dict[str, Any] = {
        "text": [f"text {row}" for row in range(24)],
        "label": ["spam", "ham"] * 12,
        "author": [float("nan"), *(float(row // 4) for row in range(1, 24))],
    }
    folder = write_parquet(tmp_path / "letters", {"train": rows}, datasets.Features(kinds))
    with pytest.raises(DataError, match="one row that cannot be used: row 0 of train has no author"):
        open_by_name(folder, cache, group="author")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"text": "sentence", "label": "lable"}, r"no column 'lable'; did you mean 'label'\? .*label"),
        ({}, r"no column 'text' .*there are: idx, sentence, label\): say which is meant with text"),
        ({"text": "idx"}, r"column 'idx' holds Value\('int32'\), not texts: say with text which does"),
        ({"text": "sentence", "horizon": 3}, "horizon does not apply"),
        ({"text": "sentence", "config": "missing"}, "cannot read .*missing"),
    ],
    ids=["label", "text", "kind", "option", "config"],
)
def test_what_is_not_in_the_data_is_told_with_what_is(
    sst2: Path, cache: Cache, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        open_by_name(sst2, cache, **options)


def test_labels_that_are_numbers_with_fractions_are_no_classes(tmp_path: Path, cache: Cache) -> None:
    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.Value("float32")})
    rows: dict[str, Any] = {"text": ["one", "two"], "label": [0.5, 1.5]}
    with pytest.raises(DataError, match=r"column 'label' holds .*float32.*, not classes"):
        open_by_name(write_parquet(tmp_path / "scores", {"train": rows}, features), cache)


def test_a_data_set_with_code_of_its_own_is_refused_in_one_sentence(tmp_path: Path, cache: Cache) -> None:
    (tmp_path / "coded").mkdir()
    (tmp_path / "coded" / "coded.py").write_text("raise SystemExit")
    with pytest.raises(DataError, match=r"brings code of its own .* is refused"):
        open_by_name(tmp_path / "coded", cache)
