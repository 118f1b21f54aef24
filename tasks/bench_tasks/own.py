"""Owns opening a task that somebody wrote in a file of their own."""

import importlib.util
import inspect
from dataclasses import replace
from pathlib import Path

from bench.card import TaskCard
from bench.config.data import DataSpec
from bench.errors import DataError, unknown_name
from bench.runtime.cache import Cache
from bench.task import Splits, Task, fingerprint


class OwnTask(Task):
    """A task whose card is not pinned, and names the data that were found when it was opened."""

    def __init__(self, own: Task, card: TaskCard, address: str) -> None:
        self.card = card
        self.target = own.target
        self._own = own
        self._address = address

    def load(self, cache: Cache) -> Splits:
        splits = self._own.load(cache)
        if fingerprint(splits) != self.card.sha256:
            raise DataError(
                f"{self._address} changed since it was looked at: give the same command once more; if nothing that it "
                "reads did, its `load` returns other data each time: draw them from a fixed seed"
            )
        return splits


def open_own(name: str, spec: DataSpec, cache: Cache) -> Task:
    """Return the task in a Python file, `python:FILE` or `python:FILE:CLASS`; the file is run.

    The data of a card that is not pinned are loaded, and their hash is found. Raises `DataError` if the file cannot be
    run or holds no task, and `UnknownNameError` if it has none of this class.
    """
    file, _, wanted = spec.place.partition(":")
    found = _tasks_in(Path(file))
    if wanted and wanted not in found:
        raise unknown_name(f"task class in {file}", wanted, found)
    if not wanted and len(found) != 1:
        names = ", ".join(found) or "none"
        raise DataError(f"{file} is to define one subclass of bench.task.Task, or say python:{file}:CLASS: got {names}")
    task = (found[wanted] if wanted else next(iter(found.values())))()
    if not task.card.pinned:
        splits = task.load(cache)
        card = replace(task.card, name=name, sha256=fingerprint(splits), n_train=len(splits.train))
        return OwnTask(task, card, spec.address)
    return task


def _tasks_in(path: Path) -> dict[str, type[Task]]:
    """Return the concrete tasks that a file defines, by the names of their classes."""
    spec = importlib.util.spec_from_file_location(f"bench_own_{path.stem}", path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise DataError(f"there is no Python file {path}")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (ImportError, SyntaxError) as error:
        raise DataError(f"cannot run {path}: {error}") from error
    return {
        name: one
        for name, one in inspect.getmembers(module, inspect.isclass)
        if issubclass(one, Task) and not inspect.isabstract(one) and one.__module__ == module.__name__
    }
