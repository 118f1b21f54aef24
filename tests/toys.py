"""Small stand-ins for tasks and backbones: they are quick, need no file, and can be made to misbehave."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from bench.backbone import Backbone, Batch, Stage
from bench.budget import ALL, Asked
from bench.card import BackboneCard, TaskCard
from bench.cell import Cell
from bench.column import Indices, dense
from bench.config.data import DataSpec
from bench.domain import Raw
from bench.domains.vision.raw import ImageArray
from bench.planning.plan import PlannedCell, cell_key
from bench.runtime.cache import Cache
from bench.strategies.finetune import Finetune
from bench.strategies.probe import Probe
from bench.strategy import Strategy
from bench.targets.classes import LABEL, Classes
from bench.task import Examples, Split, Task, fingerprint

SIDE = 4
WIDTH = 6
STAGES = ("first", "second", "third", "fourth")

QUICK: Final[Mapping[str, Any]] = {
    "learning_rate": 1e-2,
    "head_learning_rate": 1e-2,
    "batch_size": 8,
    "epochs": 2,
    "penalties": (0.01, 0.1),
}
"""What the strategies here set of their recipes."""

SCRATCH: Final = Finetune(name="scratch", weights="random", head="zero", **QUICK)
PROBE: Final = Probe(name="linear_probe", **QUICK)
PARTIAL: Final = Finetune(name="partial", trained=0.5, **QUICK)
FULL: Final = Finetune(name="full", **QUICK)
STRATEGIES: Final[tuple[Strategy, ...]] = (SCRATCH, PROBE, PARTIAL, FULL)


def toy_split(n: int = 60, classes: int = 3, seed: int = 0) -> Split:
    """Return pictures whose class shows in one corner, noise elsewhere; half of them are tested on."""
    generator = np.random.default_rng(seed)
    labels = np.arange(n) % classes
    pixels = generator.integers(0, 120, size=(n, SIDE, SIDE, 1))
    pixels[np.arange(n), 0, labels % SIDE, 0] += 130
    everything = labelled(ImageArray(pixels.astype(np.uint8)), labels)
    return Split(everything.take(np.arange(n // 2)), everything.take(np.arange(n // 2, n)))


def labelled(raw: Raw, classes: ArrayLike) -> Examples:
    """Return examples with their classes [n]."""
    return Examples(raw, {LABEL: dense(**{LABEL: np.asarray(classes, dtype=np.int64)})})


def classes_of(examples: Examples) -> Indices:
    """Return the classes [n] of examples."""
    found: Indices = examples.labels[LABEL][LABEL]
    return found


def groups_of(examples: Examples) -> tuple[str, ...]:
    """Return the groups [n] of examples, or nothing if none are known."""
    return () if examples.groups is None else tuple(examples.groups.tolist())


class ToyTask(Task):
    """Three classes of tiny pictures."""

    target = Classes(("a", "b", "c"))

    def __init__(self, name: str = "toy") -> None:
        self.card = TaskCard(
            name=name,
            title="Toy",
            domain="vision",
            description="Tiny pictures.",
            source="drawn by the tests",
            licence="none needed",
            citation="none",
            version=1,
            sha256=fingerprint(toy_split()),
        )

    def split(self, fold: int, cache: Cache) -> Split:
        return toy_split()


class Dense(Stage):
    """A linear layer with batch norm, so that there are buffers that could move."""

    def __init__(self, width_in: int, width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width_in, width)
        self.norm = nn.BatchNorm1d(width)

    def forward(self, values: Tensor, mask: Tensor | None = None) -> Tensor:
        out: Tensor = self.norm(self.linear(values)).relu()
        return out


class Restless(Dense):
    """A stage that breaks the freeze contract: it counts its calls in a buffer even in evaluation mode."""

    def __init__(self, width_in: int, width: int) -> None:
        super().__init__(width_in, width)
        self.calls = nn.Buffer(torch.zeros(()), persistent=False)

    def forward(self, values: Tensor, mask: Tensor | None = None) -> Tensor:
        self.calls.add_(1)
        return super().forward(values, mask)


class ToyBackbone(Backbone):
    """Four dense stages on flattened pictures."""

    def __init__(self, *, restless: bool = False, seed: int = 0) -> None:
        super().__init__()
        self.card = BackboneCard(
            name="toy:dense",
            title="Toy",
            domain="vision",
            description="Four dense layers.",
            source="drawn by the tests",
            licence="none needed",
            citation="none",
            sha256=f"{seed}{restless}",
            parameters=0,
            width=WIDTH,
            stages=STAGES,
        )
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            first = Restless if restless else Dense
            self.stages = nn.ModuleList([first(SIDE * SIDE, WIDTH), *(Dense(WIDTH, WIDTH) for _ in range(3))])
        self.eval()

    def prepare(self, raw: Raw) -> Batch:
        assert isinstance(raw, ImageArray)
        return Batch(torch.from_numpy(raw.pixels).float().flatten(1) / 255)

    def initialise(self) -> None:
        for stage in self.stages:
            for module in stage.children():
                if isinstance(module, nn.Linear | nn.BatchNorm1d):
                    module.reset_parameters()


def toy_cell(strategy: Strategy, *, budget: Asked = ALL, seed: int = 0, task: str = "toy") -> PlannedCell:
    """Return a planned cell of the toy task and backbone."""
    cell = Cell(task, "toy:dense", strategy.name, budget, seed)
    key = cell_key(cell, task=ToyTask(task).card, backbone=ToyBackbone().card, strategy=strategy)
    return PlannedCell(cell, DataSpec(task), ToyTask(task).card.sha256, strategy, key)
