"""The linear heads of one task and backbone: solved for many budgets at once, each kept in the cache."""

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple, Protocol

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from bench.backbone import Features, Head
from bench.budget import Budget
from bench.cell import HEAD, Work
from bench.column import Array, Column, Indices, digest, digest_arrays
from bench.probing.encoded import as_tensors
from bench.probing.probe import Solved, solve_heads
from bench.runtime.cache import Cache, content_key
from bench.subsets.seeds import stream
from bench.target import LabelRows, Target
from bench.versions import ALGORITHM

CPU: Final = torch.device("cpu")
LOOSE: Final = 100.0
"""The largest penalty that holds without being chosen where no head was brought: more would shrink a head to nothing,
where it holds one to a head that came with the weights."""


class Penalties(NamedTuple):
    """The grid from which a penalty is chosen inside the budget, and the one that holds where that is too small."""

    grid: tuple[float, ...]
    default: float


@dataclass(frozen=True, slots=True, eq=False)
class CachedHead:
    """A linear head on the CPU, and the work it was."""

    solved: Solved
    work: Work


class Read(Protocol):
    """Features of examples with their geometry."""

    @property
    def features(self) -> Features: ...

    @property
    def geometry(self) -> Column | None: ...


class Source(Protocol):
    """Where the features of training examples come from."""

    def read(self, rows: Indices) -> Read:
        """Return the features of the training examples `rows`."""


class Heads:
    """Linear heads on the features of one training split."""

    def __init__(
        self,
        target: Target,
        source: Source,
        *,
        facts: Column | None,
        groups: Array | None,
        content: str,
        prior: Head | None,
        cache: Cache,
    ) -> None:
        """`content` is a hash of all features; `prior` is what heads are held to, if any, on the scale of the labels.

        `facts` and `groups` [n] are those of the training split; no group is in two folds.
        """
        problem = target.objective.problem()
        assert problem is not None, f"heads of {target.name} are not solved"
        self._problem = problem
        self._target = target
        self._source = source
        self._facts = facts
        self._groups = None if groups is None else np.unique(groups, return_inverse=True)[1]
        self._content = content
        self._prior = prior if problem.corrects else None
        self._brought = prior is not None
        self._cache = cache

    def solve(self, budgets: Sequence[Budget[Column]], penalties: Penalties) -> Iterator[CachedHead]:
        """Yield the head of each budget, in order, solved once however many ask; what is missing is solved together."""
        keys = [self._key(budget, penalties) for budget in budgets]
        by_key = dict(zip(keys, budgets, strict=True))
        paths = self._cache.fetch_all(
            {key: f"a head on {len(budget.rows)} labels" for key, budget in by_key.items()},
            lambda missing: self._write({path: by_key[key] for key, path in missing.items()}, penalties),
        )
        for key in keys:
            with safe_open(paths[key], framework="pt") as file:
                said = file.metadata()
                head = Head(file.get_tensor("weight"), file.get_tensor("bias"))
            yield CachedHead(Solved(head, float(said["penalty"])), Work(HEAD, key, float(said["seconds"])))

    def _key(self, budget: Budget[Column], penalties: Penalties) -> str:
        held = self._prior is not None
        groups = None if self._groups is None else digest_arrays({"groups": self._groups[budget.rows]})
        facts = None if self._facts is None else digest(self._facts.take(budget.rows))  # by which folds are dealt
        learnt = (self._target.identity, budget.rows.tolist(), digest(budget.labels), penalties)
        return content_key("head", ALGORITHM, self._content, held, facts, groups, *learnt)

    def _write(self, budgets: Mapping[Path, Budget[Column]], penalties: Penalties) -> None:
        """Write the head of each budget.

        Folds are dealt from the examples alone: equal budgets are one problem, whichever seed drew them. Only budgets
        with as many rows and folds, whose neighbours overlap alike, are solved side by side.
        """
        alike: dict[tuple[int, int, int], dict[Path, tuple[LabelRows, Tensor | None]]] = defaultdict(dict)
        for path, budget in budgets.items():
            facts = None if self._facts is None else self._facts.take(budget.rows)
            rows, folds = self._rows(budget), self._folds(budget, facts)
            if folds is not None and rows.owners is not None:
                folds = folds[rows.owners]
            count = 0 if folds is None else int(folds.max()) + 1
            overlap = self._target.sampling.overlap(facts)
            alike[len(rows.features), count, overlap][path] = rows, folds
        for (_, _, overlap), several in alike.items():
            start = time.perf_counter()
            dealt = [folds for _, folds in several.values() if folds is not None]
            solved = solve_heads(
                self._problem,
                torch.stack([rows.features for rows, _ in several.values()]),
                torch.stack([rows.labels for rows, _ in several.values()]),
                torch.stack(dealt) if dealt else None,
                overlap=overlap,
                penalties=penalties.grid,
                default=penalties.default if self._prior is not None else min(penalties.default, LOOSE),
                prior=self._prior,
            )
            seconds = (time.perf_counter() - start) / len(several)
            for path, one in zip(several, solved, strict=True):
                tensors = {"weight": one.head.weight.contiguous(), "bias": one.head.bias}
                save_file(tensors, path, metadata={"penalty": repr(one.penalty), "seconds": repr(seconds)})

    def _rows(self, budget: Budget[Column]) -> LabelRows:
        """Return the features and encoded labels of a budget, on the CPU."""
        read = self._source.read(budget.rows)
        codec = self._target.codec if self._brought else self._target.codec.fit(budget.labels)
        encoded = codec.encode(budget.labels, read.geometry)
        features = tuple(values.cpu() for values in read.features)
        return self._target.objective.rows(features, as_tensors(encoded, CPU), read.geometry)

    def _folds(self, budget: Budget[Column], facts: Column | None) -> Tensor | None:
        groups = None if self._groups is None else self._groups[budget.rows]
        folds = self._target.sampling.folds(budget.labels, facts, groups, stream(0, "folds"))
        return None if folds is None else torch.from_numpy(folds)
