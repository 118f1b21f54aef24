"""The contract of labels as people write them: in cells of a table, or as names of folders."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, Generic, Protocol, TypeVar

from bench.column import Column, Indices

Label = str | tuple[str, ...]
"""A class or a number as it is written, or the labels or tags of one example."""

NAMES_SHOWN: Final = 10

NO_LABEL: Final = frozenset({"nan", "null", "n/a", "<na>"})
"""What programs write where there is nothing. "none" and "na" are not among them: these are classes of some data."""


class Named(Protocol):
    """What labels are for, of which no more is known here than its name."""

    @property
    def name(self) -> str: ...


Target_co = TypeVar("Target_co", bound=Named, covariant=True)
"""The target that labels are for."""


@dataclass(frozen=True, slots=True, eq=False)
class Labelling(Generic[Target_co]):
    """The labels of n examples: the `target` they are for, and its column.

    `strata` [n] are what a split is stratified by. If they `are_classes`, all of them have to be learnt from and tested
    on; of others a split has what it can have. `names` go into the hash of the data, `counted` is how they are told.
    """

    target: Target_co
    column: Column
    strata: Indices
    names: tuple[str, ...]
    counted: str
    remarks: tuple[str, ...] = ()
    are_classes: bool = False

    @property
    def said(self) -> list[object]:
        """What of them decides a score beside the labels of each example."""
        return list(self.names) if self.are_classes else [self.target.name, *self.names]


class Written(ABC, Generic[Target_co]):
    """How the labels of a target are written.

    `several` says whether an example has any number of them, so that a cell may be blank and a column of yes and no can
    stand for each; `in_words` whether each word of an example has one.
    """

    several: ClassVar[bool] = False
    in_words: ClassVar[bool] = False

    @abstractmethod
    def recognised(self, cells: Sequence[str], separator: str) -> str:
        """Return why cells that are not blank are probably such labels, in words for a log; nothing if they are not."""

    @abstractmethod
    def parse(self, cell: str, separator: str) -> Label:
        """Return what a cell says, which has no problem."""

    @abstractmethod
    def problem(self, cell: str, column: str) -> str:
        """Return what is wrong with the cell of a column, as words that follow the name of its row, or nothing."""

    @abstractmethod
    def labelling(self, found: Sequence[Label], noun: str) -> Labelling[Target_co]:
        """Return labels with their target; `noun` is what has them. Raises `DataError` if nothing can be learnt."""


def remarks_on(names: Sequence[str]) -> tuple[str, ...]:
    """Return remarks on labels that are written in several ways, or that probably stand for none."""
    alike: dict[str | float, list[str]] = {}
    for label in names:
        alike.setdefault(_as_meant(label), []).append(label)
    doubled = (
        f"labels {' and '.join(map(repr, sorted(same)))} are probably one class"
        for same in alike.values()
        if len(same) > 1
    )
    missing = (
        f"the label {label!r} probably stands for a missing one"
        for label in names
        if label.strip().casefold() in NO_LABEL
    )
    return (*doubled, *missing)


def _as_meant(label: str) -> str | float:
    """Return a label without case and spaces around it, one that is a number as that: "1" and "1.0" are the same."""
    plain = label.strip().casefold()
    try:
        number = float(plain)
    except ValueError:
        return plain
    return number if math.isfinite(number) else plain


def in_brackets(names: Sequence[str]) -> str:
    """Return names in brackets after a space, nothing if there are too many."""
    return f" ({', '.join(names)})" if len(names) <= NAMES_SHOWN else ""
