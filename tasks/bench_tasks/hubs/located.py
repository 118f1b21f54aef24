"""The contract of a reader of one library's data sets, and where a data set lies."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, Protocol

from bench.config.data import DataSpec
from bench.runtime.cache import Cache
from bench_tasks.files.found import Found


class Located(NamedTuple):
    """Where a data set lies: `roots` are files and folders, `parts` the files of each part where a reader needs them.

    As long as nothing under the roots changes, what was found out stays true. `remarks` are what was decided on the
    way.
    """

    roots: tuple[str, ...]
    parts: Mapping[str, tuple[str, ...]] = {}
    remarks: tuple[str, ...] = ()


class Stamp(NamedTuple):
    """What changes when a file does, or one in a folder: the hash of paths, sizes and times, and the latest time."""

    sha256: str
    changed_ns: int


class Reader(Protocol):
    """A module that knows one library's data sets."""

    def locate(self, spec: DataSpec, *, large: bool) -> Located:
        """Return where a data set lies, fetched if it is not there; one that is large only if that is wanted.

        Raises `DataError` if it cannot be had.
        """

    def read(self, spec: DataSpec, located: Located, cache: Cache) -> Found:
        """Return what is in it. Raises `DataError` if it cannot be used."""


def stamp(root: Path) -> Stamp:
    """Return the stamp of a file, or of a folder and all in it."""
    digest, changed_ns = hashlib.sha256(), 0
    for path, found in _states(root):
        digest.update(f"{path}\0{found.st_size} {found.st_mtime_ns} {found.st_ctime_ns}\n".encode())
        changed_ns = max(changed_ns, found.st_ctime_ns)
    return Stamp(digest.hexdigest(), changed_ns)


def _states(root: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Yield what the system says of a file, or of all that is in a folder; nothing if there is neither."""
    if root.is_file():
        yield "", root.stat()
    waiting = [str(root)] if root.is_dir() else []
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                yield entry.path, entry.stat(follow_symlinks=False)
