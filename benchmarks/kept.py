"""Owns tasks and backbones that hand out what already lies in memory, so that nobody is timed making it."""

from typing import TypeAlias

from torch import Tensor, nn

from bench.backbone import Backbone, Batch, Stage
from bench.cache import Cache
from bench.domain import Raw
from bench.task import Splits, Task

Prepared: TypeAlias = tuple[tuple[Raw, Batch], ...]
"""Raw examples and what a backbone prepared from them."""


class KeptTask(Task):
    """A task whose data lie ready."""

    def __init__(self, task: Task, splits: Splits) -> None:
        self.card, self.target, self._splits = task.card, task.target, splits

    def load(self, cache: Cache) -> Splits:
        return self._splits


class KeptBackbone(Backbone):
    """A backbone in memory, whose inputs were prepared beforehand."""

    def __init__(self, backbone: Backbone, prepared: Prepared) -> None:
        super().__init__()
        self.card, self.stages, self.pretrained = backbone.card, backbone.stages, backbone.pretrained
        self._prepared = prepared
        self.eval()

    def prepare(self, raw: Raw) -> Batch:
        return next(batch for known, batch in self._prepared if known is raw)

    def initialise(self) -> None:
        raise AssertionError("nothing that is compared starts from scratch")


class PlainStage(Stage):
    """Any module of one tensor."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, values: Tensor, mask: Tensor | None = None) -> Tensor:
        out: Tensor = self.module(values)
        return out
