"""Opening a task that somebody wrote in a file of their own."""

import hashlib
import inspect
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from bench.card import ScoredUnits, TaskCard
from bench.config.data import DataSpec
from bench.errors import BenchError, DataError, unknown_name
from bench.files.scripts import describe_raised, run_script
from bench.runtime.cache import Cache
from bench.subsets.groups import SharedGroupsError
from bench.target import Target, combine_by
from bench.task import Split, Task, fingerprint
from bench_tasks.files.found import refuse_others
from bench_tasks.files.units import UNNAMED, count_units, refuse_mixed

APPLYING: Final = frozenset({"metric", "text", "encoding", "time", "series", "values", "frequency"})
"""Options that apply beside a task of one's own: its metric, and what an exported model reads other tables with."""


class OwnTask(Task):
    """A task in a user's file. A card that is not pinned names the data that were found when it was opened."""

    def __init__(self, written: "_Written", card: TaskCard, target: Target, address: str) -> None:
        self.card = card
        self.target = target
        self._written = written
        self._address = address

    def split(self, fold: int, cache: Cache) -> Split:
        split = self._written.split(fold, cache)
        if fold == 0 and not self.card.pinned and _content(split, self.target) != self.card.sha256:
            raise DataError(
                f"{self._address} changed since it was looked at: give the same command once more; if nothing that it "
                "reads did, its `split` returns other data each time: draw them from a fixed seed"
            )
        return split


class _Written:
    """A task as its file has it: what goes wrong in there is told in one line."""

    def __init__(self, kind: type[Task], file: Path) -> None:
        """Make the task. Raises `DataError` if that fails, or if it has no card or no target."""
        self._file = file
        self._name = f"{kind.__name__} in {file}"
        with self._told(self._name):
            self._task = kind()
        for name, wanted in (("card", TaskCard), ("target", Target)):
            if not isinstance(getattr(self._task, name, None), wanted):
                raise DataError(f"{self._name} is to have a {name}, a {wanted.__module__}.{wanted.__name__}")
        self.card = self._task.card
        self.target = self._task.target

    def split(self, fold: int, cache: Cache) -> Split:
        """Return what the task returns. Raises `DataError` for whatever it raises, and for what is no split."""
        where = f"`split` of {self._name}"
        with self._told(where):
            split: object = self._task.split(fold, cache)
        if not isinstance(split, Split):
            raise DataError(f"{where} is to return a bench.task.Split: got {type(split).__name__}")
        return split

    @contextmanager
    def _told(self, where: str) -> Iterator[None]:
        """Raise `DataError` that names a place in the file for whatever is raised there."""
        try:
            yield
        except SharedGroupsError as error:
            raise DataError(
                f"{where}: {error.found}; put all examples of a group on one side, which is a unit where no groups are "
                "named: Examples(…, groups=…, units=…)"
            ) from error
        except BenchError as error:
            raise DataError(f"{where}: {error}") from error
        except (Exception, SystemExit) as error:  # a user's code: its file is what has to be named
            raise DataError(f"{where} raised {describe_raised(error, self._file)}") from error


def open_own(name: str, spec: DataSpec, cache: Cache) -> Task:
    """Return the task in a Python file, `python:FILE` or `python:FILE:CLASS`; the file is run.

    The data of a card that is not pinned are loaded, and their hash is found: of several folds that of the first, which
    has all of them in it. Raises `DataError` for options of what the task says itself, such as groups or a title; if
    the file cannot be run or holds no task; and for examples that are to be scored as one and cannot be. Raises
    `UnknownNameError` if it has none of this class. Whatever its code raises, then or later, is a `DataError` that
    names the file.
    """
    if spec.options.score_by:
        raise DataError(f"{spec.address}: a task of your own says itself what is scored as one: Examples(…, units=…)")
    refuse_others(spec, APPLYING)
    file, _, wanted = spec.place.partition(":")
    found = _tasks_in(Path(file))
    if wanted and wanted not in found:
        raise unknown_name(f"task class in {file}", wanted, found)
    if not wanted and len(found) != 1:
        names = ", ".join(found) or "none"
        raise DataError(f"{file} is to define one subclass of bench.task.Task, or say python:{file}:CLASS: got {names}")
    written = _Written(found[wanted] if wanted else next(iter(found.values())), Path(file))
    card, target = written.card, written.target
    if not card.pinned:
        split = written.split(0, cache)
        target = target if split.test.units is None else combine_by(target, target.combined_by)
        _refuse_unread(spec.address, split, target)
        card = replace(
            card,
            name=name,
            sha256=_content(split, target),
            n_train=len(split.train),
            beside=split.beside,
            scored=_scored(spec.address, card, target, split),
        )
    return OwnTask(written, card, target, spec.address)


def _refuse_unread(address: str, split: Split, target: Target) -> None:
    """Raise `DataError` if train, test or a shift of the task lacks the labels that the target reads."""
    for part in (split.train, split.test, *(other.examples for other in split.elsewhere)):
        if target.reads not in part.labels:
            got = ", ".join(part.labels) or "none"
            raise DataError(f"{address}: the target reads the labels {target.reads!r}: got {got}")


def _content(split: Split, target: Target) -> str:
    """Return the hash of the data of a split, and of what is made of them: the target, and the column that it reads.

    Where units are scored as one it is also that of how their predictions are combined.
    """
    combined = [] if split.test.units is None else [target.combined_by]
    said = [fingerprint(split), target.identity, target.reads, *combined]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def _scored(address: str, card: TaskCard, target: Target, split: Split) -> ScoredUnits | None:
    """Return what is scored as one, of all folds together; the card may have its name."""
    tested = [split.train, split.test] if card.folds > 1 else [split.test]
    units = [part.units for part in tested if part.units is not None]
    if split.test.units is None:
        return None
    for part in tested:
        if part.units is not None:
            names = [f"example {row}" for row in range(len(part))] if part.names is None else part.names.tolist()
            refuse_mixed(address, part.units.tolist(), part.labels[target.reads], names)
    return count_units(card.scored.name if card.scored else UNNAMED, np.concatenate(units), target)


def _tasks_in(path: Path) -> dict[str, type[Task]]:
    """Return the concrete tasks that a file defines, by the names of their classes."""
    module = run_script(path)
    return {
        name: one
        for name, one in inspect.getmembers(module, inspect.isclass)
        if issubclass(one, Task) and not inspect.isabstract(one) and one.__module__ == module.__name__
    }
