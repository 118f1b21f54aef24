"""Owns the cache folder: files under the hash of everything they were made from.

An entry is a file and, written after it, a small JSON note with its sha256. Without the note, or with another hash,
there is no entry and it is made anew. Processes that want the same entry wait for the one that makes it. Entries
outlive runs; the least recently used go when the folder outgrows its limit.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from filelock import FileLock
from platformdirs import user_cache_path

from bench.errors import BenchError

DEFAULT_LIMIT_BYTES: Final = 10 * 2**30

UNPACKED: Final = "unpacked"
"""The folder beside the entries where archives are unpacked; it does not count towards the limit."""


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """An entry: what it holds, its size and when it was last used (seconds since the epoch)."""

    key: str
    description: str
    size_bytes: int
    used_at: float


class Cache:
    """A folder of files by content, of at most about `limit_bytes`."""

    def __init__(self, root: Path, *, limit_bytes: int = DEFAULT_LIMIT_BYTES) -> None:
        self.root = root
        self.limit_bytes = limit_bytes
        self._verified: set[str] = set()

    def fetch(self, key: str, description: str, make: Callable[[Path], None]) -> Path:
        """Return the file of `key`, calling `make` to write it to the path it is given if there is no sound one.

        Raises `BenchError` if the folder cannot be written, and whatever `make` raises.
        """
        return self.fetch_all({key: description}, lambda paths: make(paths[key]))[key]

    def fetch_all(self, wanted: Mapping[str, str], make: Callable[[Mapping[str, Path]], None]) -> dict[str, Path]:
        """Return the files of several keys, `wanted` with their descriptions; what is missing is made in one call.

        `make` is given the paths to write, by key, of those without a sound entry. Raises like `fetch`.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BenchError(f"cannot write the cache {self.root}: {error.strerror}; set BENCH_CACHE") from error
        missing = [key for key in sorted(wanted) if not self.holds(key)]
        with ExitStack() as locks:
            for key in missing:  # in one order everywhere, so that no two processes wait for each other
                locks.enter_context(FileLock(self.root / f"{key}.lock"))
            missing = [key for key in missing if not self.holds(key)]
            if missing:
                make({key: self._partial(key) for key in missing})
                for key in missing:
                    self._keep(key, wanted[key])
                self._evict(keep=wanted)
        for key in wanted:
            os.utime(self._note(key))
        return {key: self._file(key) for key in wanted}

    def holds(self, key: str) -> bool:
        """Whether there is a sound entry; its bytes are read once per process."""
        try:
            said = json.loads(self._note(key).read_bytes())
            whole = bool(self._file(key).stat().st_size == said["size_bytes"])
            if whole and key not in self._verified:
                whole = file_sha256(self._file(key)) == said["sha256"]
        except (OSError, ValueError, KeyError):
            return False
        if whole:
            self._verified.add(key)
        return whole

    def entries(self) -> Iterator[CacheEntry]:
        """Yield all entries, the least recently used first."""
        notes = sorted(self.root.glob("*.json"), key=lambda note: note.stat().st_mtime)
        for note in notes:
            said = json.loads(note.read_bytes())
            yield CacheEntry(note.stem, said["description"], said["size_bytes"], note.stat().st_mtime)

    def discard(self, key: str) -> None:
        """Remove the entry of `key`, if there is one."""
        self._remove(key)

    def clear(self) -> None:
        """Remove all entries."""
        for entry in list(self.entries()):
            self._remove(entry.key)
        shutil.rmtree(self.root / UNPACKED, ignore_errors=True)

    def _keep(self, key: str, description: str) -> None:
        """Put what was written for `key` in its place, the note last."""
        path, note, partial = self._file(key), self._note(key), self._partial(key)
        said = {"description": description, "size_bytes": partial.stat().st_size, "sha256": file_sha256(partial)}
        note.unlink(missing_ok=True)
        partial.replace(path)
        partial.write_text(json.dumps(said), encoding="utf-8")
        partial.replace(note)
        self._verified.add(key)

    def _evict(self, *, keep: Container[str]) -> None:
        surplus = sum(path.stat().st_size for path in self.root.glob("*.bin")) - self.limit_bytes
        if surplus <= 0:
            return
        for entry in self.entries():
            if surplus <= 0:
                return
            if entry.key not in keep:
                self._remove(entry.key)
                surplus -= entry.size_bytes

    def _remove(self, key: str) -> None:
        for path in (self._note(key), self._file(key), self.root / f"{key}.lock"):
            path.unlink(missing_ok=True)
        self._verified.discard(key)

    def _file(self, key: str) -> Path:
        return self.root / f"{key}.bin"

    def _partial(self, key: str) -> Path:
        return self.root / f"{key}.partial"

    def _note(self, key: str) -> Path:
        return self.root / f"{key}.json"


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
