"""Owns forward passes without gradients: large batches, sorted by length, never dependent on who asks."""

from typing import Final

import torch
from torch import Tensor, nn

from bench.backbone import Batch, run_stages

CHUNK: Final = 256
"""Examples in one forward pass. Fixed, so that a result does not depend on how many were asked for at a time."""


def precision_on(device: torch.device) -> str:
    """Return the arithmetic used on a device: bfloat16 products on a GPU, float32 elsewhere."""
    return "bfloat16" if device.type == "cuda" else "float32"


def autocast(device: torch.device) -> torch.autocast:
    """Return the context in which networks run on a device."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision_on(device) == "bfloat16")


def forward_all(stages: nn.ModuleList, inputs: Batch) -> Batch:
    """Return `inputs` after `stages` in evaluation mode, float32, on the device of the inputs.

    Hidden states of sequences come back padded with zeros to the length of the inputs, with their mask.
    """
    if not len(stages):
        return inputs
    stages.eval()
    rows_of_chunks = _by_length(inputs).split(CHUNK)
    with torch.inference_mode(), autocast(inputs.values.device):
        pieces = [run_stages(stages, inputs.take(rows)).values.float() for rows in rows_of_chunks]
    if inputs.mask is None or pieces[0].ndim == 2:  # features: one vector per example
        values = torch.empty((len(inputs), *pieces[0].shape[1:]), device=inputs.values.device)
        for rows, piece in zip(rows_of_chunks, pieces, strict=True):
            values[rows] = piece
        return Batch(values)
    values = torch.zeros((*inputs.mask.shape, *pieces[0].shape[2:]), device=inputs.values.device)
    for rows, piece in zip(rows_of_chunks, pieces, strict=True):
        values[rows, : piece.shape[1]] = piece
    return Batch(values, inputs.mask)


def _by_length(inputs: Batch) -> Tensor:
    if inputs.mask is None:
        return torch.arange(len(inputs), device=inputs.values.device)
    return inputs.mask.sum(1).argsort(stable=True)
