"""Owns tasks on data sets that libraries fetch: what was found out of one is kept, and the next run need not look."""

import hashlib
import importlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

from bench import __version__
from bench.card import TaskCard, read_card
from bench.config.data import DataSpec
from bench.errors import DataError
from bench.runtime.cache import Cache, content_key
from bench.target import Classes
from bench.task import Splits, Task
from bench_tasks.files.labelled import Found, labelled_task
from bench_tasks.hubs.known import with_known


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


READERS: Final[Mapping[str, str]] = {
    "torchvision": "bench_tasks.hubs.torchvision_data",
    "torchaudio": "bench_tasks.hubs.torchaudio_data",
    "hf": "bench_tasks.hubs.hf_data",
}
"""Modules by kind of address. They load their libraries, for seconds, and so are imported when they are needed."""

LIBRARIES: Final = ("torchvision", "torchaudio", "datasets")
"""Another version of one of these may read the same files otherwise."""


class KeptTask(Task):
    """A task whose card and classes are known from an earlier look at its data."""

    def __init__(self, card: TaskCard, names: tuple[str, ...], spec: DataSpec, located: Located) -> None:
        self.card = card
        self.target = Classes(names)
        self._spec = spec
        self._located = located

    def load(self, cache: Cache) -> Splits:
        task = labelled_task(self.card.name, self._spec, _reader(self._spec).read(self._spec, self._located, cache))
        if task.card.sha256 != self.card.sha256:
            cache.discard(_key(self.card.name, self._spec))  # so that the next command looks at the data, not at this
            raise DataError(f"{self._spec.address} changed since it was looked at: give the same command once more")
        return task.load(cache)


def open_kept(name: str, spec: DataSpec, cache: Cache) -> Task:
    """Return the task `name` on a data set of a library, fetched if it is not there and not large.

    Raises `DataError` if it cannot be had or used.
    """
    return _open(name, with_known(spec), cache, large=False)


def fetch_kept(name: str, spec: DataSpec, cache: Cache) -> tuple[Task, tuple[Path, ...]]:
    """Return the task `name`, its data set fetched however large, and the files and folders that it is in.

    Raises like `open_kept`.
    """
    told = with_known(spec)
    task = _open(name, told, cache, large=True)
    kept = _kept(name, told, cache)
    return task, tuple(map(Path, kept["located"]["roots"])) if kept else ()


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


def _open(name: str, spec: DataSpec, cache: Cache, *, large: bool) -> Task:
    kept = _kept(name, spec, cache)
    if kept is not None:
        card = read_card(TaskCard, kept["card"])
        return KeptTask(card, tuple(kept["names"]), spec, _located(kept["located"]))
    reader = _reader(spec)
    located = reader.locate(spec, large=large)
    stamps = _stamps(located)  # before it is read: what changes meanwhile is looked at again
    found = reader.read(spec, located, cache)
    task = labelled_task(name, spec, found)
    assert isinstance(task.target, Classes)
    said = {
        "card": asdict(task.card),
        "names": task.target.names,
        "located": located._asdict(),
        "stamps": stamps,
    }
    cache.fetch(_key(name, spec), f"the card of {spec.address}", lambda path: _write(path, json.dumps(said)))
    return task


def _kept(name: str, spec: DataSpec, cache: Cache) -> dict[str, Any] | None:
    """Return what is kept of a data set, or None if there is nothing or its files have changed."""
    key = _key(name, spec)
    content = cache.read(key)
    if content is None:
        return None
    said: dict[str, Any] = json.loads(content)
    if said["stamps"] != _stamps(_located(said["located"])):
        cache.discard(key)
        return None
    return said


def _stamps(located: Located) -> list[str]:
    return [stamp(Path(root)).sha256 for root in located.roots]


def _located(said: Mapping[str, Any]) -> Located:
    parts = {part: tuple(files) for part, files in said["parts"].items()}
    return Located(tuple(said["roots"]), parts, tuple(said["remarks"]))


def _reader(spec: DataSpec) -> Reader:
    module: Any = importlib.import_module(READERS[spec.kind])
    reader: Reader = module
    return reader


def _key(name: str, spec: DataSpec) -> str:
    # With the working folder, because an address may hold a relative path.
    said = spec.options.model_dump_json()
    libraries = map(version, LIBRARIES)
    return content_key("task card", __version__, name, spec.family, spec.address, said, Path.cwd(), *libraries)


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
