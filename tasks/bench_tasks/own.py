"""Opening a task that somebody wrote in a file of their own."""

import inspect
from dataclasses import replace
from pathlib import Path

from bench.card import TaskCard
from bench.config.data import DataSpec
from bench.errors import DataError, unknown_name
from bench.files.scripts import run_script
from bench.runtime.cache import Cache
from bench.task import Split, Task, fingerprint


class OwnTask(Task):
    """A task whose card is not pinned, and names the data that were found when it was opened."""

    def __init__(self, own: Task, card: TaskCard, address: str) -> None:
        self.card = card
        self.target = own.target
        self._own = own
        self._address = address

    def split(self, fold: int, cache: Cache) -> Split:
        split = self._own.split(fold, cache)
        if fold == 0 and fingerprint(split) != self.card.sha256:
            raise DataError(
                f"{self._address} changed since it was looked at: give the same command once more; if nothing that it "
                "reads did, its `split` returns other data each time: draw them from a fixed seed"
            )
        return split


def open_own(name: str, spec: DataSpec, cache: Cache) -> Task:
    """Return the task in a Python file, `python:FILE` or `python:FILE:CLASS`; the file is run.

    The data of a card that is not pinned are loaded, and their hash is found: of several folds that of the first, which
    has all of them in it. Raises `DataError` if the file cannot be
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
        split = task.split(0, cache)
        card = replace(task.card, name=name, sha256=fingerprint(split), n_train=len(split.train), beside=split.beside)
        return OwnTask(task, card, spec.address)
    return task


def _tasks_in(path: Path) -> dict[str, type[Task]]:
    """Return the concrete tasks that a file defines, by the names of their classes."""
    module = run_script(path)
    return {
        name: one
        for name, one in inspect.getmembers(module, inspect.isclass)
        if issubclass(one, Task) and not inspect.isabstract(one) and one.__module__ == module.__name__
    }
