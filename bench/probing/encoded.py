"""Encoded labels as tensors, whole or batch by batch."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from bench.column import OFFSETS, Column
from bench.target import Codec


def as_tensors(encoded: Column, device: torch.device) -> dict[str, Tensor]:
    """Return the arrays of encoded labels on a device, with the offsets of ragged ones."""
    return {name: torch.from_numpy(np.ascontiguousarray(array)).to(device) for name, array in encoded.arrays().items()}


@dataclass(frozen=True, slots=True, eq=False)
class EncodedLabels:
    """The labels of a budget, encoded batch by batch.

    What has no geometry of its own in each batch is encoded once and stays on the device: see `ready`.
    """

    codec: Codec
    labels: Column
    device: torch.device
    ready: Mapping[str, Tensor] | None = None

    def of(self, rows: Tensor, geometry: Column | None) -> Mapping[str, Tensor]:
        """Return what a head learns of the examples at `rows`, given on the CPU, prepared with this geometry."""
        if self.ready is not None:
            places = rows.to(self.device, non_blocking=True)
            return {name: values[places] for name, values in self.ready.items()}
        return as_tensors(self.codec.encode(self.labels.take(rows.numpy()), geometry), self.device)


def encode_labels(
    codec: Codec, labels: Column, geometry: Column | None, *, changes: bool, device: torch.device
) -> EncodedLabels:
    """Return labels to be encoded: once, unless the geometry of each batch `changes` or the labels are ragged."""
    if changes:
        return EncodedLabels(codec, labels, device)
    encoded = as_tensors(codec.encode(labels, geometry), device)
    if OFFSETS in encoded:
        return EncodedLabels(codec, labels, device)
    return EncodedLabels(codec, labels, device, encoded)
