"""The contract of labels as people write them: in cells of a table, or as names of folders."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from bench.column import Column, Indices

if TYPE_CHECKING:
    from bench.target import Target

Label = str | tuple[str, ...]
"""A class or a number as it is written, or the labels or tags of one example."""

NAMES_SHOWN: Final = 10


@dataclass(frozen=True, slots=True, eq=False)
class Labelling:
    """The labels of n examples: the `target` they are for, and its column.

    `strata` [n] are what a split is stratified by. If they `are_classes`, all of them have to be learnt from and tested
    on; of others a split has what it can have. `names` go into the hash of the data, `counted` is how they are told.
    """

    target: "Target"
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


class Written(ABC):
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
    def labelling(self, found: Sequence[Label], noun: str) -> Labelling:
        """Return labels with their target; `noun` is what has them. Raises `DataError` if nothing can be learnt."""


def labels_alike(names: Sequence[str]) -> tuple[str, ...]:
    """Return a remark for labels that differ only in case or in spaces around them."""
    alike: dict[str, list[str]] = {}
    for label in names:
        alike.setdefault(label.strip().casefold(), []).append(label)
    return tuple(
        f"labels {' and '.join(map(repr, sorted(same)))} are probably one class"
        for same in alike.values()
        if len(same) > 1
    )


def in_brackets(names: Sequence[str]) -> str:
    """Return names in brackets after a space, nothing if there are too many."""
    return f" ({', '.join(names)})" if len(names) <= NAMES_SHOWN else ""
