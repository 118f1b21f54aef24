"""Owns the contract of classical models: what they are given, and what a fitted one is."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import save_file

from bench.cell import FROZEN, Work
from bench.domain import Indices, Raw
from bench.runtime.cache import Cache
from bench.strategy import Recipe
from bench.target import Outputs, Target
from bench.task import Splits

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class TaskData:
    """The data of a task: `content` is the sha256 of the splits, `needed` the training rows that some cell may see."""

    target: Target
    splits: Splits
    needed: Indices
    content: str
    cache: Cache


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """A model fitted on one label budget.

    `predict` returns float32 [n, width] on the scale of the labels, of any raw examples like those it learnt from.
    `coefficients` counts the numbers that were learnt from labels, `penalty` is what held them, None where nothing is
    learnt. `arithmetic` names the precision of the sums. `work` is what other cells share.
    """

    predict: Callable[[Raw], Outputs]
    coefficients: int
    penalty: float | None
    arithmetic: str
    work: tuple[Work, ...]


class Models(ABC):
    """The classical models of one task, one for each budget."""

    @abstractmethod
    def fit(self, rows: Indices, *, recipe: Recipe, companions: Iterable[Indices] = ()) -> Fitted:
        """Return the model for the training examples `rows`, fitted once however many ask.

        `companions` are budgets of as many labels whose models will be wanted too.
        """


def keep(cache: Cache, key: str, description: str, make: Callable[[], Floats]) -> tuple[Floats, Work]:
    """Return what `make` returns and the work it was, made once and kept in the cache under `key`."""
    path = cache.fetch(key, description, lambda path: _write(path, make))
    with safe_open(path, framework="np") as file:
        values: Floats = file.get_tensor("values")
        return values, Work(FROZEN, key, float(file.metadata()["seconds"]))


def _write(path: Path, make: Callable[[], Floats]) -> None:
    start = perf_counter()
    values = np.ascontiguousarray(make())
    save_file({"values": values}, path, metadata={"seconds": repr(perf_counter() - start)})
