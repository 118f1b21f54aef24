"""The contract of trackers, and what each of them is told of a cell."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, NamedTuple

Value = str | int | float | bool


class Point(NamedTuple):
    """A value of a curve. `step` counts optimiser steps from 1."""

    step: int
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedCell:
    """The outcome of a cell, as trackers have it: parameters went in, metrics came out, curves show the way there.

    `path` names the cell within its suite and is fit to be a file's. `seconds` is how long it took, 0 if it failed;
    `reason` says why it did.
    """

    name: str
    path: str
    strategy: str
    parameters: Mapping[str, Value]
    metrics: Mapping[str, float] = field(default_factory=dict)
    curves: Mapping[str, Sequence[Point]] = field(default_factory=dict)
    seconds: float = 0.0
    reason: str | None = None


class Tracker(ABC):
    """Where cells are logged, each as a run of its own that is over when `log` returns.

    `ERRORS` is what may be raised where cells cannot be logged, such as by a server that does not answer.
    """

    ERRORS: ClassVar[tuple[type[Exception], ...]]

    @abstractmethod
    def __init__(self, suite: str, folder: Path) -> None:
        """Start: find out now what may be found out. `folder` is that of the results."""

    @abstractmethod
    def log(self, cell: TrackedCell) -> None:
        """Keep a cell."""
