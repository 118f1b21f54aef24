"""The task contract: labelled raw examples, split into train and test, with a card and a target."""

import hashlib
import logging
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.card import TaskCard
from bench.column import Column, Dense, Indices, Ragged, digest
from bench.domain import Raw
from bench.errors import DataError
from bench.runtime.cache import Cache, content_key
from bench.subsets.groups import (
    refuse_divided_units,
    refuse_learnt_elsewhere,
    refuse_shared_groups,
    refuse_tested_source,
)
from bench.target import Target

log = logging.getLogger(__name__)

SHIFT_NAME: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
"""It is part of the names of files."""


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """Raw examples with what is known of them, each [n].

    `labels` are columns by name: a target names the one it reads, and several tasks can read one split. `facts` is what
    scoring and counting need of the inputs, such as the unit of errors. `groups` names what an example belongs to: a
    voice, a word family, a patient, a stretch of time; `names` says where each is found: a file, a row. `units` names
    what is scored as one: the predictions of its examples are combined before every metric (see
    `bench.target.Target.combinations`). Without groups of their own, examples are grouped by these units.

    Tasks in a user's file make them: raises `DataError` for what is no column, or no array of strings, of n entries.
    """

    raw: Raw
    labels: Mapping[str, Column]
    facts: Column | None = None
    groups: NDArray[np.str_] | None = None
    names: NDArray[np.str_] | None = None
    units: NDArray[np.str_] | None = None

    def __post_init__(self) -> None:
        columns = {f"labels[{name!r}]": column for name, column in self.labels.items()} | {"facts": self.facts}
        for name, column in columns.items():
            _refuse_other_column(name, column, len(self.raw))
        for name, strings in (("groups", self.groups), ("names", self.names), ("units", self.units)):
            _refuse_other_strings(name, strings, len(self.raw))
        if self.groups is None and self.units is not None:  # a unit must not be on two sides, in two folds or blocks
            object.__setattr__(self, "groups", self.units)

    def __len__(self) -> int:
        return len(self.raw)

    def take(self, rows: Indices) -> "Examples":
        """Return the examples at `rows`."""
        return Examples(
            self.raw.take(rows),
            {name: column.take(rows) for name, column in self.labels.items()},
            None if self.facts is None else self.facts.take(rows),
            None if self.groups is None else self.groups[rows],
            None if self.names is None else self.names[rows],
            None if self.units is None else self.units[rows],
        )


def _refuse_other_column(name: str, column: object, n: int) -> None:
    """Raise `DataError` for what is neither None nor a column of n entries."""
    if column is None:
        return
    if not isinstance(column, Dense | Ragged):
        raise DataError(f"{name} of Examples are to be a column, such as Dense({{…}}): got {type(column).__name__}")
    if len(column) != n:
        raise DataError(f"{name} of Examples are to have an entry for each example: got {len(column)} for {n}")


def _refuse_other_strings(name: str, strings: object, n: int) -> None:
    """Raise `DataError` for what is neither None nor an array of n strings."""
    if strings is None:
        return
    wanted = f"{name} of Examples are to be an array of strings, one for each example"
    if not isinstance(strings, np.ndarray):
        raise DataError(f"{wanted}, such as np.array([…]): got {type(strings).__name__}")
    if strings.shape != (n,):
        raise DataError(f"{wanted}, of shape ({n},): got the shape {strings.shape}")
    kind = strings.dtype.kind
    if kind not in "UTO" or (kind == "O" and not all(isinstance(one, str) for one in strings)):
        raise DataError(f"{wanted}, such as numbers.astype(str): got {strings.dtype}")


