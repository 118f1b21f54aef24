"""Owns the task contract: labelled raw examples, split into train and test, with a card and a target."""

import hashlib
import logging
from abc import ABC, abstractmethod
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from bench.card import TaskCard
from bench.domain import Indices, Raw
from bench.errors import DataError
from bench.runtime.cache import Cache
from bench.target import Labels, Target

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """Raw examples with their labels: int64 [n] for classes, float32 [n, steps] for a horizon."""

    raw: Raw
    labels: Labels

    def __len__(self) -> int:
        return len(self.raw)

    def take(self, indices: Indices) -> "Examples":
        """Return the examples at `indices`."""
        return Examples(self.raw.take(indices), self.labels[indices])


@dataclass(frozen=True, slots=True, eq=False)
class Splits:
    """Train and test; no group (voice, word family, stretch of time) has examples in both.

    `train_groups` and `test_groups` name each example's groups where the task has any, so that this can be checked.
    """

    train: Examples
    test: Examples
    train_groups: tuple[str, ...] = ()
    test_groups: tuple[str, ...] = ()


class Task(ABC):
    """Labelled target data. `load` is deterministic and takes no seed: all runs share one test split."""

    card: TaskCard
    target: Target

    @abstractmethod
    def load(self, cache: Cache) -> Splits:
        """Return the data; what has to be generated is kept in `cache`."""


def verify(task: Task, splits: Splits) -> str:
    """Return the sha256 of the data; that of pinned splits is held against the task's card.

    Synthetic data may differ in their last bits where another processor rounds otherwise: that is told, not refused,
    and the hash goes with every result. Raises `DataError` if other data are not the ones the card names.
    """
    if not task.card.pinned:
        return task.card.sha256
    found, expected = fingerprint(splits), task.card.sha256
    if found != expected:
        differs = f"the data of task {task.card.name!r} are not those of its card: got sha256 {found[:12]}…, expected "
        if not task.card.synthetic:
            raise DataError(f"{differs}{expected[:12]}…; reinstall the package they come from under constraints.txt")
        log.warning("%s%s…; scores here are of slightly other data", differs, expected[:12])
    return found


def fingerprint(splits: Splits) -> str:
    """Return the sha256 of raw examples and labels of both splits."""
    digest = hashlib.sha256()
    for part in (splits.train, splits.test):
        for column in (*part.raw.columns(), str(part.labels.shape).encode(), part.labels.tobytes()):
            digest.update(len(column).to_bytes(8, "little"))
            digest.update(column)
    return digest.hexdigest()


def packaged_file(package: str, path: str) -> Path:
    """Return a data file inside an installed package, without importing the package (seconds, for some).

    Raises `DataError` if package or file is missing.
    """
    spec = find_spec(package)
    folders = spec.submodule_search_locations if spec else None
    for folder in folders or ():
        if (found := Path(folder) / path).exists():
            return found
    raise DataError(f"the data file {path} of the package {package} is missing: reinstall it (`make install`)")
