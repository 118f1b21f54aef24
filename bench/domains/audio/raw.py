"""Recordings in memory."""

from dataclasses import dataclass, replace
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from bench.column import Indices
from bench.domain import DomainName

STEPS_OF_16_BITS: Final = 32_768  # from silence to full scale

Clip = NDArray[np.float32]
"""A mono recording [length] in [-1, 1]."""


@dataclass(frozen=True, slots=True, eq=False)
class AudioArray:
    """Mono recordings of one length: `samples` is float32 [n, length] in [-1, 1] at `rate_hz` samples a second.

    A sample of a 16-bit file is that number over 32,768, exactly.
    """

    domain: ClassVar[DomainName] = "audio"
    streams: ClassVar[bool] = True
    samples: NDArray[np.float32]
    rate_hz: int

    @property
    def length(self) -> int:
        """Samples of each."""
        length: int = self.samples.shape[1]
        return length

    def __len__(self) -> int:
        return len(self.samples)

    def take(self, indices: Indices) -> "AudioArray":
        """Return the examples at `indices`."""
        return replace(self, samples=self.samples[indices])

    def columns(self) -> tuple[bytes, ...]:
        """Return the content as bytes, for hashing."""
        return (f"{self.rate_hz} {self.samples.shape}".encode(), self.samples.tobytes())

    def waveforms(self) -> "AudioArray":
        """Return these."""
        return self


def from_16_bits(samples: NDArray[np.int16]) -> Clip:
    """Return samples of 16 bits, of any shape, as shares of the full scale; none is rounded."""
    shares: Clip = samples.astype(np.float32) / np.float32(STEPS_OF_16_BITS)
    return shares
