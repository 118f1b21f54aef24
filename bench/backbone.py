"""The contract of backbones: an ordered list of stages, and how targets read what they make of examples."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor, nn

from bench.card import BackboneCard
from bench.column import Column
from bench.domain import Raw
from bench.readout import POOLED, Readout
from bench.target import Codec, Objective, Target


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """What flows from stage to stage: `values` [n, …], and for sequences the `lengths` [n] of each.

    With lengths, the second axis of `values` runs over positions, and padding is at the end. Lengths stay on the CPU,
    where batches are put together: a GPU is never waited for. `geometry` says what was done to each input and decoding
    needs: the scale of a series, the first token of each word. `taps` are values after stages further below, by the
    number of stages that had run, for readouts that name these.
    """

    values: Tensor
    lengths: Tensor | None = None
    geometry: Column | None = None
    taps: Mapping[int, Tensor] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.values)

    @property
    def device(self) -> torch.device:
        """Where the values are."""
        return self.values.device

    @property
    def held(self) -> bool:
        """Whether the values are in memory: those of a batch are."""
        return True

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
        geometry = None if self.geometry is None else self.geometry.take(indices.numpy())
        taps = {tap: values[rows] for tap, values in self.taps.items()}
        if self.lengths is None:
            return Batch(self.values[rows], None, geometry, taps)
        lengths = self.lengths[indices]
        longest = int(lengths.max()) if len(lengths) else 0
        return Batch(self.values[rows, :longest], lengths, geometry, taps)

    def batches(self, rows: Iterable[Tensor]) -> Iterator["Batch"]:
        """Yield the examples at each of `rows`, given on the CPU, each cut to its longest."""
        return map(self.take, rows)

    def to(self, device: torch.device) -> "Batch":
        """Return the batch with its values on `device`."""
        taps = {tap: values.to(device) for tap, values in self.taps.items()}
        return Batch(self.values.to(device), self.lengths, self.geometry, taps)

    def followed_by(self, values: Tensor) -> "Batch":
        """Return the batch after some stage: features of whole examples have no lengths."""
        return Batch(values, self.lengths if values.ndim > 2 else None, self.geometry, self.taps)


Features = tuple[Tensor, ...]
"""What is read of examples, a tensor for each stage that a readout names; see `bench.readout.Kind` for their shapes."""


class Stage(nn.Module, ABC):
    """One step of a backbone. Every parameter of the backbone belongs to exactly one stage."""

    @abstractmethod
    def forward(self, values: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return the next values [n, …]. `mask` stays as it is."""


class Layers(Stage):
    """Layers run in turn on values [n, …]."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, values: Tensor, mask: Tensor | None = None) -> Tensor:
        out: Tensor = self.layers(values)
        return out


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
class Reader:
    """How activations become predictions: what is read of the stages, a head, its loss and how labels are written.

    A backbone may bring one whole. It then learns by the loss of this objective, in place of the target's. Its codec is
    not fitted anew, since the head speaks on its scale. Parameters of the head that require no gradient stay as they
    are, and so does the mode it learns in: bring one with dropout in evaluation mode, since what a cell draws comes
    from its own seeds. `brought` says that it came with the weights, from where an export takes all of it but the
    numbers of the head.
    """

    readout: Readout
    codec: Codec
    objective: Objective
    head: nn.Module
    brought: bool = False

    def predict(self, features: Features, geometry: Column | None) -> Column:
        """Return the predictions of features, on the scale of the labels."""
        self.head.eval()
        with torch.inference_mode():
            outputs = tuple(one.float().cpu() for one in self.head(features))
        return self.codec.decode(self.objective.predict(outputs, geometry), geometry)


@dataclass(frozen=True, slots=True, eq=False)
class Pretrained:
    """What a backbone was pretrained with, and for which target: with it, it can do without any label.

    Where the target's own linear head serves, it is a `Head`, which solvers correct; any other is a whole `Reader`.
    """

    target: Target
    head: Head | Reader


class Backbone(nn.Module, ABC):
    """A pretrained network as a list of stages, with the preparation its inputs need.

    `pretrained` is kept only of backbones whose own target a task may share, such as a forecasting horizon. Its card
    says so (`BackboneCard.brings`). A backbone that `augments` shows its inputs otherwise at every step of training.
    """

    card: BackboneCard
    stages: nn.ModuleList
    pretrained: Pretrained | None = None
    augments: ClassVar[bool] = False

    @abstractmethod
    def prepare(self, raw: Raw) -> Batch:
        """Return raw examples as the first stage wants them. Deterministic, example by example, and blind to labels."""

    @abstractmethod
    def initialise(self) -> None:
        """Draw every parameter and buffer anew, as if never trained, from torch's default generator."""

    def augment(self, prepared: Batch, generator: torch.Generator) -> Batch:
        """Return prepared inputs seen otherwise, values and geometry together; the codec then moves the labels.

        Called only where nothing is cached, that is, if all stages are trained.
        """
        return prepared

    def read(self, tapped: Sequence[Batch], readout: Readout) -> Features:
        """Return features of what comes out of each stage that the readout names. It has no parameters.

        As it stands, for backbones whose last stage puts out one vector of each example.
        """
        assert readout.kind in self.card.readouts, f"{self.card.name} offers no {readout.kind} readout"
        return tuple(batch.values for batch in tapped)

    def brings(self, target: Target) -> Head | Reader | None:
        """Return what came with the weights for this target: a linear head or a whole reader, None where nothing did.

        As it stands, for backbones that were pretrained for one target, and for those whose head is the first outputs
        of its own. One that serves more, such as by a text tower for the names of any classes, says so itself. Whoever
        trains a reader trains a copy.
        """
        if self.pretrained is None:
            return None
        head, made_for = self.pretrained.head, self.pretrained.target
        if made_for == target:
            return head
        outputs = target.outputs_of(made_for)
        return Head(head.weight[:, :outputs], head.bias[:outputs]) if isinstance(head, Head) and outputs else None

    def widths(self, readout: Readout) -> tuple[int, ...]:
        """Return the width of the features of each stage that a readout names: as it stands, that of all stages."""
        return tuple(self.card.width for _ in readout.stages)

    def forward(self, batch: Batch) -> Tensor:
        """Return pooled features [n, width]."""
        return read_stages(self, self.stages, batch, POOLED)[0]


def run_stages(stages: nn.ModuleList, batch: Batch) -> Batch:
    """Return the batch after all of `stages`."""
    values, mask = batch.values, batch.mask
    for stage in stages:
        values = stage(values, mask)
    return batch.followed_by(values)


def read_stages(
    backbone: Backbone,
    above: nn.ModuleList,
    batch: Batch,
    readout: Readout,
    *,
    between: Callable[[Tensor], Tensor] = lambda values: values,
) -> Features:
    """Return features of a batch after the stages `above`, which take the place of the backbone's uppermost ones.

    The batch holds the values below them, and taps of what the readout names further below. `between` is applied to
    what comes out of every stage.
    """
    total, mask = len(backbone.stages), batch.mask
    reached = total - len(above)
    found = {**batch.taps, reached: batch.values}
    wanted, values = readout.taps(total), batch.values
    for tap, stage in enumerate(above, start=reached + 1):
        values = between(stage(values, mask))
        if tap in wanted:
            found[tap] = values
    return backbone.read([batch.followed_by(found[tap]) for tap in wanted], readout)


def state_hash(module: nn.Module) -> str:
    """Return the sha256 of all parameters and buffers, those that are not saved included."""
    digest = hashlib.sha256()
    for name, tensor in (*module.named_parameters(), *module.named_buffers()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
