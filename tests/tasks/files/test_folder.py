"""Folders of pictures and recordings become tasks, and what is wrong with them is told."""

import zipfile
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import soundfile
from bench_tasks.files.folder import open_folder
from bench_tasks.files.labelled import LabelledTask
from PIL import Image

from bench.config.data import DataSpec
from bench.domains.audio.files import AudioFiles
from bench.domains.options import DataOptions
from bench.domains.vision.files import ImageFiles
from bench.errors import DataError
from bench.runtime.cache import Cache
from bench.targets.classes import Classes
from bench.task import fingerprint
from tests.toys import classes_of, groups_of

Open = Callable[..., LabelledTask]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "photos"


@pytest.fixture
def opened(tmp_path: Path, root: Path) -> Open:
    """Return how to open the folder, or another one in its place, with options."""

    def open_it(place: Path = root, family: str = "image_classification", **options: object) -> LabelledTask:
        spec = DataSpec(family, f"folder:{place}", DataOptions.model_validate(options))
        return open_folder("mine", spec, Cache(tmp_path / "kept"))

    return open_it


def write_pictures(root: Path, paths: Iterable[str]) -> None:
    """Write pictures that differ."""
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        colour = np.frombuffer(path.encode().ljust(48, b"."), dtype=np.uint8)[:48].reshape(4, 4, 3)
        Image.fromarray(colour).save(root / path, "PNG")


def classes(parts: Iterable[str] = ("",), names: Iterable[str] = ("ants", "bees"), count: int = 8) -> list[str]:
    return [f"{part}{name}/{number}.png" for part in parts for name in names for number in range(count)]


def names_of(task: LabelledTask) -> tuple[str, ...]:
    assert isinstance(task.target, Classes)
    return task.target.names


def places(task: LabelledTask, root: Path) -> tuple[set[str], set[str]]:
    """Return the paths of the training and of the test split."""
    split = task.split(0, Cache(root))
    sides = []
    for part in (split.train, split.test):
        assert isinstance(part.raw, ImageFiles | AudioFiles)
        sides.append({Path(str(path)).relative_to(root).as_posix() for path in part.raw.paths})
    return sides[0], sides[1]


@pytest.mark.parametrize("tested", ["test", "val", "valid", "validation", "Test"])
def test_folders_say_what_is_tested(tested: str, root: Path, opened: Open) -> None:
    write_pictures(root, [*classes(["train/"]), *classes([f"{tested}/"], count=3)])
    task = opened()
    train, test = places(task, root)
    assert train == set(classes(["train/"]))
    assert test == set(classes([f"{tested}/"], count=3))
    assert names_of(task) == ("ants", "bees")
    assert f"16 to learn from and 6 to test on, as its folders train/ and {tested}/ say" in task.card.description


def test_a_validation_folder_beside_a_test_folder_is_not_used_and_that_is_told(root: Path, opened: Open) -> None:
    write_pictures(root, classes(["train/", "val/", "test/"]))
    task = opened()
    assert places(task, root)[1] == set(classes(["test/"]))
    assert task.card.remarks == ("val/ is not used",)


@pytest.mark.parametrize("above", ["", "train/"])
def test_one_set_of_classes_is_split_by_class(above: str, root: Path, opened: Open) -> None:
    write_pictures(root, classes([above], count=12))
    task = opened(test_share=0.25)
    train, test = places(task, root)
    assert train | test == set(classes([above], count=12))
    assert not train & test
    assert sorted(path.removeprefix(above)[:4] for path in test) == ["ants"] * 3 + ["bees"] * 3
    assert places(opened(test_share=0.25), root)[1] == test
    assert places(opened(test_share=0.25, split_seed=1), root)[1] != test


def test_the_card_says_what_was_found(root: Path, opened: Open) -> None:
    write_pictures(root, classes(["train/", "test/"]))
    card = opened(licence="CC0", citation="me (2026)", title="Ants or bees").card
    assert asdict(card) | {"sha256": "", "remarks": ()} == {
        "name": "mine",
        "title": "Ants or bees",
        "domain": "vision",
        "description": "32 pictures of 2 classes (ants, bees): 16 to learn from and 16 to test on, as its folders "
        "train/ and test/ say.",
        "source": f"folder:{root}",
        "licence": "CC0",
        "citation": "me (2026)",
        "version": 1,
        "sha256": "",
        "synthetic": False,
        "pinned": False,
        "n_train": 16,
        "amount": 0.0,
        "folds": 1,
        "remarks": (),
        "subjects": (),
        "beside": (),
        "scored": None,
    }


