"""Files are listed without leaving the folder, hashed and checked, and read again only after they changed."""

import hashlib
import os
import time
from pathlib import Path

import pytest
from PIL import Image

from bench.domains.vision.integrity import look
from bench.files import changes
from bench.files import folders as files
from bench.files.folders import File, examine, list_files, list_folder
from bench.files.stored import Finding
from bench.runtime.cache import Cache


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    return folder


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "kept")


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have it be an hour later than it is: what is written now is long since finished."""
    monkeypatch.setattr(changes, "time_ns", lambda: time.time_ns() + 3_600 * 10**9)


def write_picture(path: Path, colour: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (6, 5), (colour, 0, 0)).save(path, "PNG")


def paths(root: Path, top: str) -> list[str]:
    return [file.path for file in list_files(root, top).files]


def test_files_are_listed_sorted_with_those_of_folders_within(root: Path) -> None:
    for path in ("ants/b.png", "ants/a.png", "ants/more/c.png", "bees/d.png"):
        write_picture(root / path)
    assert paths(root, "ants") == ["ants/a.png", "ants/b.png", "ants/more/c.png"]


def test_what_systems_leave_behind_and_hidden_files_are_ignored(root: Path) -> None:
    for path in ("ants/a.png", "ants/.DS_Store", "ants/Thumbs.db", "ants/__MACOSX/a.png", "ants/.hidden/a.png"):
        write_picture(root / path)
    listing = list_files(root, "ants")
    assert [file.path for file in listing.files] == ["ants/a.png"]
    assert not listing.refused


def test_links_within_are_followed_and_those_that_leave_are_refused(root: Path, tmp_path: Path) -> None:
    write_picture(root / "pool" / "a.png")
    write_picture(tmp_path / "elsewhere" / "b.png")
    (root / "ants").mkdir()
    (root / "ants" / "one.png").symlink_to(root / "pool" / "a.png")
    (root / "ants" / "all").symlink_to("../pool")
    (root / "ants" / "out").symlink_to(tmp_path / "elsewhere")
    (root / "ants" / "out.png").symlink_to(tmp_path / "elsewhere" / "b.png")
    (root / "ants" / "nothing.png").symlink_to("nowhere.png")
    listing = list_files(root, "ants")
    assert [file.path for file in listing.files] == ["ants/all/a.png", "ants/one.png"]
    assert listing.refused.keys() == {"ants/out", "ants/out.png", "ants/nothing.png"}
    assert "leaves the folder" in listing.refused["ants/out"]
    assert "cannot be read" in listing.refused["ants/nothing.png"]


def test_a_neighbour_whose_name_begins_alike_is_outside(root: Path, tmp_path: Path) -> None:
    write_picture(tmp_path / "photos-of-others" / "a.png")
    (root / "ants").symlink_to(tmp_path / "photos-of-others")
    assert "leaves the folder" in list_folder(root, "").refused["ants"]


def test_links_in_a_circle_come_to_an_end(root: Path) -> None:
    write_picture(root / "ants" / "a.png")
    (root / "ants" / "again").symlink_to(".")
    (root / "ants" / "up").symlink_to("..")
    (root / "ants" / "itself.png").symlink_to("itself.png")
    listing = list_files(root, "ants")
    assert [file.path for file in listing.files] == ["ants/a.png"]
    assert listing.refused.keys() == {"ants/itself.png"}


def test_pipes_and_names_that_are_not_utf8_are_refused(root: Path) -> None:
    (root / "ants").mkdir()
    os.mkfifo(root / "ants" / "pipe.png")
    Path(os.fsdecode(os.fsencode(root / "ants") + b"/caf\xe9.png")).write_bytes(b"x")
    assert sorted(list_files(root, "ants").refused.values()) == [
        "has a name that is not UTF-8",
        "is neither a file nor a folder",
    ]


def test_files_are_hashed_and_checked(root: Path, cache: Cache) -> None:
    write_picture(root / "ants" / "a.png")
    (root / "ants" / "b.png").write_bytes(b"")
    sound, empty = examine(root, list_files(root, "ants").files, "picture", look, cache)
    assert sound.sha256 == hashlib.sha256((root / "ants" / "a.png").read_bytes()).hexdigest()
    assert (sound.problem, empty.problem) == ("", "is empty")


@pytest.mark.usefixtures("settled")
def test_only_files_that_changed_are_read_again(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def counted(path: Path) -> Finding:
        read.append(path.name)
        return look(path)

    monkeypatch.setattr(files, "SMALL_FOLDER", 10)
    for number in range(40):
        write_picture(root / "ants" / f"{number}.png", colour=number)

    def findings() -> list[Finding]:
        read.clear()
        return examine(root, list_files(root, "ants").files, "picture", counted, Cache(tmp_path / "kept"))

    first = findings()
    assert len(read) == 40
    assert findings() == first
    assert read == []
    write_picture(root / "ants" / "7.png", colour=200)
    changed = findings()
    assert "7.png" in read
    assert len(read) < 20
    assert sum(one != other for one, other in zip(first, changed, strict=True)) == 1


def test_a_file_that_changed_a_moment_ago_is_read_again(root: Path, cache: Cache) -> None:
    write_picture(root / "ants" / "a.png", colour=1)
    [listed] = list_files(root, "ants").files
    [first] = examine(root, [listed], "picture", look, cache)
    write_picture(root / "ants" / "a.png", colour=2)
    # with the times that it had: a clock may not have gone on
    [again] = examine(root, [listed], "picture", look, cache)
    assert again.sha256 == hashlib.sha256((root / "ants" / "a.png").read_bytes()).hexdigest() != first.sha256


@pytest.mark.usefixtures("settled")
def test_a_file_that_cannot_be_opened_is_told_and_tried_again(root: Path, cache: Cache) -> None:
    write_picture(root / "ants" / "a.png")
    listed = list_files(root, "ants").files

    def closed(path: Path) -> Finding:
        raise PermissionError(13, "Permission denied", str(path))

    assert examine(root, listed, "picture", closed, cache)[0].problem == "cannot be read: Permission denied"
    assert examine(root, listed, "picture", look, cache)[0].problem == ""


def test_no_files_need_no_reading(root: Path, cache: Cache) -> None:
    assert examine(root, list[File](), "picture", look, cache) == []
