"""Owns the raw examples of each domain: what a task yields and what a backbone prepares.

All are immutable columns of examples: `len()` counts them and `take` selects rows. Those that lie in files are read
when they are looked at: see `bench.files.media`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, Protocol, Self

import numpy as np
from numpy.typing import NDArray

Domain = Literal["vision", "text", "audio", "series"]

Indices = NDArray[np.int64]


class Raw(Protocol):
    """Examples of one domain."""

    @property
    def domain(self) -> Domain:
        """Which backbones can read them."""

    def __len__(self) -> int: ...

    def take(self, indices: Indices) -> Self:
        """Return the examples at `indices`."""

    def columns(self) -> tuple[bytes, ...]:
        """Return the content as bytes, for hashing."""


@dataclass(frozen=True, slots=True, eq=False)
class Images:
    """Pictures of one size: `pixels` is uint8 [n, height, width, channels], channels 1 or 3."""

    domain: ClassVar[Domain] = "vision"
    pixels: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.pixels)

    def take(self, indices: Indices) -> "Images":
        """Return the examples at `indices`."""
        return Images(self.pixels[indices])

    def columns(self) -> tuple[bytes, ...]:
        """Return the content as bytes, for hashing."""
        return (str(self.pixels.shape).encode(), self.pixels.tobytes())

    def pictures(self) -> Iterator[NDArray[np.uint8]]:
        """Yield each picture as uint8 [height, width, channels]."""
        yield from self.pixels


@dataclass(frozen=True, slots=True, eq=False)
class Texts:
    """Words, phrases or sentences."""

    domain: ClassVar[Domain] = "text"
    strings: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.strings)

    def take(self, indices: Indices) -> "Texts":
        """Return the examples at `indices`."""
        return Texts(tuple(self.strings[index] for index in indices))

    def columns(self) -> tuple[bytes, ...]:
        """Return the content as bytes, for hashing."""
        return ("\x00".join(self.strings).encode(),)


@dataclass(frozen=True, slots=True, eq=False)
class Waveforms:
    """Mono recordings of one length: `samples` is int16 [n, length] at `rate_hz` samples a second."""

    domain: ClassVar[Domain] = "audio"
    samples: NDArray[np.int16]
    rate_hz: int

    def __len__(self) -> int:
        return len(self.samples)

    def take(self, indices: Indices) -> "Waveforms":
        """Return the examples at `indices`."""
        return replace(self, samples=self.samples[indices])

    def columns(self) -> tuple[bytes, ...]:
        """Return the content as bytes, for hashing."""
        return (f"{self.rate_hz} {self.samples.shape}".encode(), self.samples.tobytes())

    def waveforms(self) -> "Waveforms":
        """Return these."""
        return self


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """Pasts of one series or of several in order of time: `past` is float32 [n, context].

    `season` is the number of steps in a seasonal cycle. `unit` [n] is what an error of each window's series is counted
    in, and comes from the training history of that series alone: for MASE the mean absolute seasonal difference
    (Hyndman and Koehler 2006, doi:10.1016/j.ijforecast.2006.03.001), for the MSE of standardised data the standard
    deviation.
    """

    domain: ClassVar[Domain] = "series"
    past: NDArray[np.float32]
    season: int
    unit: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.past)

    def take(self, indices: Indices) -> "Windows":
        """Return the examples at `indices`."""
        return replace(self, past=self.past[indices], unit=self.unit[indices])

    def columns(self) -> tuple[bytes, ...]:
        """Return the content as bytes, for hashing."""
        units = ",".join(f"{unit:.9g}" for unit in np.unique(self.unit))
        owners = () if "," not in units else (self.unit.tobytes(),)
        return (f"{self.season} {units} {self.past.shape}".encode(), *owners, self.past.tobytes())

    def scale(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return mean and standard deviation of each past, both [n, 1]: the scale on which a window is learnt.

        A constant past has no deviation; its scale is one unit of the series.
        """
        centre = self.past.mean(axis=1, keepdims=True)
        spread = self.past.std(axis=1, keepdims=True)
        unit = self.unit[:, None]
        return centre, np.where(spread > 1e-6 * unit, spread, unit).astype(np.float32)
