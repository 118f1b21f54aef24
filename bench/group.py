"""Owns what the cells of one task and backbone share: data, network, activations, heads and the freeze contract."""

from collections.abc import Iterable
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from bench.activations import Activations
from bench.backbone import Backbone, Batch, Head, state_hash
from bench.cache import Cache, content_key
from bench.domain import Indices
from bench.errors import DataError, FreezeError
from bench.probe import Solved, solve_head
from bench.seeds import stream
from bench.strategy import Recipe
from bench.subset import budget_size
from bench.target import Target
from bench.task import Splits


class Group:
    """One task's splits seen through one backbone, on one device."""

    def __init__(
        self, target: Target, splits: Splits, backbone: Backbone, *, content: str, cache: Cache, device: torch.device
    ) -> None:
        """`content` is the sha256 of the splits."""
        self.target = target
        self.splits = splits
        self.backbone = backbone
        self.device = device
        self.content = content
        self._cache = cache
        self._train = self._activations("train", backbone.prepare(splits.train.raw))
        self._test = self._activations("test", backbone.prepare(splits.test.raw))
        self._encoded = torch.from_numpy(target.encode(splits.train.labels, splits.train.raw))
        self._hashes = [state_hash(stage) for stage in backbone.stages]
        self.chance = target.chance(splits.test.labels, splits.test.raw)

    @property
    def n_stages(self) -> int:
        """The number of stages of the backbone."""
        return len(self.backbone.stages)

    def budget(self, fraction: float, seed: int) -> Indices:
        """Return the rows of the training split that a cell may see, [n_labels].

        Raises `DataError` if they are too few to learn from.
        """
        total = len(self.splits.train)
        n_labels, needed = budget_size(fraction, total), self.target.smallest_budget
        if n_labels < needed:
            raise DataError(
                f"fraction {fraction:g} of {total} training examples is a budget of {n_labels} labels, too few for one "
                f"example of each of {needed} classes: use a fraction of at least {needed / total:.2g}"
            )
        return self.target.budget_order(self.splits.train.labels, stream(seed, "subset"))[:n_labels]

    def train(self, boundary: int, rows: Indices) -> Batch:
        """Return the training examples `rows` after the stages below `boundary`, on the device."""
        return self._train.at(boundary).take(torch.from_numpy(rows).to(self.device))

    def test(self, boundary: int) -> Batch:
        """Return all test examples after the stages below `boundary`, on the device."""
        return self._test.at(boundary)

    def encoded(self, rows: Indices) -> Tensor:
        """Return what a head learns for the training examples `rows`, on the device."""
        return self._encoded[torch.from_numpy(rows)].to(self.device)

    def shared_seconds(self, boundaries: Iterable[int]) -> float:
        """Return what the activations at `boundaries` took, whenever they were made; makes those that are missing."""
        return sum(part.seconds(boundary) for boundary in set(boundaries) for part in (self._train, self._test))

    def solved_head(self, rows: Indices, *, seed: int, recipe: Recipe) -> Solved:
        """Return the linear probe's head for a budget, solved once and kept beside the activations."""
        key = content_key(
            "head", self._train.key(self.n_stages), rows.tolist(), seed, recipe.penalties, recipe.default_penalty
        )
        path = self._cache.fetch(
            key, f"a head on {len(rows)} labels", lambda path: self._solve(rows, seed=seed, recipe=recipe, path=path)
        )
        kept = load_file(path)
        head = Head(kept["weight"].to(self.device), kept["bias"].to(self.device))
        return Solved(head, float(kept["penalty"]))

    def check_frozen(self, boundary: int) -> None:
        """Raise `FreezeError` if any parameter or buffer below `boundary` is not what was loaded."""
        for name, stage, before in zip(self.backbone.card.stages, self.backbone.stages, self._hashes, strict=True):
            if boundary == 0:
                return
            boundary -= 1
            if state_hash(stage) != before:
                raise FreezeError(
                    f"stage {name!r} of {self.backbone.card.name} was to stay frozen, but its parameters or buffers "
                    "moved"
                )

    def _activations(self, split: str, inputs: Batch) -> Activations:
        return Activations(
            self.backbone, inputs, content=f"{self.content} {split}", cache=self._cache, device=self.device
        )

    def _prior(self) -> Head | None:
        """Return the head that the backbone was pretrained with, if the task asks for the same."""
        pretrained = self.backbone.pretrained
        return pretrained.head if pretrained and pretrained.target == self.target else None

    def _solve(self, rows: Indices, *, seed: int, recipe: Recipe, path: Path) -> None:
        folds = self.target.folds(self.splits.train.labels[rows], stream(seed, "folds"))
        solved = solve_head(
            self.target,
            self.train(self.n_stages, rows).values.cpu(),
            self._encoded[torch.from_numpy(rows)],
            None if folds is None else torch.from_numpy(folds),
            penalties=recipe.penalties,
            default=recipe.default_penalty,
            prior=self._prior(),
        )
        tensors = {
            "weight": solved.head.weight.contiguous(),
            "bias": solved.head.bias,
            "penalty": torch.tensor(solved.penalty, dtype=torch.float64),
        }
        save_file(tensors, path)
