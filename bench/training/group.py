"""Owns what the cells of one task and backbone share: data, network, activations, heads and the freeze contract."""

from collections.abc import Callable
from functools import cached_property
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn

from bench.backbone import Backbone, TokenStage, state_hash
from bench.cell import Work
from bench.domain import Indices
from bench.errors import FreezeError
from bench.planning.budgets import Budgets
from bench.planning.plan import SHIFTS, Needs
from bench.probing.heads import Heads
from bench.runtime.arithmetic import PrecisionRequest
from bench.runtime.cache import Cache, content_key
from bench.shifts.scoring import Shifted, shift_test
from bench.strategy import boundary
from bench.target import Target
from bench.task import Splits
from bench.training.activations import Activations
from bench.training.inputs import MEMORY_BYTES, Allowance, Inputs, prepare
from bench.training.pace import PrecisionChooser
from bench.training.vocabulary import Vocabulary

AUTO: Final = PrecisionRequest()

WHOLE_SPLIT: Final = 0.5
"""Share of a split from which all of it is run through the frozen stages: then any later budget finds it done."""


class Group:
    """One task's splits seen through one backbone, on one device."""

    def __init__(
        self,
        target: Target,
        splits: Splits,
        backbone: Backbone,
        *,
        needs: Needs,
        content: str,
        cache: Cache,
        device: torch.device,
        memory_bytes: int = MEMORY_BYTES,
        decoders: int = 1,
        request: PrecisionRequest = AUTO,
    ) -> None:
        """`content` is the sha256 of the splits; `needs` says what the cells to come will ask for.

        At most `memory_bytes` of examples are held, beside their features, and as much of shifted ones if these are
        asked for; `decoders` threads read their files. `request` says in which precision stages are trained.
        """
        self.target = target
        self.splits = splits
        self.backbone = backbone
        self.device = device
        self.content = content
        self.precisions = PrecisionChooser(request, cache=cache, device=device)
        self._cache = cache
        self._memory_bytes = memory_bytes
        self._decoders = decoders
        self._encoded = torch.from_numpy(target.encode(splits.train.labels, splits.train.raw))
        self._hashes = [state_hash(stage) for stage in backbone.stages]
        self._budgets = Budgets(target, splits.train.labels)
        self._places = self._places_of(self._rows_needed(needs))
        self._boundaries = {boundary(depth, self.n_stages) for depth in needs.depths}
        kept = np.flatnonzero(self._places >= 0)
        part = "" if len(kept) == len(splits.train) else f" {content_key(kept.tolist())}"
        allowance = Allowance(memory_bytes)
        test = prepare(backbone, splits.test.raw, allowance=allowance, decoders=decoders)
        train = prepare(backbone, splits.train.raw.take(kept), allowance=allowance, decoders=decoders)
        self._train = self._activations(f"train{part}", train, allowance)
        self._test = self._activations("test", test, allowance)
        self._vocabulary = Vocabulary(train, test) if isinstance(backbone.stages[0], TokenStage) else None
        pretrained = backbone.pretrained
        self.heads = Heads(
            target,
            splits.train.labels,
            self._encoded,
            self.features,
            content=self._train.key(self.n_stages),
            prior=pretrained.head if pretrained and pretrained.target == target else None,
            cache=cache,
        )
        self._shifted: dict[str, Inputs] = {}
        self._left_for_shifted = Allowance(memory_bytes)  # its own: what is granted here changes no plain score
        self.chance = target.chance(splits.test.labels, splits.test.raw)

    @property
    def n_stages(self) -> int:
        """The number of stages of the backbone."""
        return len(self.backbone.stages)

    def budget(self, fraction: float, seed: int) -> Indices:
        """Return the rows of the training split that a cell may see: see `Budgets.rows`."""
        return self._budgets.rows(fraction, seed)

    def train(self, boundary: int, rows: Indices) -> Inputs:
        """Return the training examples `rows` after the stages below `boundary`, on the device."""
        return self._renumbered(boundary, self._train.at(boundary).take(torch.from_numpy(self._places[rows])))

    def test(self, boundary: int) -> Inputs:
        """Return all test examples after the stages below `boundary`, on the device."""
        return self._renumbered(boundary, self._test.at(boundary))

    @cached_property
    def shifted(self) -> tuple[Shifted, ...]:
        """The test split under each of its shifts."""
        return shift_test(self.splits.test)

    def shifted_test(self, test: Shifted, boundary: int) -> Inputs:
        """Return the examples of a shifted test after the stages below `boundary`, on the device.

        Tokens are those of the whole table. What they took is nobody's `frozen_work`, and nothing of it stays on the
        device: neither time nor memory of a cell tells that it was shifted.
        """
        name = test.shift.name
        if name not in self._shifted:
            raw, allowance = test.examples.raw, self._left_for_shifted
            self._shifted[name] = prepare(self.backbone, raw, allowance=allowance, decoders=self._decoders)
        split = f"test under {name} {SHIFTS}"
        return self._activations(split, self._shifted[name], Allowance(self._memory_bytes)).at(boundary)

    def features(self, rows: Indices) -> Tensor:
        """Return the features of the training examples `rows`, [n, width], on the device."""
        return self._train.features().take(torch.from_numpy(self._places[rows])).values

    def encoded(self, rows: Indices) -> Tensor:
        """Return what a head learns for the training examples `rows`, on the device."""
        return self._encoded[torch.from_numpy(rows)].to(self.device)

    def narrow(self, boundary: int, stages: nn.ModuleList) -> None:
        """Fit stages copied from above `boundary` to what `train` and `test` return: the tokens of this task."""
        if boundary == 0 and self._vocabulary is not None:
            first = stages[0]
            assert isinstance(first, TokenStage)
            self._vocabulary.narrow(first)

    def widen(self, boundary: int, stages: nn.ModuleList, whole: Callable[[], nn.ModuleList]) -> None:
        """Undo `narrow`: rows of tokens that this task does not hold are those of the same stages before, `whole`."""
        if boundary == 0 and self._vocabulary is not None:
            first, before = stages[0], whole()[0]
            assert isinstance(first, TokenStage)
            assert isinstance(before, TokenStage)
            self._vocabulary.widen(first, before.table)

    def frozen_work(self, boundary: int) -> list[Work]:
        """Return what the activations at `boundary` took, whenever they were made; makes those that are missing."""
        return [*self._train.work(boundary), *self._test.work(boundary)]

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

    def _rows_needed(self, needs: Needs) -> Indices:
        """Return the rows of the training split that some cell will see; all of them if they are most."""
        total = len(self.splits.train)
        union = self._budgets.union(needs.budgets)
        return union if len(union) < WHOLE_SPLIT * total else np.arange(total)

    def _places_of(self, rows: Indices) -> Indices:
        """Return the place of each training example among `rows`, -1 where it has none, [n_train]."""
        places = np.full(len(self.splits.train), -1, dtype=np.int64)
        places[rows] = np.arange(len(rows))
        return places

    def _renumbered(self, boundary: int, inputs: Inputs) -> Inputs:
        return inputs if boundary or self._vocabulary is None else self._vocabulary.renumber(inputs)

    def _activations(self, split: str, inputs: Inputs, allowance: Allowance) -> Activations:
        return Activations(
            self.backbone,
            inputs,
            content=f"{self.content} {split}",
            cache=self._cache,
            device=self.device,
            boundaries=self._boundaries,
            allowance=allowance,
            check=lambda: self.check_frozen(self.n_stages),
        )
