"""The small network of pictures: LeNet (LeCun et al. 1998, Proceedings of the IEEE 86), with rectifiers."""

from typing import Final, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import interpolate

from bench.backbone import Batch, Layers
from bench.domain import Raw
from bench.domains.small import SmallNetwork, convolution
from bench.domains.vision.files import expect_pictures, pixels_in_memory

SIDE: Final = 32
KERNELS: Final = (20, 50)
WIDTH: Final = 500


@final
class LeNet(SmallNetwork):
    """Two convolutions and a dense layer on pictures of 32 x 32."""

    def __init__(self) -> None:
        first, second = KERNELS
        pooled = second * 5 * 5  # 32 - 4 = 28, halved 14, - 4 = 10, halved 5
        super().__init__(
            "vision",
            "LeNet",
            "Two convolutions and a dense layer on pictures of 32 x 32, never trained before.",
            [
                ("convolution1", convolution(3, first, 5)),
                ("convolution2", convolution(first, second, 5)),
                ("dense", Layers(nn.Flatten(), nn.Linear(pooled, WIDTH), nn.ReLU())),
            ],
            width=WIDTH,
        )

    def prepare(self, raw: Raw) -> Batch:
        """Return float32 [n, 3, 32, 32] in [-1, 1]; grey pictures have three channels alike."""
        in_memory = pixels_in_memory(raw)
        if in_memory is not None:
            return Batch(_resized(in_memory))
        return Batch(torch.cat([_resized(picture[None]) for picture in expect_pictures(raw).pictures()]))


def _resized(pixels: NDArray[np.uint8]) -> Tensor:
    """Return pictures [n, height, width, channels] as they are prepared."""
    values = torch.from_numpy(pixels).float().permute(0, 3, 1, 2)
    square = interpolate(values, (SIDE, SIDE), mode="bilinear", antialias=True, align_corners=False)
    return (square / 127.5 - 1).expand(-1, 3, -1, -1).contiguous()
