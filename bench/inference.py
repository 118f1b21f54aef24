"""Owns forward passes without gradients: large batches, sorted by length, never dependent on who asks."""

from typing import Final

import torch
from torch import Tensor, nn

from bench.backbone import Batch
from bench.precision import Precision, autocast

CHUNK: Final = 256
"""Examples in one forward pass. Fixed, so that a result does not depend on how many were asked for at a time."""


def forward_all(stages: nn.ModuleList, inputs: Batch, *, precision: Precision) -> Batch:
    """Return `inputs` after `stages` in evaluation mode, float32, on the device of the inputs.

    Hidden states of sequences come back padded with zeros to the length of the inputs, with their lengths. `precision`
    is that of the products.
    """
    if not len(stages):
        return inputs
    stages.eval()
    device = inputs.values.device
    rows_of_chunks = _by_length(inputs).split(CHUNK)
    with torch.inference_mode(), autocast(device, precision):
        pieces = [_forward(stages, inputs.take(rows)) for rows in rows_of_chunks]
    sequences = inputs.lengths is not None and pieces[0].ndim > 2
    longest = inputs.values.shape[1] if sequences else pieces[0].shape[1]
    values = torch.zeros(len(inputs), longest, *pieces[0].shape[2:], device=device)
    for rows, piece in zip(rows_of_chunks, pieces, strict=True):
        values[rows.to(device), : piece.shape[1]] = piece
    return Batch(values, inputs.lengths if sequences else None)


def _forward(stages: nn.ModuleList, batch: Batch) -> Tensor:
    """Return the values after `stages`, float32 between any two, so that a pass may be cut in two anywhere."""
    values, mask = batch.values, batch.mask
    for stage in stages:
        values = stage(values, mask).float()
    return values


def _by_length(inputs: Batch) -> Tensor:
    return torch.arange(len(inputs)) if inputs.lengths is None else inputs.lengths.argsort(stable=True)
