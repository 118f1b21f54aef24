"""Preparing pictures as a vision network was trained to see them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, fx, nn

from bench.backbones.vision.graph import Segment
from bench.domain import Raw
from bench.domains.vision.files import expect_pictures

MODES: Final = {1: "L", 3: "RGB"}
"""What images are called by their number of channels."""


@dataclass(frozen=True, slots=True, eq=False)
class Preparation:
    """How a network sees a picture.

    `transform` makes uint8 [channels, height, width], which is `shape`, of an image. `mean` and `std` are those of each
    channel on the scale from 0 to 1.
    """

    shape: tuple[int, int, int]
    transform: Callable[[Image.Image], Tensor]
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def apply(self, raw: Raw) -> Tensor:
        """Return pictures of any size, in grey or colour, as uint8 [n, channels, height, width]."""
        prepared = torch.empty(len(raw), *self.shape, dtype=torch.uint8)
        for row, picture in zip(prepared, expect_pictures(raw).pictures(), strict=True):
            row.copy_(self.transform(as_image(picture, channels=self.shape[0])))
        return prepared


def as_image(picture: NDArray[np.uint8], *, channels: int) -> Image.Image:
    """Return a picture [height, width, 1 or 3] as an image of 1 or 3 channels: grey is repeated, colours are mixed."""
    return Image.fromarray(picture[:, :, 0] if picture.shape[2] == 1 else picture).convert(MODES[channels])


class Scaled(Segment):
    """A first segment: it takes prepared pictures and puts them on the scale that its network was trained on.

    What is kept in memory for every example is so a quarter as large.
    """

    def __init__(self, graph: fx.GraphModule, preparation: Preparation) -> None:
        super().__init__(graph)
        self.mean = nn.Buffer(255 * torch.tensor(preparation.mean)[:, None, None], persistent=False)
        self.std = nn.Buffer(255 * torch.tensor(preparation.std)[:, None, None], persistent=False)

    def forward(self, values: Tensor, mask: Tensor | None = None) -> Tensor:
        return super().forward(self.scale(values), mask)

    def scale(self, pictures: Tensor) -> Tensor:
        """Return uint8 pictures as its network wants them, float32."""
        return (pictures - self.mean) / self.std
