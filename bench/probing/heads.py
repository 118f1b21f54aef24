"""The linear probes of one task and backbone: heads solved for many budgets at once, each kept in the cache."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from bench.backbone import Head
from bench.cell import HEAD, Work
from bench.domain import Indices
from bench.planning.plan import ALGORITHM
from bench.planning.seeds import stream
from bench.probing.probe import Solved, solve_heads
from bench.runtime.cache import Cache, content_key
from bench.strategy import Recipe
from bench.target import Labels, Target


@dataclass(frozen=True, slots=True, eq=False)
class KeptHead:
    """A linear probe's head on the CPU, and the work it was."""

    solved: Solved
    work: Work


class Heads:
    """Linear heads on the features of one training split."""

    def __init__(
        self,
        target: Target,
        labels: Labels,
        encoded: Tensor,
        features: Callable[[Indices], Tensor],
        *,
        content: str,
        prior: Head | None,
        cache: Cache,
    ) -> None:
        """`features` returns those of some rows, `content` is their hash; `prior` is what heads are held to, if any."""
        self._target = target
        self._labels = labels
        self._encoded = encoded
        self._features = features
        self._content = content
        self._prior = prior
        self._cache = cache

    def solve(self, rows: Indices, *, recipe: Recipe, companions: Iterable[Indices] = ()) -> KeptHead:
        """Return the head for a budget, solved once however many ask.

        `companions` are budgets of as many labels whose heads will be wanted too: they are solved side by side. They
        are looked at only if there is something to solve.
        """
        key = self._key(rows, recipe)
        budgets = {key: rows}
        if self._cache.get(key) is None:
            budgets |= {self._key(budget, recipe): budget for budget in companions}
        paths = self._cache.fetch_all(
            {key: f"a head on {len(rows)} labels" for key in budgets},
            lambda missing: self._write({path: budgets[key] for key, path in missing.items()}, recipe),
        )
        with safe_open(paths[key], framework="pt") as file:
            said = file.metadata()
            head = Head(file.get_tensor("weight"), file.get_tensor("bias"))
        return KeptHead(Solved(head, float(said["penalty"])), Work(HEAD, key, float(said["seconds"])))

    def _key(self, rows: Indices, recipe: Recipe) -> str:
        return content_key("head", ALGORITHM, self._content, rows.tolist(), recipe.penalties, recipe.default_penalty)

    def _write(self, budgets: Mapping[Path, Indices], recipe: Recipe) -> None:
        """Write the head of each budget.

        Folds are dealt from the examples alone: equal budgets are one problem, whichever seed drew them. Only budgets
        with as many folds are solved side by side: too few labels of a class in one may be just enough in the next.
        """
        start = time.perf_counter()
        folds = {path: self._target.folds(self._labels[rows], stream(0, "folds")) for path, rows in budgets.items()}
        counts = {path: 0 if dealt is None else int(dealt.max()) + 1 for path, dealt in folds.items()}
        heads: dict[Path, Solved] = {}
        for count in sorted(set(counts.values())):
            part = [path for path in budgets if counts[path] == count]
            dealt = [fold for path in part if (fold := folds[path]) is not None]
            solved = solve_heads(
                self._target,
                torch.stack([self._features(budgets[path]) for path in part]).cpu(),
                torch.stack([self._encoded[torch.from_numpy(budgets[path])] for path in part]),
                torch.from_numpy(np.stack(dealt)) if dealt else None,
                penalties=recipe.penalties,
                default=recipe.default_penalty,
                prior=self._prior,
            )
            heads |= dict(zip(part, solved, strict=True))
        seconds = (time.perf_counter() - start) / len(budgets)
        for path, solved_head in heads.items():
            tensors = {"weight": solved_head.head.weight.contiguous(), "bias": solved_head.head.bias}
            save_file(tensors, path, metadata={"penalty": repr(solved_head.penalty), "seconds": repr(seconds)})
