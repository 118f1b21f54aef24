"""Unpack archives of data into the cache folder, once, and nothing outside it."""

import errno
import gzip
import lzma
import shutil
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from filelock import FileLock

from bench.errors import BenchError, DataError
from bench.files.changes import known_sha256
from bench.files.members import Member, check_members, open_members
from bench.runtime.cache import Cache, content_key, file_sha256
from bench.runtime.cache_folder import UNPACKED

SUFFIXES: Final = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")

DAMAGED: Final = (
    *(zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, lzma.LZMAError, zlib.error, EOFError),
    NotImplementedError,  # a way of compressing that is not known
    *(ValueError, OverflowError, struct.error),  # what is in damaged headers, which the libraries do not always check
)

DAMAGED_NUMBERS: Final = frozenset({None, errno.EINVAL})
"""Numbers of an `OSError` that is the archive's fault: bz2 and gzip raise one without a number, and zipfile looks for a
place before the start of the file."""

CHUNK_BYTES: Final = 2**20


def is_archive(path: Path) -> bool:
    """Whether a path has the name of an archive that `unpack` reads."""
    return path.name.casefold().endswith(SUFFIXES)


def unpack(path: Path, cache: Cache) -> Path:
    """Return the folder with what is in the archive, unpacked unless it has been before.

    The folder is named by the bytes of the archive. Raises `DataError` for an archive that is damaged or changes while
    it is unpacked, or that holds what is refused (see `bench.files.members`), before anything is written; `BenchError`
    if the cache cannot be written.
    """
    cache.claim()
    try:
        sha256 = known_sha256(path, cache)
        place = cache.root / UNPACKED / content_key("unpacked", sha256)
        place.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(place.with_suffix(".lock")):
            if not place.exists():
                _unpack_to(place, path, sha256)
    except (*DAMAGED, OSError) as error:
        if isinstance(error, OSError) and error.errno not in DAMAGED_NUMBERS:
            raise BenchError(f"cannot unpack {path} into the cache {cache.root}: {error}; set BENCH_CACHE") from error
        raise DataError(f"cannot unpack {path}: {error}; unpack it yourself and name the folder") from error
    return place


def _unpack_to(place: Path, path: Path, sha256: str) -> None:
    """Unpack an archive of this hash to `place`, or leave nothing."""
    unfinished = place.with_suffix(".partial")
    shutil.rmtree(unfinished, ignore_errors=True)  # of a process that was killed
    unfinished.mkdir()
    try:
        with open_members(path) as members:
            targets = check_members(path, members, unfinished)
            _refuse_no_room(path, members, unfinished)
            for member, target in zip(members, targets, strict=True):
                _write(member, target)
        if file_sha256(path) != sha256:
            raise DataError(f"{path} changed while it was unpacked: give the same command once more")
        unfinished.rename(place)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _write(member: Member, target: Path) -> None:
    """Write a file or make a folder, in a folder in which there are no links.

    Neither times nor permissions are taken over. Raises `EOFError` if a file is shorter or longer than the archive
    says, and `FileExistsError` rather than write over another.
    """
    if member.is_folder:
        target.mkdir(parents=True, exist_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    missing = member.size_bytes
    with member.open() as source, target.open("xb") as file:
        while chunk := source.read(CHUNK_BYTES):
            missing -= len(chunk)
            if missing < 0:
                break
            file.write(chunk)
    if missing:
        raise EOFError(f"{member.name!r} has not the size that it says")


def _refuse_no_room(path: Path, members: Sequence[Member], folder: Path) -> None:
    size_bytes = sum(member.size_bytes for member in members if not member.is_folder)
    free_bytes = shutil.disk_usage(folder).free
    if size_bytes > free_bytes:
        raise DataError(
            f"{path} unpacks to {size_bytes / 2**20:.0f} MiB, of which {free_bytes / 2**20:.0f} MiB fit: set "
            "BENCH_CACHE"
        )


def sole_folder(folder: Path) -> Path:
    """Return the folder in which the content of an archive starts: many have everything in one folder with a name."""
    found = [entry for entry in folder.iterdir() if not entry.name.startswith((".", "__MACOSX"))]
    if len(found) == 1 and found[0].is_dir() and any(entry.is_dir() for entry in found[0].iterdir()):
        return sole_folder(found[0])
    return folder