@dataclass(frozen=True, slots=True, eq=False)
class Elsewhere:
    """Labelled examples of another place, such as another kind of text: a shift that a task brings itself.

    Every model of the task is scored on them too, without being trained again. `name` is unique among the shifts of the
    task; `title` says what the examples are. Raises `DataError` for a name that is no lower-case word.
    """

    name: str
    title: str
    examples: Examples

    def __post_init__(self) -> None:
        if not SHIFT_NAME.fullmatch(self.name):
            raise DataError(f"a shift is called by small letters, digits and hyphens, as 'my-shift': got {self.name!r}")


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """What is learnt from and what is tested on.

    `unlabelled` are more inputs of the kind that is tested on, `source` labelled examples of another place, for
    strategies that learn from them. `elsewhere` are examples of other places that models are tested on as well. Raises
    `DataError` if a group that is tested is also in `train` or `source`, if a unit is in two groups, or if two shifts
    have one name.
    """

    train: Examples
    test: Examples
    unlabelled: Raw | None = None
    source: Examples | None = None
    elsewhere: tuple[Elsewhere, ...] = ()

    def __post_init__(self) -> None:
        if self.train.groups is not None and self.test.groups is not None:
            refuse_shared_groups(self.train.groups.tolist(), self.test.groups.tolist())
        if self.source is not None and self.source.groups is not None and self.test.groups is not None:
            refuse_tested_source(self.source.groups.tolist(), self.test.groups.tolist())
        for other in self.elsewhere:
            refuse_learnt_elsewhere(other.name, _groups(self.train, self.source), _groups(other.examples))
        names = [other.name for other in self.elsewhere]
        if len(set(names)) < len(names):
            raise DataError(f"shifts of one task have names of their own: got {', '.join(names)}")
        for part in (self.train, self.test, *(other.examples for other in self.elsewhere)):
            if part.units is not None and part.groups is not None:
                refuse_divided_units(part.units.tolist(), part.groups.tolist())

    @property
    def beside(self) -> tuple[str, ...]:
        """What it holds beside labelled examples, by name, as the task's card says it."""
        return tuple(name for name in ("unlabelled", "source") if getattr(self, name) is not None)


def _groups(*parts: Examples | None) -> list[str]:
    """Return the groups of examples, as far as they are known."""
    known = [part.groups for part in parts if part is not None]
    return [group for groups in known if groups is not None for group in groups.tolist()]


class Task(ABC):
    """Labelled target data.

    Data that came split have one split for every seed. Of others every example is tested once: the card has the number
    of their folds, and seed k is tested on fold k. There are no more seeds than folds.
    """

    card: TaskCard
    target: Target

    @abstractmethod
    def split(self, fold: int, cache: Cache) -> Split:
        """Return the split that tests a fold, always the same one; what has to be generated is kept in `cache`."""


class WholeTask(Task):
    """A task whose examples can be had without their split."""

    @abstractmethod
    def everything(self, cache: Cache) -> Examples:
        """Return the examples of all splits, each once."""


def verify(task: Task, split: Split) -> str:
    """Return the sha256 of the data by their first split; that of pinned ones is held against the task's card.

    Synthetic data may differ in their last bits where another processor rounds otherwise: that is told, not refused,
    and the hash goes with every result. Raises `DataError` if other data are not the ones the card names.
    """
    if not task.card.pinned:
        return task.card.sha256
    found, expected = fingerprint(split), task.card.sha256
    if found != expected:
        differs = f"the data of task {task.card.name!r} are not those of its card: got sha256 {found[:12]}…, expected "
        if not task.card.synthetic:
            raise DataError(f"{differs}{expected[:12]}…; reinstall the package they come from under constraints.txt")
        log.warning("%s%s…; scores here are of slightly other data", differs, expected[:12])
    return found


def fold_content(sha256: str, fold: int) -> str:
    """Return the hash of one split of data, which are known by their sha256: other folds learn from other examples."""
    return content_key(sha256, f"fold {fold}") if fold else sha256


def fingerprint(split: Split) -> str:
    """Return the sha256 of all that a split holds."""
    found = hashlib.sha256()
    for piece in _pieces(split):
        found.update(len(piece).to_bytes(8, "little"))
        found.update(piece)
    return found.hexdigest()


def _pieces(split: Split) -> Iterator[bytes]:
    for part in (split.train, split.test, split.source):
        if part is not None:
            yield from _pieces_of(part)
    if split.unlabelled is not None:
        yield from split.unlabelled.columns()
    for other in split.elsewhere:
        yield f"elsewhere {other.name}".encode()
        yield from _pieces_of(other.examples)


def _pieces_of(part: Examples) -> Iterator[bytes]:
    yield from part.raw.columns()
    for name, column in sorted(part.labels.items()):
        yield f"{name} {digest(column)}".encode()
    yield b"" if part.facts is None else digest(part.facts).encode()
    yield b"" if part.groups is None else digest(Dense({"group": part.groups})).encode()
    if part.units is not None:
        yield f"unit {digest(Dense({'unit': part.units}))}".encode()


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