def test_examples_are_named_by_their_paths_on_both_sides(root: Path, opened: Open) -> None:
    write_pictures(root, classes(["train/", "test/"]))
    split = opened().split(0, Cache(root))
    for part, side in ((split.train, "train/"), (split.test, "test/")):
        assert part.names is not None
        assert part.names.tolist() == classes([side])
        assert part.groups is None


def test_the_address_stays_relative(root: Path, opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    write_pictures(root, classes())
    monkeypatch.chdir(root.parent)
    assert opened(Path("photos")).card.source == "folder:photos"


def test_the_hash_follows_content_labels_splits_and_settings_but_not_the_place(root: Path, opened: Open) -> None:
    write_pictures(root, classes())
    write_pictures(root.parent / "copy", classes())
    first = opened().card.sha256
    assert opened(root.parent / "copy").card.sha256 == first
    hashes = {first, opened(split_seed=1).card.sha256}
    (root / "ants").rename(root / "wasps")
    hashes.add(opened().card.sha256)
    write_pictures(root, ["bees/new.png"])
    hashes.add(opened().card.sha256)
    assert len(hashes) == 4


def test_the_hash_tells_labels_apart_where_all_else_stays_in_its_place(root: Path, opened: Open) -> None:
    write_pictures(root, classes(["train/", "test/"]))
    first = opened().card
    (root / "train" / "ants" / "7.png").rename(root / "train" / "bees" / "-7.png")
    second = opened().card
    assert (first.n_train, first.sha256 != second.sha256) == (second.n_train, True)


def test_loading_is_the_same_twice_with_int64_labels(root: Path, opened: Open) -> None:
    write_pictures(root, classes())
    one, other = (opened().split(0, Cache(root)) for _ in range(2))
    assert fingerprint(one) == fingerprint(other)
    assert classes_of(one.train).dtype == np.int64
    assert set(classes_of(one.test).tolist()) == {0, 1}


def test_suffixes_may_lie_about_the_format_and_folders_may_nest(root: Path, opened: Open) -> None:
    write_pictures(root, classes())
    (root / "ants" / "0.png").rename(root / "ants" / "0.JPEG")
    write_pictures(root, ["bees/2024/spring/x.png"])
    assert opened().card.n_train + len(opened().split(0, Cache(root)).test) == 17


def test_an_archive_is_opened_like_a_folder(root: Path, opened: Open) -> None:
    write_pictures(root, classes())
    archive = root.parent / "photos.zip"
    with zipfile.ZipFile(archive, "w") as writer:
        for path in classes():
            writer.write(root / path, f"photos/{path}")
    assert opened(archive).card.sha256 == opened().card.sha256
    assert opened(archive).card.source == f"folder:{archive}"


def test_groups_are_kept_whole(root: Path, opened: Open) -> None:
    people = ("anna", "ben", "carl", "dora")
    write_pictures(
        root, [f"{name}/{take}_{who}_x.png" for name in ("no", "yes") for who in people for take in range(4)]
    )
    drawn = opened(group="_([a-z]+)_", test_share=0.25).split(0, Cache(root))
    assert len(set(groups_of(drawn.test))) == 1
    assert set(groups_of(drawn.train)) | set(groups_of(drawn.test)) == set(people)
    assert not set(groups_of(drawn.train)) & set(groups_of(drawn.test))
    named = opened(group="_([a-z]+)_", held_out=("ben", "dora")).split(0, Cache(root))
    assert set(groups_of(named.test)) == {"ben", "dora"}
    assert len(groups_of(named.test)) == len(named.test) == 16


def test_groups_that_cannot_be_are_refused(root: Path, opened: Open) -> None:
    write_pictures(root, [f"{name}/{who}_1.png" for name in ("no", "yes") for who in ("anna", "ben")])
    for options, told in (
        ({"group": "([a-z]+)_9"}, r"is not found in 4 of 4 paths, such as 'no/anna_1.png'"),
        ({"group": "[a-z]+_"}, "has to have one group"),
        ({"group": "([a-z"}, "is no regular expression"),
        ({"group": "/([a-z]+)_", "held_out": ("anne",)}, r"'anne'; did you mean 'anna'\? \(there are: anna; ben\)"),
        ({"group": "/([a-z]+)_", "held_out": ("anna", "ben")}, "nothing to learn from"),
        ({"held_out": ("anna",)}, "say what a group is"),
    ):
        with pytest.raises(DataError, match=told):
            opened(**options)


def test_a_group_on_both_sides_of_given_splits_is_refused(root: Path, opened: Open) -> None:
    write_pictures(root, [f"{part}/{name}/{who}.png" for part in ("train", "test") for name in "ab" for who in "xy"])
    with pytest.raises(DataError, match="2 of its groups are on both sides: x; y"):
        opened(group="([a-z]+).png")
    with pytest.raises(DataError, match="leave held_out out"):
        opened(group="([a-z]+).png", held_out=("x",))


def test_bad_files_are_listed_all_at_once_or_left_out(root: Path, opened: Open) -> None:
    write_pictures(root, [*classes(), "stray.png"])
    (root / "ants" / "notes.txt").write_text("x")
    (root / "ants" / "empty.png").touch()
    (root / "bees" / "cut.png").write_bytes((root / "bees" / "0.png").read_bytes()[:-40])
    (root / "bees" / "text.jpg").write_text("x")
    (root / "bees" / "out.png").symlink_to("/etc/hosts")
    with pytest.raises(DataError, match="6 files that cannot be used") as refused:
        opened()
    for told in (
        "ants/empty.png is empty; ants/notes.txt is no picture by its name; bees/cut.png is damaged",
        "bees/out.png is a link that leaves the folder; bees/text.jpg is no picture that can be read",
        "stray.png lies in no class's folder. Mend or remove what is bad, or leave it out with --skip-bad",
    ):
        assert told in str(refused.value)
    task = opened(skip_bad=True)
    assert len(task.split(0, Cache(root)).train) + len(task.split(0, Cache(root)).test) == 16
    assert task.card.remarks[0].startswith("6 files left out: ants/empty.png is empty; ")
    assert task.card.remarks[0].endswith("and 3 more")


def test_more_than_twenty_bad_files_are_counted(root: Path, opened: Open) -> None:
    write_pictures(root, classes())
    for number in range(25):
        (root / "ants" / f"x{number}.png").touch()
    with pytest.raises(DataError, match=r"25 files.*; and 5 more\. Mend"):
        opened()


def test_other_files_beside_the_classes_do_no_harm_and_are_told(root: Path, opened: Open) -> None:
    write_pictures(root, classes())
    (root / "README.md").write_text("x")
    assert opened().card.remarks == ("not used, since in no class's folder: README.md",)


def test_classes_without_files_are_named(root: Path, opened: Open) -> None:
    write_pictures(root, classes())
    (root / "wasps").mkdir()
    (root / "flies").mkdir()
    (root / "flies" / "broken.png").touch()
    for skip_bad in (False, True):
        with pytest.raises(DataError, match=r"no file that can be used in flies/; wasps/.*flies/broken.png is empty"):
            opened(skip_bad=skip_bad)


def test_folders_that_are_no_classification_data_are_refused(root: Path, opened: Open) -> None:
    with pytest.raises(DataError, match="is not there"):
        opened()
    root.mkdir()
    with pytest.raises(DataError, match=r"no folders of classes in it: expected train/"):
        opened()
    write_pictures(root, classes(names=["ants"]))
    with pytest.raises(DataError, match=r"at least two classes are expected.*all 8 have the label 'ants'"):
        opened()
    write_pictures(root.parent / "tested", classes(["test/"]))
    with pytest.raises(DataError, match=r"has test/ but no train/"):
        opened(root.parent / "tested")
    write_pictures(root.parent / "twice", classes(["train/", "val/", "valid/"]))
    with pytest.raises(DataError, match=r"has val/ and valid/: one of them is expected"):
        opened(root.parent / "twice")
    (root.parent / "file.txt").touch()
    with pytest.raises(DataError, match="is a file, but no archive"):
        opened(root.parent / "file.txt")
    with pytest.raises(DataError, match="not for text_classification"):
        opened(family="text_classification")


def test_classes_too_small_to_be_split_are_named(root: Path, opened: Open) -> None:
    write_pictures(root, [*classes(), "wasps/1.png", "flies/1.png"])
    (root / "flies" / "2.png").write_bytes((root / "flies" / "1.png").read_bytes())
    with pytest.raises(DataError, match=r"cannot be both learnt from and tested on: 'flies' \(2\); 'wasps' \(1\)"):
        opened()


def test_classes_of_one_side_are_refused_or_told(root: Path, opened: Open) -> None:
    write_pictures(root, [*classes(["train/", "test/"]), "train/wasps/1.png"])
    assert "class 'wasps' has no example in the test split" in opened().card.remarks
    write_pictures(root, ["test/flies/1.png"])
    with pytest.raises(DataError, match="classes of the test split are not in the training split: 'flies'"):
        opened()


def test_labels_that_are_probably_one_class_are_told(root: Path, opened: Open) -> None:
    write_pictures(root, classes(names=("Dog", "dog ", "cat")))
    assert "labels 'Dog' and 'dog ' are probably one class" in opened().card.remarks


def test_copies_across_given_splits_are_told(root: Path, opened: Open) -> None:
    write_pictures(root, classes(["train/", "test/"]))
    (root / "test" / "ants" / "again.png").write_bytes((root / "train" / "ants" / "0.png").read_bytes())
    (root / "test" / "ants" / "wrong.png").write_bytes((root / "train" / "bees" / "1.png").read_bytes())
    remarks = opened().card.remarks
    assert remarks == (
        (
            "of the 18 pictures to test on, 2 can be learnt from, too: test/ants/again.png (as train/ants/0.png); "
            "test/ants/wrong.png (as train/bees/1.png)"
        ),
        "copies among the pictures with different labels: 1, such as test/ants/wrong.png and train/bees/1.png",
    )


def test_copies_are_kept_on_one_side_of_splits_that_are_made(root: Path, opened: Open) -> None:
    write_pictures(root, classes(count=4))
    for path in classes(count=4):
        for copy in range(3):
            (root / path).with_suffix(f".{copy}.png").write_bytes((root / path).read_bytes())
    task = opened(test_share=0.5)
    train, test = places(task, root)
    assert len(test) == 16
    assert not {path[:6] for path in train} & {path[:6] for path in test}
    assert task.card.remarks == ("copies among the pictures: 24, each on the same side of the split as what it copies",)


def test_options_that_do_not_apply_are_refused(root: Path, opened: Open) -> None:
    write_pictures(root, classes())
    with pytest.raises(DataError, match=r"rate_hz, horizon does not apply to image_classification from folder"):
        opened(rate_hz=8_000, horizon=3)


def write_recordings(root: Path, seconds: dict[str, float], rate_hz: int = 8_000) -> None:
    for number, (path, length) in enumerate(seconds.items()):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(number).normal(scale=0.1, size=round(length * rate_hz))
        soundfile.write(root / path, noise, rate_hz)


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3"])
def test_recordings_are_heard_at_one_rate_and_as_long_as_the_longest(suffix: str, root: Path, opened: Open) -> None:
    write_recordings(root, {f"{name}/{n}.{suffix}": 0.4 + 0.1 * n for name in ("no", "yes") for n in range(4)})
    task = opened(family="audio_classification")
    heard = task.split(0, Cache(root)).train.raw
    assert isinstance(heard, AudioFiles)
    assert heard.rate_hz == 16_000
    assert heard.length == pytest.approx(0.7 * 16_000, rel=0.1)
    assert heard.waveforms().samples.shape == (len(heard), heard.length)
    assert "Resampled to 16000 Hz, cut or padded to 0.7" in task.card.description


def test_recordings_are_cut_to_ten_seconds_or_to_what_is_said(root: Path, opened: Open) -> None:
    write_recordings(root, {"no/1.wav": 11.0, "no/2.wav": 1.0, "yes/1.wav": 1.0, "yes/2.wav": 1.0}, rate_hz=1_000)
    longest = opened(family="audio_classification")
    said = opened(family="audio_classification", seconds=0.5, rate_hz=4_000)
    assert "cut or padded to 10 s; the longest lasts 11 s." in longest.card.description
    assert "Resampled to 4000 Hz, cut or padded to 0.5 s" in said.card.description
    raw = said.split(0, Cache(root)).train.raw
    assert isinstance(raw, AudioFiles)
    assert raw.length == 2_000
    assert longest.card.sha256 != said.card.sha256


def test_silent_and_cut_recordings_are_bad_files(root: Path, opened: Open) -> None:
    write_recordings(root, {f"{name}/{n}.wav": 0.1 for name in ("no", "yes") for n in range(3)})
    write_recordings(root, {"no/silent.wav": 0.0, "yes/cut.wav": 1.0})
    (root / "yes" / "cut.wav").write_bytes((root / "yes" / "cut.wav").read_bytes()[:1_000])
    with pytest.raises(DataError, match=r"no/silent.wav has no sound in it; yes/cut.wav is truncated"):
        opened(family="audio_classification")
