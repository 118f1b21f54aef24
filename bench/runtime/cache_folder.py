"""What lies in a cache folder, the mark that says whose folder it is, and removing nothing but what is its own.

    CACHEDIR.TAG          the mark; it also tells backups that the folder may be left out
    <key>.bin             an entry
    <key>.json            its note, written after it: description, size and sha256
    <key>.lock            held by the process that makes the entry; those that want it too wait
    unpacked/<key>/       an archive (see `bench.files.archives`), with its lock beside it
    fetched/<hash>/       a download (see `bench_tasks.hubs.remote`)

A key is 40 hexadecimal digits. What lies there under other names is not of this program.
"""

import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from bench.errors import BenchError
from bench.runtime.atomic import replaced_name, write_whole

UNPACKED: Final = "unpacked"
"""The folder within for unpacked archives; it does not count towards the limit."""

FETCHED: Final = "fetched"
"""The folder within for downloads, which `clear` leaves: the data of a run stay what they were."""

TAG: Final = "CACHEDIR.TAG"
SIGNATURE: Final = b"Signature: 8a477f597d28d172789f06886806bc55"
"""The first 43 bytes of a tag, by the Cache Directory Tagging Specification (https://bford.info/cachedir/)."""

OUR_NAME: Final = b"bench-transfer"
TAG_CONTENT: Final = (
    SIGNATURE
    + b"\n# This file is a cache directory tag created by "
    + OUR_NAME
    + b".\n# For information about cache directory tags, see https://bford.info/cachedir/\n"
)

KEY: Final = re.compile(r"[0-9a-f]{40}")
ENTRY_FILE: Final = re.compile(r"(?P<key>[0-9a-f]{40})\.(json|bin|lock|partial)")

PLACES: Final[Mapping[str, re.Pattern[str]]] = {
    UNPACKED: re.compile(r"(?P<key>[0-9a-f]{40})(\.lock|\.partial)?"),
    FETCHED: re.compile(r"[0-9a-f]{12}"),
}
"""The folders within a cache, and the names that this program gives to what is in them."""

SYSTEM_FILES: Final = frozenset({".ds_store", "thumbs.db", "desktop.ini"})
"""What systems leave in any folder that is looked at, in small letters."""


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """An entry: what it holds, its size and when it was last used (seconds since the epoch)."""

    key: str
    description: str
    size_bytes: int
    used_at: float


def claim(root: Path) -> None:
    """Make a cache folder, and mark it as this program's unless it is marked.

    A folder without the mark is taken if it is empty, or holds nothing but what earlier versions, which set no mark,
    left there. Raises `BenchError` for any other, and if it cannot be written.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        if _is_marked(root):
            return
        stranger = next(_strangers(root), None)
        if stranger is not None and not _is_marked(root):  # another process may have set the mark meanwhile
            raise BenchError(
                f"the folder {root} holds {stranger}, which is not of this program's cache: let BENCH_CACHE name a new "
                f"or an empty folder (if the rest is a cache, move {stranger} elsewhere)"
            )
        write_whole(root / TAG, TAG_CONTENT)
    except OSError as error:
        raise BenchError(f"cannot write the cache {root}: {error.strerror}; set BENCH_CACHE") from error


def clear(root: Path) -> None:
    """Remove all entries and unpacked archives of a cache folder, but for those that are being made.

    Downloads, the mark and what is not of this program stay. Raises `BenchError` for a folder that is not a cache.
    """
    if not root.exists():
        return
    claim(root)
    files: dict[str, list[Path]] = {}
    for key, file in entry_files(root):
        files.setdefault(key, [])
        if not file.name.endswith(".lock"):
            files[key].append(Path(file.path))
    for key, paths in files.items():  # the note first: without it there is no entry
        remove_unless_held(root / f"{key}.lock", *sorted(paths, key=lambda path: path.suffix != ".json"))
    unpacked = root / UNPACKED
    for key in {found["key"] for path in _listed(unpacked) if (found := PLACES[UNPACKED].fullmatch(path.name))}:
        remove_unless_held(unpacked / f"{key}.lock", unpacked / key, unpacked / f"{key}.partial")
    with suppress(OSError):  # not there, or not empty
        unpacked.rmdir()


def entry_files(root: Path) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Yield key and file of all files of entries, temporary ones too."""
    with suppress(FileNotFoundError, NotADirectoryError), os.scandir(root) as files:
        for file in files:
            found = ENTRY_FILE.fullmatch(replaced_name(file.name) or file.name)
            if found and not file.is_dir():
                yield found["key"], file


def read_entry(root: Path, key: str) -> CacheEntry | None:
    """Return what the note of a key says, None if there is none or it is no note."""
    note = root / f"{key}.json"
    try:
        used_at, record = note.stat().st_mtime, json.loads(note.read_bytes())
        return CacheEntry(key, str(record["description"]), int(record["size_bytes"]), used_at)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def remove_unless_held(lock: Path, *paths: Path) -> None:
    """Remove files and folders and the lock under which they are made, unless it is held: then they are being made."""
    try:
        with FileLock(lock, timeout=0) if lock.exists() else nullcontext():
            for path in paths:
                if path.is_dir():
                    shutil.rmtree(path, ignore_errors=True)  # does not follow a link
                else:
                    path.unlink(missing_ok=True)
            with suppress(PermissionError):  # of a system that keeps the files that are open
                lock.unlink(missing_ok=True)
    except Timeout:
        return


def _is_marked(root: Path) -> bool:
    tag = root / TAG
    if tag.is_symlink() or not tag.is_file():
        return False
    content = tag.read_bytes()
    return content.startswith(SIGNATURE) and OUR_NAME in content


def _strangers(root: Path) -> Iterator[Path]:
    """Yield what is in a folder without the mark and was not put there by an earlier version of this program.

    An entry has to have a note: the hash in the name of a file may be anybody's.
    """
    own = {
        file.name
        for key, file in entry_files(root)
        if not file.name.endswith((".json", ".bin")) or read_entry(root, key) is not None
    }
    for path in _listed(root):
        if path.name in PLACES and path.is_dir():
            shape = PLACES[path.name]
            yield from (Path(path.name, one.name) for one in _listed(path) if not shape.fullmatch(one.name))
        elif path.name not in own and replaced_name(path.name) != TAG:
            yield Path(path.name)


def _listed(folder: Path) -> list[Path]:
    """Return what lies in a folder, by name, but for what systems leave there; nothing if it is not there."""
    try:
        return sorted(path for path in folder.iterdir() if path.name.casefold() not in SYSTEM_FILES)
    except (FileNotFoundError, NotADirectoryError):
        return []
