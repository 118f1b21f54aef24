"""The cache: files under the hash of everything they were made from, in a folder (see `bench.runtime.cache_folder`).

An entry is a file and, written after it, a small JSON note with its sha256. Without the note, or with another hash,
there is no entry and it is made anew. Processes that want the same entry wait for the one that makes it. Entries
outlive runs; the least recently used go when they outgrow the limit.
"""

import hashlib
import json
import os
from collections.abc import Callable, Container, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final

from filelock import FileLock
from platformdirs import user_cache_path

from bench.runtime.atomic import replacing
from bench.runtime.cache_folder import (
    KEY,
    CacheEntry,
    claim,
    clear,
    entry_files,
    read_entry,
    remove_unless_held,
)

DEFAULT_LIMIT_BYTES: Final = 10 * 2**30


class Cache:
    """A folder of files by content, of at most about `limit_bytes`. Threads and processes may share it."""

    def __init__(self, root: Path, *, limit_bytes: int = DEFAULT_LIMIT_BYTES) -> None:
        self.root = root
        self.limit_bytes = limit_bytes
        self._verified: set[str] = set()

    def get(self, key: str) -> Path | None:
        """Return the file of `key`, which counts as used now, or None without a sound entry.

        Its bytes are hashed once per process. Somebody else may remove the file before it is opened: see `read`.
        """
        try:
            note = json.loads(self._note(key).read_bytes())
            whole = bool(self._file(key).stat().st_size == note["size_bytes"])
            if whole and key not in self._verified:
                whole = file_sha256(self._file(key)) == note["sha256"]
            if whole:
                os.utime(self._note(key))
        except (OSError, ValueError, KeyError, TypeError):
            return None
        if not whole:
            return None
        self._verified.add(key)
        return self._file(key)

    def read(self, key: str) -> bytes | None:
        """Return the content of a small entry, or None without a sound one, even if it is removed meanwhile."""
        path = self.get(key)
        try:
            return None if path is None else path.read_bytes()
        except FileNotFoundError:
            return None

    def fetch(self, key: str, description: str, make: Callable[[Path], None]) -> Path:
        """Return the file of `key`, calling `make` to write it to the path it is given if there is no sound one.

        Raises `BenchError` if the folder cannot be written or is not a cache, and whatever `make` raises.
        """
        return self.fetch_all({key: description}, lambda paths: make(paths[key]))[key]

    def fetch_all(self, wanted: Mapping[str, str], make: Callable[[Mapping[str, Path]], None]) -> dict[str, Path]:
        """Return the files of several keys, `wanted` with their descriptions; what is missing is made in one call.

        `make` is given the paths to write, by key, of those without a sound entry. Raises like `fetch`.
        """
        missing = [key for key in sorted(wanted) if self.get(key) is None]
        if missing:
            claim(self.root)
            with ExitStack() as locks:
                for key in missing:  # in one order everywhere, so that no two processes wait for each other
                    locks.enter_context(FileLock(self._lock(key)))
                missing = [key for key in missing if self.get(key) is None]
                if missing:
                    self._make({key: wanted[key] for key in missing}, make)
                    self._evict(keep=wanted)
        return {key: self._file(key) for key in wanted}

    def claim(self) -> None:
        """Make the folder and mark it, before something is written there. Raises `BenchError` if it is not a cache."""
        claim(self.root)

    def entries(self) -> list[CacheEntry]:
        """Return all entries, the least recently used first."""
        found = (read_entry(self.root, key) for key, file in entry_files(self.root) if file.name == f"{key}.json")
        return sorted((entry for entry in found if entry is not None), key=lambda entry: entry.used_at)

    def discard(self, key: str) -> None:
        """Remove the entry of `key`, if there is one."""
        for path in (self._note(key), self._file(key)):  # the note first: without it there is no entry
            path.unlink(missing_ok=True)
        remove_unless_held(self._lock(key))
        self._verified.discard(key)

    def clear(self) -> None:
        """Remove all entries and unpacked archives, but for those that are being made.

        Downloads and what is not of this program stay. Raises `BenchError` for a folder that is not a cache.
        """
        clear(self.root)
        self._verified.clear()

    def _make(self, missing: Mapping[str, str], make: Callable[[Mapping[str, Path]], None]) -> None:
        """Make the entries of these keys, given with their descriptions, whose locks are held. Notes come last.

        Nothing is flushed to the disk: what a power failure damages has another hash than its note says.
        """
        for key, file in entry_files(self.root):
            if key in missing and file.name.endswith(".partial"):  # of a process that was killed
                Path(file.path).unlink(missing_ok=True)
        with ExitStack() as writing:
            paths = {key: writing.enter_context(replacing(self._file(key), durable=False)) for key in missing}
            make(paths)
            notes = {
                key: {"description": missing[key], "size_bytes": path.stat().st_size, "sha256": file_sha256(path)}
                for key, path in paths.items()
            }
        for key, note in notes.items():
            with replacing(self._note(key), durable=False) as temporary:
                temporary.write_text(json.dumps(note), encoding="utf-8")
            self._verified.add(key)

    def _evict(self, *, keep: Container[str]) -> None:
        surplus = self._size_bytes() - self.limit_bytes
        for entry in self.entries() if surplus > 0 else ():
            if surplus <= 0:
                return
            if entry.key not in keep:
                self.discard(entry.key)
                surplus -= entry.size_bytes

    def _size_bytes(self) -> int:
        """Return the size of all entries, without reading their notes."""
        total = 0
        for key, file in entry_files(self.root):
            with suppress(FileNotFoundError):  # removed since it was listed
                total += file.stat().st_size if file.name == f"{key}.bin" else 0
        return total

    def _file(self, key: str) -> Path:
        return self._path(key, ".bin")

    def _note(self, key: str) -> Path:
        return self._path(key, ".json")

    def _lock(self, key: str) -> Path:
        return self._path(key, ".lock")

    def _path(self, key: str, suffix: str) -> Path:
        assert KEY.fullmatch(key), f"{key!r} is no content key"
        return self.root / f"{key}{suffix}"


def default_cache() -> Cache:
    """Return the cache in the folder that `BENCH_CACHE` names, else in the user's cache folder."""
    named = os.environ.get("BENCH_CACHE")
    return Cache(Path(named) if named else user_cache_path("bench-transfer"))


def content_key(*parts: object) -> str:
    """Return the hash of all parts, in order: 40 hexadecimal digits."""
    return hashlib.sha256(json.dumps([str(part) for part in parts]).encode()).hexdigest()[:40]


def file_sha256(path: Path) -> str:
    """Return the sha256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
