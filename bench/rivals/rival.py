"""The contract of classical models, and what they keep in the cache.

A plan asks them what they predict: libraries that take seconds are imported here and by them inside functions.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

from bench.budget import Budget
from bench.cell import FROZEN, Work
from bench.column import Array, Column
from bench.context import Context
from bench.runtime.cache import Cache
from bench.strategy import Model
from bench.target import Target

if TYPE_CHECKING:
    from bench.probing.heads import Penalties


class Rival(ABC):
    """A classical model that can predict some targets.

    `needs` is what the domain of the examples must offer (see `bench.domains.contract`). One that `learns` does so from
    labels; others know how to predict without any.
    """

    needs: ClassVar[str]
    learns: ClassVar[bool] = True

    @abstractmethod
    def predicts(self, target: Target) -> bool:
        """Return whether it can predict a target."""

    @abstractmethod
    def fit(self, context: Context, budgets: Sequence[Budget[Column]], penalties: "Penalties") -> Iterator[Model]:
        """Yield the model of each budget, in order. If it learns, no budget is empty."""


def keep(cache: Cache, key: str, description: str, make: Callable[[], Array]) -> tuple[Array, Work]:
    """Return what `make` returns and the work it was, made once and kept in the cache under `key`."""
    path = cache.fetch(key, description, lambda path: _write(path, make))
    with safe_open(path, framework="np") as file:
        values: Array = file.get_tensor("values")
        return values, Work(FROZEN, key, float(file.metadata()["seconds"]))


def _write(path: Path, make: Callable[[], Array]) -> None:
    start = perf_counter()
    values = np.ascontiguousarray(make())
    save_file({"values": values}, path, metadata={"seconds": repr(perf_counter() - start)})
