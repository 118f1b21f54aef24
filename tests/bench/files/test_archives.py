"""Archives are unpacked once into the cache, and nothing of them lands anywhere else."""

import io
import os
import tarfile
import time
import zipfile
from pathlib import Path

import pytest

from bench.errors import DataError
from bench.files import changes
from bench.files.archives import is_archive, sole_folder, unpack
from bench.runtime.cache import Cache


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "kept")


def write_zip(path: Path, contents: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in contents.items():
            archive.writestr(name, data)
    return path


def write_tar(path: Path, members: list[tarfile.TarInfo]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for member in members:
            archive.addfile(member, io.BytesIO(b"x" * member.size))
    return path


def member(name: str, *, link: str = "", kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    if link:
        info.type, info.linkname = kind, link
    else:
        info.size = 3
    return info


def test_a_zip_and_a_tar_are_unpacked(tmp_path: Path, cache: Cache) -> None:
    zipped = write_zip(tmp_path / "photos.zip", {"ants/a.png": b"xxx"})
    tape = write_tar(tmp_path / "photos.tar.gz", [member("./ants/a.png"), member("ants/b.png", link="a.png")])
    for path in (zipped, tape):
        assert is_archive(path)
        assert (unpack(path, cache) / "ants" / "a.png").read_bytes() == b"xxx"
        assert unpack(path, cache).is_relative_to(cache.root)


def test_an_archive_is_unpacked_once_until_it_changes(tmp_path: Path, cache: Cache) -> None:
    path = write_zip(tmp_path / "photos.zip", {"ants/a.png": b"1"})
    first = unpack(path, cache)
    (first / "mark").touch()
    assert (unpack(path, cache) / "mark").exists()
    write_zip(path, {"ants/a.png": b"22"})
    assert (unpack(path, cache) / "ants" / "a.png").read_bytes() == b"22"


@pytest.mark.parametrize("hours", [0, 1], ids=["a moment ago", "an hour ago"])
def test_an_archive_of_the_same_size_and_time_of_writing_is_unpacked_anew(
    hours: int, tmp_path: Path, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "time_ns", lambda: time.time_ns() + hours * 3_600 * 10**9)
    path = write_zip(tmp_path / "photos.zip", {"ants/a.png": b"1"})
    before = path.stat()
    assert (unpack(path, cache) / "ants" / "a.png").read_bytes() == b"1"
    write_zip(path, {"ants/a.png": b"2"})
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    assert (unpack(path, cache) / "ants" / "a.png").read_bytes() == b"2"


def test_an_archive_that_is_only_moved_is_not_unpacked_again(tmp_path: Path, cache: Cache) -> None:
    path = write_zip(tmp_path / "photos.zip", {"ants/a.png": b"1"})
    first = unpack(path, cache)
    assert unpack(path.rename(tmp_path / "pictures.zip"), cache) == first


def test_an_archive_that_changes_while_it_is_unpacked_leaves_nothing(
    tmp_path: Path, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_zip(tmp_path / "photos.zip", {"ants/a.png": b"1"})
    original = path.read_bytes()
    unpack_whole = zipfile.ZipFile.extractall

    def unpack_another(archive: zipfile.ZipFile, folder: Path) -> None:
        write_zip(path, {"ants/a.png": b"2"})
        with zipfile.ZipFile(path) as changed:
            unpack_whole(changed, folder)

    with monkeypatch.context() as patch:
        patch.setattr(zipfile.ZipFile, "extractall", unpack_another)
        with pytest.raises(DataError, match=r"photos\.zip changed while it was unpacked: give the same command"):
            unpack(path, cache)
    assert not list(cache.root.rglob("a.png"))
    path.write_bytes(original)
    assert (unpack(path, cache) / "ants" / "a.png").read_bytes() == b"1"


@pytest.mark.parametrize("name", ["../out.png", "ants/../../out.png", "/out.png", "..\\out.png", "C:\\out.png"])
def test_paths_that_leave_are_refused(name: str, tmp_path: Path, cache: Cache) -> None:
    for path in (write_zip(tmp_path / "a.zip", {name: b"x"}), write_tar(tmp_path / "a.tar.gz", [member(name)])):
        with pytest.raises(DataError, match=r"leaves it.*nothing was unpacked"):
            unpack(path, cache)
    assert not list(tmp_path.rglob("out.png"))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
@pytest.mark.parametrize("target", ["../../outside", "/etc/hosts"])
def test_links_that_leave_a_tar_are_refused(kind: bytes, target: str, tmp_path: Path, cache: Cache) -> None:
    path = write_tar(tmp_path / "a.tar.gz", [member("ants/link", link=target, kind=kind)])
    with pytest.raises(DataError, match="cannot unpack"):
        unpack(path, cache)


def test_links_in_a_zip_are_refused(tmp_path: Path, cache: Cache) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        link = zipfile.ZipInfo("ants/link.png")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/hosts")
    with pytest.raises(DataError, match="has a link in it"):
        unpack(tmp_path / "a.zip", cache)


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz", "a.tar.xz"])
def test_damaged_archives_are_refused(name: str, tmp_path: Path, cache: Cache) -> None:
    (tmp_path / name).write_bytes(b"no archive at all" * 100)
    with pytest.raises(DataError, match="cannot unpack"):
        unpack(tmp_path / name, cache)


def test_a_cut_archive_is_refused_and_leaves_nothing_half_unpacked(tmp_path: Path, cache: Cache) -> None:
    path = write_tar(tmp_path / "a.tar.gz", [member(f"ants/{number}.png") for number in range(400)])
    path.write_bytes(path.read_bytes()[:-200])
    for _ in range(2):
        with pytest.raises(DataError, match="cannot unpack"):
            unpack(path, cache)


def test_an_archive_larger_than_the_disk_is_refused(
    tmp_path: Path, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_zip(tmp_path / "a.zip", {"ants/a.png": b"xxx"})
    monkeypatch.setattr("shutil.disk_usage", lambda _: tarfile.TarInfo)
    monkeypatch.setattr(tarfile.TarInfo, "free", 2, raising=False)
    with pytest.raises(DataError, match="fit: set BENCH_CACHE"):
        unpack(path, cache)


def test_one_folder_around_everything_is_looked_through(tmp_path: Path) -> None:
    for path in ("photos/ants/a", "photos/bees/b", "__MACOSX/photos/c"):
        (tmp_path / path).mkdir(parents=True)
    assert sole_folder(tmp_path) == tmp_path / "photos"
