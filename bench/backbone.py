"""Owns the backbone contract: an ordered list of stages that ends in one feature vector per example."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from bench.card import BackboneCard
from bench.domain import Raw
from bench.target import Target


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """What flows from stage to stage: `values` [n, …], and for sequences the `lengths` [n] of each.

    With lengths, the second axis of `values` runs over positions, and padding is at the end. Lengths stay on the CPU,
    where batches are put together: a GPU is never waited for.
    """

    values: Tensor
    lengths: Tensor | None = None

    def __len__(self) -> int:
        return len(self.values)

    @property
    def device(self) -> torch.device:
        """Where the values are."""
        return self.values.device

    @property
    def mask(self) -> Tensor | None:
        """Which positions hold a token, bool [n, length], on the device of the values."""
        if self.lengths is None:
            return None
        lengths = self.lengths.to(self.values.device, non_blocking=True)
        return torch.arange(self.values.shape[1], device=self.values.device) < lengths[:, None]

    def take(self, indices: Tensor) -> "Batch":
        """Return the examples at `indices`, given on the CPU, cut to the longest of them."""
        rows = indices.to(self.values.device, non_blocking=True)
        if self.lengths is None:
            return Batch(self.values[rows])
        lengths = self.lengths[indices]
        longest = int(lengths.max()) if len(lengths) else 0
        return Batch(self.values[rows, :longest], lengths)

    def batches(self, rows: Iterable[Tensor]) -> Iterator["Batch"]:
        """Yield the examples at each of `rows`, given on the CPU, each cut to its longest."""
        return map(self.take, rows)

    def to(self, device: torch.device) -> "Batch":
        """Return the batch with its values on `device`."""
        return Batch(self.values.to(device), self.lengths)


class Stage(nn.Module, ABC):
    """One step of a backbone. Every parameter of the backbone belongs to exactly one stage."""

    @abstractmethod
    def forward(self, values: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return the next values [n, …]; the last stage's are features [n, width]. `mask` stays as it is."""


class TokenStage(Stage, ABC):
    """A first stage that looks token ids up in a table with a row for each."""

    @property
    @abstractmethod
    def table(self) -> nn.Embedding:
        """The table."""

    @abstractmethod
    def look_up_in(self, table: nn.Embedding) -> None:
        """Put another table in its place."""


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """A linear head: outputs are features @ weight + bias. `weight` [width, outputs], `bias` [outputs], float32."""

    weight: Tensor
    bias: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Pretrained:
    """The head that a backbone was pretrained with, and for which target: with it, it can do without any label."""

    target: Target
    head: Head


class Backbone(nn.Module, ABC):
    """A pretrained network as a list of stages, with the preparation its inputs need.

    `pretrained` is kept only of backbones whose own target a task may share, such as a forecasting horizon.
    """

    card: BackboneCard
    stages: nn.ModuleList
    pretrained: Pretrained | None = None

    @abstractmethod
    def prepare(self, raw: Raw) -> Batch:
        """Return raw examples as the first stage wants them. Deterministic, example by example, and blind to labels."""

    @abstractmethod
    def initialise(self) -> None:
        """Draw every parameter and buffer anew, as if never trained, from torch's default generator."""

    def forward(self, batch: Batch) -> Tensor:
        """Return features [n, width]."""
        return run_stages(self.stages, batch).values


def run_stages(stages: nn.ModuleList, batch: Batch) -> Batch:
    """Return the batch after all of `stages`."""
    values, mask = batch.values, batch.mask
    for stage in stages:
        values = stage(values, mask)
    return Batch(values, batch.lengths if values.ndim > 2 else None)


def state_hash(module: nn.Module) -> str:
    """Return the sha256 of all parameters and buffers, those that are not saved included."""
    digest = hashlib.sha256()
    for name, tensor in (*module.named_parameters(), *module.named_buffers()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
