"""Label budgets: what a cell asks for, and the rows, labels and amount that it gets.

A budget is asked for as a share of the training split or as a count. Standard library only, as `bench.cell` is.
"""

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import total_ordering
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from bench.errors import ConfigError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

EVERYTHING: Final = "all"
WHOLE: Final = re.compile(r"[0-9]+")

L = TypeVar("L")


@total_ordering
class _Asked(ABC):
    """What is common to the ways of asking for a budget: one order of all of them, counts before shares.

    No label comes first then and everything last, whatever the task; how many labels a share is depends on the task.
    """

    __slots__ = ()

    @property
    @abstractmethod
    def place(self) -> tuple[int, float]:
        """Where this stands among all that can be asked for."""

    def __lt__(self, other: object) -> bool:
        return self.place < other.place if isinstance(other, _Asked) else NotImplemented


@dataclass(frozen=True, slots=True)
class Share(_Asked):
    """A share of the training split, in (0, 1]. Raises `ValueError` for any other."""

    of: float

    def __post_init__(self) -> None:
        if not 0 < self.of <= 1:
            raise ValueError(f"a share is in (0, 1]: got {self.of:g}")

    def __str__(self) -> str:
        return EVERYTHING if self.of == 1 else repr(self.of)

    @property
    def place(self) -> tuple[int, float]:
        return 1, self.of


@dataclass(frozen=True, slots=True)
class Count(_Asked):
    """A whole number of labels, in the unit of the target. Raises `ValueError` below 0."""

    of: int

    def __post_init__(self) -> None:
        if self.of < 0:
            raise ValueError(f"a count of labels is 0 or more: got {self.of}")

    def __str__(self) -> str:
        return str(self.of)

    @property
    def place(self) -> tuple[int, float]:
        return 0, self.of


Asked = Share | Count

ALL: Final = Share(1.0)
NONE: Final = Count(0)


def parse_asked(text: str) -> Asked:
    """Return what is asked for: "0.1" is a share, "30" a count, "all" or "1.0" everything, "0" no label.

    It is the inverse of `str`. Raises `ConfigError` for anything else.
    """
    if text == EVERYTHING:
        return ALL
    try:
        return Count(int(text)) if WHOLE.fullmatch(text) else Share(float(text))
    except ValueError as error:
        raise ConfigError(
            f"{text!r} is neither a share in (0, 1] nor a whole number of labels: a budget is such as 0.1, 30, all or 0"
        ) from error


@dataclass(frozen=True, slots=True, eq=False)
class Budget(Generic[L]):
    """The examples whose labels a cell may see, for training and for choosing anything.

    `rows` [n] are those of the training split, rising, and `labels` [n] theirs. `amount` is how much that is in the
    unit of the target.
    """

    asked: Asked
    rows: "NDArray[np.int64]"
    amount: float
    labels: L
