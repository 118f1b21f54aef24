"""Forward passes without gradients: large batches, sorted by length, never dependent on who asks."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import torch
from torch import Tensor, nn

from bench.backbone import Backbone, Batch, Features, read_stages
from bench.column import Column, concatenate
from bench.readout import Readout
from bench.runtime.arithmetic import Precision
from bench.runtime.precision import autocast
from bench.training.inputs import Derived, Inputs

CHUNK: Final = 256
"""Examples in one forward pass. Fixed, so that a result does not depend on how many were asked for at a time."""


def forward_all(stages: nn.ModuleList, inputs: Inputs, *, precision: Precision) -> Batch:
    """Return `inputs` after `stages` in evaluation mode, float32, on the device of the inputs.

    Hidden states of sequences come back padded with zeros to the length of the inputs, with their lengths. `precision`
    is that of the products.
    """
    if not len(stages):
        assert isinstance(inputs, Batch), "what is streamed has stages before it"
        return inputs
    stages.eval()
    rows_of_chunks = _by_length(inputs).split(CHUNK)
    sequences, values = False, torch.empty(0)
    geometry: list[Column] = []
    for rows, batch in zip(rows_of_chunks, inputs.batches(rows_of_chunks), strict=True):
        with torch.inference_mode(), autocast(inputs.device, precision):
            piece = _forward(stages, batch)
        if not len(values):
            sequences = inputs.lengths is not None and piece.ndim > 2
            longest = int(inputs.lengths.max()) if sequences and inputs.lengths is not None else piece.shape[1]
            values = torch.zeros(len(inputs), longest, *piece.shape[2:], device=inputs.device)
        values[rows.to(inputs.device), : piece.shape[1]] = piece
        geometry += [] if batch.geometry is None else [batch.geometry]
    lengths = inputs.lengths if sequences else None
    return Batch(values, lengths, _in_order(geometry, torch.cat(rows_of_chunks)))


@dataclass(frozen=True, slots=True, eq=False)
class ReadFeatures:
    """Features of examples, as a readout has them, with the geometry of these examples."""

    features: Features
    geometry: Column | None

    def take(self, rows: Tensor) -> "ReadFeatures":
        """Return the features of some examples, given on the CPU."""
        geometry = None if self.geometry is None else self.geometry.take(rows.numpy())
        return ReadFeatures(tuple(values[rows.to(values.device)] for values in self.features), geometry)


def read_all(
    backbone: Backbone, above: nn.ModuleList, inputs: Inputs, readout: Readout, *, precision: Precision
) -> ReadFeatures:
    """Return the features of `inputs` after the stages `above`, which take the place of the backbone's uppermost ones.

    They are float32, on the device of the inputs; sequences are padded with zeros to the longest of all.
    """
    above.eval()
    rows_of_chunks = _by_length(inputs).split(CHUNK)
    pieces: list[Features] = []
    geometry: list[Column] = []
    for batch in inputs.batches(rows_of_chunks):
        with torch.inference_mode(), autocast(inputs.device, precision):
            pieces.append(tuple(values.float() for values in _read(backbone, above, batch, readout)))
        geometry += [] if batch.geometry is None else [batch.geometry]
    order = torch.cat(rows_of_chunks)
    features = tuple(_assembled(several, order) for several in zip(*pieces, strict=True))
    return ReadFeatures(features, _in_order(geometry, order))


def _read(backbone: Backbone, above: nn.ModuleList, batch: Batch, readout: Readout) -> Features:
    """Return features, the values float32 between any two stages, so that a pass may be cut in two anywhere."""
    return read_stages(backbone, above, batch, readout, between=Tensor.float)


def _in_order(pieces: Sequence[Column], order: Tensor) -> Column | None:
    """Return the geometry of batches as that of all examples, each in its place; None where batches have none."""
    return concatenate(pieces).take(order.argsort().numpy()) if pieces else None


def _assembled(pieces: Sequence[Tensor], order: Tensor) -> Tensor:
    """Return pieces [m, …] as one tensor [n, …], each example in its place; the second axis is padded with zeros."""
    first = pieces[0]
    if first.ndim < 3 or all(piece.shape[1] == first.shape[1] for piece in pieces):
        together = torch.cat(list(pieces))
    else:
        longest = max(piece.shape[1] for piece in pieces)
        together = first.new_zeros((len(order), longest, *first.shape[2:]))
        start = 0
        for piece in pieces:
            together[start : start + len(piece), : piece.shape[1]] = piece
            start += len(piece)
    placed = torch.empty_like(together)
    placed[order.to(together.device)] = together
    return placed


@dataclass(frozen=True, slots=True, eq=False)
class Recomputed(Derived):
    """Examples after frozen stages, too large to be kept: the stages run each time that a batch is asked for.

    But for the rounding of products of another batch size, they are what would have been kept.
    """

    stages: nn.ModuleList
    precision: Precision

    def to(self, device: torch.device) -> "Recomputed":
        """Return the examples, whose batches come out on `device`, where the stages must be."""
        return replace(self, inputs=self.inputs.to(device))

    def take(self, indices: Tensor) -> "Recomputed":
        """Return the examples at `indices`; nothing is computed."""
        return replace(self, inputs=self.inputs.take(indices))

    def batches(self, rows: Iterable[Tensor]) -> Iterator[Batch]:
        """Yield the examples at each of `rows` after the stages."""
        self.stages.eval()
        for batch in self.inputs.batches(rows):
            with torch.no_grad(), autocast(self.device, self.precision):  # the stages above want these for gradients
                values = _forward(self.stages, batch)
            yield batch.followed_by(values)


def _forward(stages: nn.ModuleList, batch: Batch) -> Tensor:
    """Return the values after `stages`, float32 between any two, so that a pass may be cut in two anywhere."""
    values, mask = batch.values, batch.mask
    for stage in stages:
        values = stage(values, mask).float()
    return values


def _by_length(inputs: Inputs) -> Tensor:
    return torch.arange(len(inputs)) if inputs.lengths is None else inputs.lengths.argsort(stable=True)
