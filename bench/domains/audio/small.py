"""The small network of recordings: three convolutions on the log power of mel bands."""

from typing import Final, final

import numpy as np
import torch
from torch import nn

from bench.backbone import Batch, Layers
from bench.domain import Raw
from bench.domains.audio.bands import CHUNK, log_mel
from bench.domains.audio.files import expect_recordings
from bench.domains.small import SmallNetwork, convolution

KERNELS: Final = (16, 32, 64)
SPREAD: Final = 3.0  # e-folds of power that count as one


@final
class BandNetwork(SmallNetwork):
    """Three convolutions over bands and time, and the mean of what they put out."""

    def __init__(self) -> None:
        first, second, third = KERNELS
        last = nn.Conv2d(second, third, 3, padding=1)
        super().__init__(
            "audio",
            "Small convolutional network",
            "Three convolutions on the log power of 40 mel bands, never trained before.",
            [
                ("convolution1", convolution(1, first, 3, padding=1)),
                ("convolution2", convolution(first, second, 3, padding=1)),
                ("convolution3", Layers(last, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())),
            ],
            width=third,
        )

    def prepare(self, raw: Raw) -> Batch:
        """Return float32 [n, 1, bands, frames]: log power relative to the mean power of the recording."""
        recordings = expect_recordings(raw)
        chunks = np.split(np.arange(len(raw)), range(CHUNK, len(raw), CHUNK))
        bands = [log_mel(recordings.take(rows).waveforms()) for rows in chunks]
        return Batch(torch.cat(bands)[:, None] / SPREAD)
