"""Owns unpacking archives of data: into the cache folder, once, and nothing outside it."""

import gzip
import lzma
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Final

from filelock import FileLock

from bench.errors import BenchError, DataError
from bench.files.changes import known_sha256
from bench.runtime.cache import UNPACKED, Cache, content_key, file_sha256

SUFFIXES: Final = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")

DAMAGED: Final = (
    *(zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, lzma.LZMAError, zlib.error, EOFError),
    NotImplementedError,  # a way of compressing that is not known
)


def is_archive(path: Path) -> bool:
    """Whether a path has the name of an archive that `unpack` reads."""
    return path.name.casefold().endswith(SUFFIXES)


def unpack(path: Path, cache: Cache) -> Path:
    """Return the folder with what is in the archive, unpacked unless it has been before.

    The folder is named by the bytes of the archive. Raises `DataError` for an archive that is damaged or changes while
    it is unpacked, or with a path or link that leaves it, before anything is written outside; `BenchError` if the cache
    cannot be written.
    """
    try:
        sha256 = known_sha256(path, cache)
        place = cache.root / UNPACKED / content_key("unpacked", sha256)
        place.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(place.with_suffix(".lock")):
            if not place.exists():
                _unpack_to(place, path, sha256)
    except DAMAGED as error:
        raise DataError(f"cannot unpack {path}: {error}; unpack it yourself and name the folder") from error
    except OSError as error:
        raise BenchError(f"cannot unpack {path} into the cache {cache.root}: {error}; set BENCH_CACHE") from error
    return place


def _unpack_to(place: Path, path: Path, sha256: str) -> None:
    """Unpack an archive of this hash to `place`, or leave nothing."""
    partial = place.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        _unpack_into(path, partial)
        if file_sha256(path) != sha256:
            raise DataError(f"{path} changed while it was unpacked: give the same command once more")
        partial.rename(place)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _unpack_into(path: Path, folder: Path) -> None:
    if path.name.casefold().endswith(".zip"):
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            _refuse_leaving(path, (member.filename for member in members))
            _refuse_no_room(path, sum(member.file_size for member in members), folder)
            for member in members:
                if stat.S_ISLNK(member.external_attr >> 16):
                    raise DataError(f"{path} has a link in it, {member.filename}: pack the files themselves")
                if member.flag_bits & 1:
                    raise DataError(f"{path} is encrypted: unpack it yourself and name the folder")
            archive.extractall(folder)  # noqa: S202 - every path was looked at
    else:
        with tarfile.open(path) as tape:
            contents = tape.getmembers()
            _refuse_leaving(path, (member.name for member in contents))
            _refuse_no_room(path, sum(member.size for member in contents), folder)
            tape.extractall(folder, filter="data")


def _refuse_leaving(path: Path, names: Iterable[str]) -> None:
    for name in names:
        for way in (PurePosixPath(name), PureWindowsPath(name)):
            if way.is_absolute() or way.drive or ".." in way.parts:
                raise DataError(f"{path} has a path in it that leaves it, {name!r}: nothing was unpacked")


def _refuse_no_room(path: Path, size: int, folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if size > free:
        raise DataError(
            f"{path} unpacks to {size / 2**20:.0f} MiB, of which {free / 2**20:.0f} MiB fit: set BENCH_CACHE"
        )


def sole_folder(folder: Path) -> Path:
    """Return the folder in which the content of an archive starts: many have everything in one folder with a name."""
    found = [entry for entry in folder.iterdir() if not entry.name.startswith((".", "__MACOSX"))]
    if len(found) == 1 and found[0].is_dir() and any(entry.is_dir() for entry in found[0].iterdir()):
        return sole_folder(found[0])
    return folder
