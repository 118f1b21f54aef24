"""Tasks on data sets that libraries fetch: what was found out of one is kept, and the next run need not look."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from bench.card import TaskCard, read_card
from bench.config.data import DataSpec
from bench.errors import DataError
from bench.runtime.cache import Cache, content_key
from bench.target import Target
from bench.targets.registered import target_of, target_record
from bench.task import Examples, Split, Task, WholeTask
from bench.versions import VERSION
from bench_tasks.files.labelled import LabelledTask, labelled_task
from bench_tasks.hubs.known import with_known
from bench_tasks.hubs.located import Located, Reader, stamp

LIBRARY_KINDS: Final = ("torchvision", "torchaudio", "hf")
"""Kinds of address whose data sets are read by the library that fetches them."""

LIBRARIES: Final = ("torchvision", "torchaudio", "datasets")
"""Another version of one of these may read the same files otherwise."""


class KeptTask(WholeTask):
    """A task whose card and target are known from an earlier look at its data."""

    def __init__(self, card: TaskCard, target: Target, spec: DataSpec, located: Located) -> None:
        self.card = card
        self.target = target
        self._spec = spec
        self._located = located

    def split(self, fold: int, cache: Cache) -> Split:
        return self._read(cache).split(fold, cache)

    def everything(self, cache: Cache) -> Examples:
        return self._read(cache).everything(cache)

    def _read(self, cache: Cache) -> LabelledTask:
        """Return the task on what its files hold now. Raises `DataError` if they changed since they were looked at."""
        found = _reader(self._spec.kind).read(self._spec, self._located, cache)
        task = labelled_task(self.card.name, self._spec, found)
        if task.card.sha256 != self.card.sha256:
            cache.discard(_key(self.card.name, self._spec))  # so that the next command looks at the data, not at this
            raise DataError(f"{self._spec.address} changed since it was looked at: give the same command once more")
        return task


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


def _open(name: str, spec: DataSpec, cache: Cache, *, large: bool) -> Task:
    kept = _kept(name, spec, cache)
    if kept is not None:
        card = read_card(TaskCard, kept["card"])
        return KeptTask(card, target_of(kept["target"]), spec, _located(kept["located"]))
    reader = _reader(spec.kind)
    located = reader.locate(spec, large=large)
    stamps = _stamps(located)  # before it is read: what changes meanwhile is looked at again
    found = reader.read(spec, located, cache)
    task = labelled_task(name, spec, found)
    said = {
        "card": asdict(task.card),
        "target": target_record(task.target),
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


def _reader(kind: str) -> Reader:
    """Return the reader of a kind of address, with its library, which takes seconds to load."""
    match kind:
        case "torchvision":
            from bench_tasks.hubs import torchvision_data  # noqa: PLC0415 (see above)

            return torchvision_data
        case "torchaudio":
            from bench_tasks.hubs import torchaudio_data  # noqa: PLC0415 (see above)

            return torchaudio_data
        case _:
            from bench_tasks.hubs import hf_data  # noqa: PLC0415 (see above)

            return hf_data


def _key(name: str, spec: DataSpec) -> str:
    # With the working folder, because an address may hold a relative path.
    said = spec.options.model_dump_json()
    libraries = map(version, LIBRARIES)
    return content_key("task card", VERSION, name, spec.family, spec.address, spec.folds, said, Path.cwd(), *libraries)


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
