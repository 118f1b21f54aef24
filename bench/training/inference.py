"""Owns forward passes without gradients: large batches, sorted by length, never dependent on who asks."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

import torch
from torch import Tensor, nn

from bench.backbone import Batch
from bench.runtime.arithmetic import Precision
from bench.runtime.precision import autocast
from bench.training.inputs import Inputs

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
    for rows, batch in zip(rows_of_chunks, inputs.batches(rows_of_chunks), strict=True):
        with torch.inference_mode(), autocast(inputs.device, precision):
            piece = _forward(stages, batch)
        if not len(values):
            sequences = inputs.lengths is not None and piece.ndim > 2
            longest = int(inputs.lengths.max()) if sequences and inputs.lengths is not None else piece.shape[1]
            values = torch.zeros(len(inputs), longest, *piece.shape[2:], device=inputs.device)
        values[rows.to(inputs.device), : piece.shape[1]] = piece
    return Batch(values, inputs.lengths if sequences else None)


@dataclass(frozen=True, slots=True, eq=False)
class Recomputed:
    """Examples after frozen stages, too large to be kept: the stages run each time that a batch is asked for.

    But for the rounding of products of another batch size, they are what would have been kept.
    """

    inputs: Inputs
    stages: nn.ModuleList
    precision: Precision

    @property
    def lengths(self) -> Tensor | None:
        """Those of the inputs."""
        return self.inputs.lengths

    @property
    def device(self) -> torch.device:
        """That of the inputs."""
        return self.inputs.device

    def __len__(self) -> int:
        return len(self.inputs)

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
            yield Batch(values, batch.lengths if values.ndim > 2 else None)


def _forward(stages: nn.ModuleList, batch: Batch) -> Tensor:
    """Return the values after `stages`, float32 between any two, so that a pass may be cut in two anywhere."""
    values, mask = batch.values, batch.mask
    for stage in stages:
        values = stage(values, mask).float()
    return values


def _by_length(inputs: Inputs) -> Tensor:
    return torch.arange(len(inputs)) if inputs.lengths is None else inputs.lengths.argsort(stable=True)
