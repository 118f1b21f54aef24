"""Pictures in memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from bench.column import Indices
from bench.domain import DomainName


@dataclass(frozen=True, slots=True, eq=False)
class ImageArray:
    """Pictures of one size: `pixels` is uint8 [n, height, width, channels], channels 1 or 3."""

    domain: ClassVar[DomainName] = "vision"
    streams: ClassVar[bool] = True
    pixels: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.pixels)

    def take(self, indices: Indices) -> "ImageArray":
        """Return the examples at `indices`."""
        return ImageArray(self.pixels[indices])

    def columns(self) -> tuple[bytes, ...]:
        """Return the content as bytes, for hashing."""
        return (str(self.pixels.shape).encode(), self.pixels.tobytes())

    def pictures(self) -> Iterator[NDArray[np.uint8]]:
        """Yield each picture as uint8 [height, width, channels]."""
        yield from self.pixels
