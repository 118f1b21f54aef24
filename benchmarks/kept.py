"""Tasks and backbones that hand out what already lies in memory, so that nobody is timed making it."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor, nn

from bench.backbone import Backbone, Batch, Features, Stage
from bench.domain import Raw
from bench.readout import Readout
from bench.runtime.cache import Cache
from bench.task import Split, Task

Prepared: TypeAlias = tuple[tuple[Raw, Batch], ...]
"""Raw examples and what a backbone prepared from them."""


class KeptTask(Task):
    """A task whose data lie ready."""

    def __init__(self, task: Task, split: Split) -> None:
        self.card, self.target, self._split = task.card, task.target, split

    def split(self, fold: int, cache: Cache) -> Split:
        return self._split


class KeptBackbone(Backbone):
    """A backbone in memory, whose inputs were prepared beforehand."""

    def __init__(self, backbone: Backbone, prepared: Prepared) -> None:
        super().__init__()
        self.card, self.stages, self.pretrained = backbone.card, backbone.stages, backbone.pretrained
        self._reading = backbone.read
        self._places = {example: (batch, row) for raw, batch in prepared for row, example in enumerate(_examples(raw))}
        self.eval()

    def prepare(self, raw: Raw) -> Batch:
        batches, rows = zip(*(self._places[example] for example in _examples(raw)), strict=True)
        assert len(set(map(id, batches))) == 1, "examples are asked for split by split"
        batch: Batch = batches[0]
        return batch.take(torch.tensor(rows))

    def read(self, tapped: Sequence[Batch], readout: Readout) -> Features:
        return self._reading(tapped, readout)

    def initialise(self) -> None:
        raise AssertionError("nothing that is compared starts from scratch")


def _examples(raw: Raw) -> list[tuple[bytes, ...]]:
    """Return the content of each example."""
    return [raw.take(np.array([row])).columns() for row in range(len(raw))]


class PlainStage(Stage):
    """Any module of one tensor."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, values: Tensor, mask: Tensor | None = None) -> Tensor:
        out: Tensor = self.module(values)
        return out
