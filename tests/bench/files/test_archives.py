"""Archives are unpacked once into the cache, and nothing of them lands anywhere else."""

import io
import os
import stat
import tarfile
import time
import warnings
import zipfile
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import DataError
from bench.files import changes
from bench.files.archives import is_archive, sole_folder, unpack
from bench.files.members import Member, open_members
from bench.runtime.cache import Cache
from bench.runtime.cache_folder import UNPACKED
from tests.bench.files.escapes import member, must_escape, write_escape, write_tar


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "kept")


def write_zip(path: Path, contents: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in contents.items():
            archive.writestr(name, data)
    return path


def write_zip_of(path: Path, members: list[tuple[zipfile.ZipInfo, bytes]]) -> Path:
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w") as archive:
        warnings.simplefilter("ignore")  # about a name that is there twice
        for info, data in members:
            archive.writestr(info, data)
    return path


def everything_in(folder: Path) -> dict[str, bytes]:
    """Return the content of all files under a folder by path, and an empty one for each folder and link."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        for path in folder.rglob("*")
    }


def assert_refused(path: Path, cache: Cache, match: str) -> None:
    """Assert that an archive is refused, and that nothing of it is left in the cache or anywhere beside it."""
    cache.claim()
    before = everything_in(path.parent)
    with pytest.raises(DataError, match=match):
        unpack(path, cache)
    after = everything_in(path.parent)
    added = sorted(after.keys() - before.keys())
    assert [name for name in added if not name.endswith((UNPACKED, ".lock"))] == []
    assert {name: after[name] for name in before} == before


def test_a_zip_and_a_tar_are_unpacked(tmp_path: Path, cache: Cache) -> None:
    zipped = write_zip(tmp_path / "photos.zip", {"ants/a.png": b"xxx"})
    tape = write_tar(tmp_path / "photos.tar.gz", [member("./ants/a.png"), member("ants/b.png")])
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

    def open_another(archive: Path) -> AbstractContextManager[list[Member]]:
        write_zip(path, {"ants/a.png": b"2"})
        return open_members(archive)

    with monkeypatch.context() as patch:
        patch.setattr("bench.files.archives.open_members", open_another)
        with pytest.raises(DataError, match=r"photos\.zip changed while it was unpacked: give the same command"):
            unpack(path, cache)
    assert not list(cache.root.rglob("a.png"))
    path.write_bytes(original)
    assert (unpack(path, cache) / "ants" / "a.png").read_bytes() == b"1"


@pytest.mark.parametrize("name", ["../out.png", "ants/../../out.png", "/out.png", "..\\out.png", "C:\\out.png"])
def test_paths_that_leave_are_refused(name: str, tmp_path: Path, cache: Cache) -> None:
    for path in (write_zip(tmp_path / "a.zip", {name: b"x"}), write_tar(tmp_path / "a.tar.gz", [member(name)])):
        assert_refused(path, cache, r"leaves it.*nothing was unpacked")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
@pytest.mark.parametrize("target", ["../../outside", "/etc/hosts", "a.png"])
def test_links_in_a_tar_are_refused_wherever_they_lead(kind: bytes, target: str, tmp_path: Path, cache: Cache) -> None:
    path = write_tar(tmp_path / "a.tar.gz", [member("ants/a.png"), member("ants/link", link=target, kind=kind)])
    assert_refused(path, cache, r"holds a link, 'ants/link': nothing was unpacked")


def test_a_chain_of_long_links_writes_nothing_outside(tmp_path: Path, cache: Cache) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    place = cache.root / UNPACKED / f"{'0' * 40}.partial"  # as long, and as deep, as the folder of any archive
    path = write_escape(tmp_path / "a.tar.gz", place, outside)
    must_escape(path, place, outside)
    assert_refused(path, cache, "holds a link")
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize(
    "kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, b"x", b"Z", tarfile.GNUTYPE_SPARSE]
)
def test_members_of_a_tar_that_are_no_plain_files_are_refused(kind: bytes, tmp_path: Path, cache: Cache) -> None:
    special = tarfile.TarInfo("ants/special")
    special.type = kind
    assert_refused(write_tar(tmp_path / "a.tar.gz", [member("ants/a.png"), special]), cache, "holds a|cannot unpack")


def test_sparse_files_are_refused(tmp_path: Path, cache: Cache) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        info = member("ants/a.png")
        info.pax_headers = {"GNU.sparse.size": str(2**40), "GNU.sparse.map": "0,3", "GNU.sparse.numblocks": "1"}
        archive.addfile(info, io.BytesIO(b"xxx"))
    assert_refused(path, cache, "holds a sparse file")


@pytest.mark.parametrize("size", [-1, -512, -1024])
def test_a_size_below_zero_does_not_go_round_in_circles(size: int, tmp_path: Path, cache: Cache) -> None:
    header = bytearray(member("a.png").tobuf(format=tarfile.GNU_FORMAT))
    header[124:136] = (2**96 + size).to_bytes(12, "big")  # the other way that GNU tar writes a number
    header[148:156] = b"%06o\0 " % (sum(header[:148]) + sum(header[156:512]) + 8 * 32)
    (tmp_path / "a.tar").write_bytes(bytes(header) + bytes(1024))
    assert_refused(tmp_path / "a.tar", cache, "cannot unpack")


def test_links_in_a_zip_are_refused(tmp_path: Path, cache: Cache) -> None:
    for attributes in (stat.S_IFLNK | 0o777) << 16, 0x400:  # of Unix and of Windows
        link = zipfile.ZipInfo("ants/link.png")
        link.external_attr = attributes
        assert_refused(write_zip_of(tmp_path / "a.zip", [(link, b"/etc/hosts")]), cache, "holds a link")


@pytest.mark.parametrize("kind", [stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK])
def test_devices_and_pipes_in_a_zip_are_refused(kind: int, tmp_path: Path, cache: Cache) -> None:
    special = zipfile.ZipInfo("ants/special")
    special.external_attr = kind << 16
    assert_refused(write_zip_of(tmp_path / "a.zip", [(special, b"")]), cache, "holds a device or pipe")


CLASHES = [
    ["ants", "ants/a.png"],
    ["ants/a.png", "ants"],
    ["ants/a.png", "ants/a.png/b.png"],
    ["ants/a.png", "ants/a.png"],
    ["ants/a.png", "./ants//a.png"],
    ["ants/a.png", "ants/A.PNG"],
    ["ants/a.png", "Ants/b.png"],
    ["b\u00fcne/a.png", "bu\u0308ne/b.png"],
    ["stra\u00dfe/a.png", "strasse/b.png"],
]


@pytest.mark.parametrize("names", CLASHES)
def test_members_that_are_one_file_on_some_system_are_refused(names: list[str], tmp_path: Path, cache: Cache) -> None:
    zipped = write_zip_of(tmp_path / "a.zip", [(zipfile.ZipInfo(name), b"x") for name in names])
    for path in (zipped, write_tar(tmp_path / "a.tar.gz", [member(name) for name in names])):
        assert_refused(path, cache, r"holds .* and .*, which on some systems are one and the same")


FAULTS = [
    ("ants/a\0.png", "a zero or a backslash"),
    ("ants\\a.png", "a zero or a backslash"),
    ("ants/C:a.png", "leaves it"),
    ("//server/share/a.png", "leaves it"),
    ("", "without a name"),
    ("./", "without a name"),
    ("ants/" + "a" * 256, "too long"),
    ("ants/" + "ä" * 128, "too long"),
    ("ant/" * 1_100 + "a.png", "too long"),
]


@pytest.mark.parametrize(("name", "fault"), FAULTS)
@pytest.mark.parametrize("tar_format", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_paths_that_no_system_or_not_every_one_takes_are_refused_in_a_tar(
    name: str, fault: str, tar_format: int, tmp_path: Path, cache: Cache
) -> None:
    with tarfile.open(tmp_path / "a.tar", "w", format=tar_format) as archive:
        info = member(name.replace("\0", "?"))
        info.pax_headers = {"path": name} if tar_format == tarfile.PAX_FORMAT and "\0" in name else {}
        archive.addfile(info, io.BytesIO(b"xxx"))
    if "\0" in name and tar_format == tarfile.GNU_FORMAT:
        return  # its names end at a zero
    assert_refused(tmp_path / "a.tar", cache, fault)


@pytest.mark.parametrize(("name", "fault"), [case for case in FAULTS if not case[0].endswith("/") and case[0]])
def test_paths_that_no_system_or_not_every_one_takes_are_refused_in_a_zip(
    name: str, fault: str, tmp_path: Path, cache: Cache
) -> None:
    info = zipfile.ZipInfo("?")
    info.filename = name  # past the constructor, which cuts it at a zero
    assert_refused(write_zip_of(tmp_path / "a.zip", [(info, b"x")]), cache, fault)


def test_a_long_path_that_fits_is_unpacked(tmp_path: Path, cache: Cache) -> None:
    name = "/".join(["a" * 200, "b" * 200, f"{'c' * 200}.png"])
    for tar_format in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        with tarfile.open(tmp_path / "a.tar", "w", format=tar_format) as archive:
            archive.addfile(member(name), io.BytesIO(b"xxx"))
        assert (unpack(tmp_path / "a.tar", cache) / name).read_bytes() == b"xxx"


def test_nobody_gets_rights_from_an_archive(tmp_path: Path, cache: Cache) -> None:
    info = member("ants/a.png")
    info.mode = 0o6777
    (tmp_path / "usual").touch()
    unpacked = unpack(write_tar(tmp_path / "a.tar.gz", [info]), cache) / "ants" / "a.png"
    assert unpacked.stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_a_member_that_is_longer_than_it_says_is_refused(tmp_path: Path, cache: Cache) -> None:
    path = write_zip(tmp_path / "a.zip", {"ants/a.png": b"x" * 5_000})
    content = path.read_bytes()
    assert content.count((5_000).to_bytes(4, "little")) == 4  # both sizes, before the file and in the list at the end
    path.write_bytes(content.replace((5_000).to_bytes(4, "little"), (50).to_bytes(4, "little")))
    assert_refused(path, cache, "cannot unpack")


def test_a_zip_whose_list_would_begin_before_the_file_is_refused(tmp_path: Path, cache: Cache) -> None:
    path = write_zip(tmp_path / "a.zip", {"ants/a.png": b"x"})
    content = bytearray(path.read_bytes())
    content[-10:-6] = (2**31 - 1).to_bytes(4, "little")  # the length of the list, in the record at the end
    path.write_bytes(content)
    assert_refused(path, cache, "cannot unpack")


segments = st.sampled_from(
    ["..", ".", "", "ants", "Ants", "a.png", "C:", "c:x", "\\", "..\\", "\0", "~", "ü", "CON", "a" * 300, "-rf", "\n"]
)
names = st.lists(segments, min_size=1, max_size=5).map("/".join)
kinds = st.sampled_from([tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])


@given(st.lists(st.tuples(names, kinds, names), max_size=6))
@settings(deadline=None)
def test_whatever_a_tar_holds_it_is_unpacked_inside_or_refused(
    tmp_path_factory: pytest.TempPathFactory, members: list[tuple[str, bytes, str]]
) -> None:
    folder = tmp_path_factory.mktemp("tar")
    headers = []
    for name, kind, target in members:
        info = member(name, size=3 if kind == tarfile.REGTYPE else 0)
        info.type, info.linkname = kind, target if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE) else ""
        headers.append(info)
    assert_unpacked_inside_or_refused(write_tar(folder / "a.tar.gz", headers), Cache(folder / "kept"))


@given(
    st.lists(st.tuples(names, st.sampled_from([0, stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK, stat.S_IFIFO])), max_size=6)
)
@settings(deadline=None)
def test_whatever_a_zip_holds_it_is_unpacked_inside_or_refused(
    tmp_path_factory: pytest.TempPathFactory, members: list[tuple[str, int]]
) -> None:
    folder, infos = tmp_path_factory.mktemp("zip"), []
    for name, kind in members:
        info = zipfile.ZipInfo("?")
        info.filename, info.external_attr = name, kind << 16
        infos.append((info, b"../../../out"))
    assert_unpacked_inside_or_refused(write_zip_of(folder / "a.zip", infos), Cache(folder / "kept"))


@given(
    st.sampled_from([".zip", ".tar", ".tar.gz", ".tar.bz2", ".tar.xz"]),
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=8),
    st.integers(0, 10_000),
)
@settings(deadline=None, max_examples=200)
def test_an_archive_damaged_anywhere_is_unpacked_inside_or_refused(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, changes: list[tuple[int, int]], cut: int
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    path = folder / f"a{suffix}"
    if suffix == ".zip":
        write_zip(path, {"ants/a.png": b"abc" * 100, "bees/ü.png": b"xyz"})
    else:
        with tarfile.open(path, f"w:{suffix.removeprefix('.tar').removeprefix('.')}") as archive:  # type: ignore[call-overload]  # a mode in parts
            for info in (member("ants/a.png", size=300), member("bees/" + "b" * 120), member("bees/ü.png")):
                archive.addfile(info, io.BytesIO(b"x" * info.size))
    content = bytearray(path.read_bytes())
    for position, value in changes:
        content[position % len(content)] = value
    path.write_bytes(content[: len(content) - cut % len(content)] if cut % 2 else content)
    assert_unpacked_inside_or_refused(path, Cache(folder / "kept"))


def assert_unpacked_inside_or_refused(path: Path, cache: Cache) -> None:
    """Assert that what is unpacked is plain and in its folder, and that a refused archive leaves nothing."""
    cache.claim()
    try:
        place = unpack(path, cache)
    except DataError:
        place = None
    found = {name for name in everything_in(path.parent) if not name.endswith((UNPACKED, ".lock"))}
    inside = {name for name in found if place and (path.parent / name).is_relative_to(place)}
    assert found - inside == {path.name, cache.root.name, f"{cache.root.name}/CACHEDIR.TAG"}
    for name in inside:
        mode = (path.parent / name).lstat().st_mode
        assert stat.S_ISREG(mode) or stat.S_ISDIR(mode)


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
