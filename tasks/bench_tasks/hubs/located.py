"""The contract of a reader of one library's data sets, and where a data set lies."""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, Protocol

from bench.config.data import DataSpec
from bench.runtime.cache import Cache
from bench_tasks.files.labelled import Found


class Located(NamedTuple):
    """Where a data set lies: `roots` are files and folders, `parts` the files of each part where a reader needs them.

    As long as nothing under the roots changes, what was found out stays true. `remarks` are what was decided on the
    way.
    """

    roots: tuple[str, ...]
    parts: Mapping[str, tuple[str, ...]] = {}
    remarks: tuple[str, ...] = ()


class Reader(Protocol):
    """A module that knows one library's data sets."""

    def locate(self, spec: DataSpec, *, large: bool) -> Located:
        """Return where a data set lies, fetched if it is not there; one that is large only if that is wanted.

        Raises `DataError` if it cannot be had.
        """

    def read(self, spec: DataSpec, located: Located, cache: Cache) -> Found:
        """Return what is in it. Raises `DataError` if it cannot be used."""


def stamp(root: Path) -> str:
    """Return the hash of what changes when a file, or one in a folder, does: path, size and time of writing."""
    digest = hashlib.sha256()
    waiting = [str(root)] if root.is_dir() else []
    if not waiting:
        digest.update(_state(root.stat()) if root.exists() else b"not there")
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                digest.update(entry.path.encode() + _state(entry.stat(follow_symlinks=False)))
    return digest.hexdigest()


def _state(found: os.stat_result) -> bytes:
    return f"\0{found.st_size} {found.st_mtime_ns}\n".encode()
