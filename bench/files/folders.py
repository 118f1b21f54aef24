"""Owns the files of a folder: listed, hashed and checked, and remembered so that the next time is a listing only."""

import hashlib
import json
import logging
import os
import stat
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, NamedTuple
from zlib import crc32

from bench.files.changes import is_settled
from bench.files.soundness import hear, picture_problem
from bench.runtime.cache import Cache, content_key, file_sha256

log = logging.getLogger(__name__)

Kind = Literal["picture", "recording"]

CHECKS: Final = 2  # raise it when the same bytes would be judged otherwise
IGNORED: Final = frozenset({"thumbs.db", "desktop.ini", "__macosx"})

# Files are read and hashed mostly without Python's lock; more threads than cores wait for disks side by side.
THREADS: Final = 16
BATCH: Final = 64
WORTH_TELLING: Final = 10_000

# What is known of a folder's files is kept in so many entries, so that one more file means reading a part again.
ENTRIES: Final = 16
SMALL_FOLDER: Final = 2_000


class File(NamedTuple):
    """A file in a folder: its path within, with forward slashes, and what changes when its content does."""

    path: str
    size: int
    modified_ns: int
    changed_ns: int


@dataclass(frozen=True, slots=True)
class Listing:
    """What lies in a folder: files, folders, links to folders, and by path why something is none of these."""

    files: list[File] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    linked: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)


class Finding(NamedTuple):
    """What reading a file showed: its sha256, what is wrong with it, and of a sound recording how long it is."""

    sha256: str
    problem: str = ""
    seconds: float = 0.0


def is_ignored(name: str) -> bool:
    """Whether a name is hidden or that of a file which a system leaves behind."""
    return name.startswith(".") or name.casefold() in IGNORED


def list_files(root: Path, top: str) -> Listing:
    """Return all files under the folder `top` of `root`, sorted by path, with none of the folders.

    Links within `root` are followed; those that leave it are refused. A folder reached in several ways counts once, so
    that links in a circle come to an end.
    """
    every = Listing()
    waiting, linked = deque([top]), deque[str]()
    seen: set[tuple[int, int]] = set()
    while waiting or linked:
        folder = (waiting or linked).popleft()  # under its own name before under that of a link
        try:
            status = (root / folder).stat()
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            level = list_folder(root, folder)
        except OSError as error:
            every.refused[folder] = f"cannot be listed: {error.strerror}"
            continue
        every.files.extend(level.files)
        every.refused.update(level.refused)
        waiting.extend(level.folders)
        linked.extend(level.linked)
    every.files.sort()
    return every


def list_folder(root: Path, folder: str) -> Listing:
    """Return what lies directly in `folder` of `root` ("" for `root` itself), all with their paths within `root`.

    Raises `OSError` if the folder cannot be listed.
    """
    level = Listing()
    real_root = os.path.realpath(root)
    with os.scandir(root / folder) as entries:
        found = sorted((entry for entry in entries if not is_ignored(entry.name)), key=lambda entry: entry.name)
    for entry in found:
        path = f"{folder}/{entry.name}" if folder else entry.name
        try:
            status = entry.stat()
        except OSError as error:
            level.refused[path] = f"cannot be read: {error.strerror}"
            continue
        if not _is_utf8(entry.name):
            level.refused[path] = "has a name that is not UTF-8"
        elif entry.is_symlink() and not Path(os.path.realpath(entry.path)).is_relative_to(real_root):
            level.refused[path] = "is a link that leaves the folder"
        elif stat.S_ISDIR(status.st_mode):
            (level.linked if entry.is_symlink() else level.folders).append(path)
        elif stat.S_ISREG(status.st_mode):
            level.files.append(File(path, status.st_size, status.st_mtime_ns, status.st_ctime_ns))
        else:
            level.refused[path] = "is neither a file nor a folder"
    return level


def _is_utf8(name: str) -> bool:
    """Whether a name came from bytes that are UTF-8: others are kept as lone surrogates."""
    return name.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in name)


def examine(root: Path, files: Sequence[File], kind: Kind, cache: Cache) -> list[Finding]:
    """Return what is found in each file, in their order.

    What is found is kept in `cache` under path, size and times of the files: those that have not changed since are not
    read again. A file that could not be opened is not remembered, nor one that changed a moment ago: it might change
    again and keep its times.
    """
    count = ENTRIES if len(files) > SMALL_FOLDER else 1
    parts: list[list[File]] = [[] for _ in range(count)]
    for file in filter(lambda file: is_settled(file.changed_ns), files):
        parts[crc32(file.path.encode()) % count].append(file)
    place = os.path.realpath(root)
    by_key = {content_key("files", CHECKS, kind, place, _identity(part)): part for part in parts if part}

    def make(paths: Mapping[str, Path]) -> None:
        waiting = [file for key in paths for file in by_key[key]]
        if len(waiting) >= WORTH_TELLING:
            log.info("reading %d files of %s, once", len(waiting), root)
        known = _read(root, waiting, kind)
        for key, path in paths.items():
            path.write_text(json.dumps([known.get(file.path) for file in by_key[key]]), encoding="utf-8")

    found: dict[str, Finding] = {}
    for key, path in cache.fetch_all(dict.fromkeys(by_key, f"what is in the {kind}s of {root}"), make).items():
        rows = json.loads(path.read_bytes())
        found |= {file.path: Finding(*row) for file, row in zip(by_key[key], rows, strict=True) if row}
    others = [file for file in files if file.path not in found]
    found |= _read(root, others, kind, keep_closed=True)
    return [found[file.path] for file in files]


def _identity(files: Sequence[File]) -> str:
    return hashlib.sha256(json.dumps(files).encode()).hexdigest()


def _read(root: Path, files: Sequence[File], kind: Kind, *, keep_closed: bool = False) -> dict[str, Finding]:
    """Return what is found, by path; of files that cannot be opened only if wanted."""
    look = look_at_picture if kind == "picture" else look_at_recording
    batches = [files[start : start + BATCH] for start in range(0, len(files), BATCH)]
    with ThreadPoolExecutor(THREADS) as pool:
        looked = list(pool.map(lambda batch: [_look(look, root / file.path) for file in batch], batches))
    found = {
        file.path: finding
        for batch, findings in zip(batches, looked, strict=True)
        for file, finding in zip(batch, findings, strict=True)
    }
    return {path: finding for path, finding in found.items() if finding.sha256 or keep_closed}


def _look(look: Callable[[Path], Finding], path: Path) -> Finding:
    """Return what is found; nothing but the problem if the file cannot be opened."""
    try:
        return look(path)
    except OSError as error:
        return Finding("", f"cannot be read: {error.strerror}")


def look_at_picture(path: Path) -> Finding:
    """Return hash and soundness of a picture, read once. Raises `OSError` if the file cannot be read at all."""
    data = path.read_bytes()
    return Finding(hashlib.sha256(data).hexdigest(), picture_problem(data))


def look_at_recording(path: Path) -> Finding:
    """Return hash, soundness and length of a recording. Raises `OSError` if the file cannot be read at all."""
    sha256 = file_sha256(path)
    heard = hear(path)
    return Finding(sha256, heard.problem, heard.seconds)
