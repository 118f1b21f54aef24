"""Owns the raw examples of each domain: what a task yields and what a backbone prepares.

All are immutable columns of examples: `len()` counts them and `take` selects rows. Those that lie in files are read
when they are looked at: see `bench.files.media`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar, Final, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from bench.column import Dense, Indices

Domain = str
"""The name of a domain, such as "vision"."""

STANDING_STILL: Final = 1e-6
"""In units of a series: a past that deviates less is constant."""


class Raw(Protocol):
    """Examples of one domain."""

    @property
    def domain(self) -> Domain:
        """Which backbones can read them."""

    @property
    def streams(self) -> bool:
        """Whether they are prepared a few at a time, where all of them take too much memory."""

    def __len__(self) -> int: ...

    def take(self, indices: Indices) -> Self:
        """Return the examples at `indices`."""

    def columns(self) -> tuple[bytes, ...]:
        """Return the content as bytes, for hashing."""


@dataclass(frozen=True, slots=True, eq=False)
class Images:
    """Pictures of one size: `pixels` is uint8 [n, height, width, channels], channels 1 or 3."""

    domain: ClassVar[Domain] = "vision"
    streams: ClassVar[bool] = True
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
    """Words, phrases or sentences; `words` are those of each, where the data come in words, as for tags."""

    domain: ClassVar[Domain] = "text"
    streams: ClassVar[bool] = False
    strings: tuple[str, ...]
    words: tuple[tuple[str, ...], ...] | None = None

    def __len__(self) -> int:
        return len(self.strings)

    def take(self, indices: Indices) -> "Texts":
        """Return the examples at `indices`."""
        words = None if self.words is None else tuple(self.words[index] for index in indices)
        return Texts(tuple(self.strings[index] for index in indices), words)

    def columns(self) -> tuple[bytes, ...]:
        """Return the content as bytes, for hashing."""
        words = () if self.words is None else ("\x00".join("\x01".join(one) for one in self.words).encode(),)
        return ("\x00".join(self.strings).encode(), *words)


@dataclass(frozen=True, slots=True, eq=False)
class Waveforms:
    """Mono recordings of one length: `samples` is float32 [n, length] in [-1, 1] at `rate_hz` samples a second.

    A sample of a 16-bit file is that number over 32,768, exactly.
    """

    domain: ClassVar[Domain] = "audio"
    streams: ClassVar[bool] = True
    samples: NDArray[np.float32]
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
    """Pasts of one series or of several in order of time: `past` is float64 [n, context].

    `season` is the number of steps in a seasonal cycle. `unit` [n] is the size of a typical change of each window's
    series, from the training history of that series alone: it tells a past that stands still from one that moves.
    """

    domain: ClassVar[Domain] = "series"
    streams: ClassVar[bool] = False
    past: NDArray[np.float64]
    season: int
    unit: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.past)

    def take(self, indices: Indices) -> "Windows":
        """Return the examples at `indices`."""
        return replace(self, past=self.past[indices], unit=self.unit[indices])

    def columns(self) -> tuple[bytes, ...]:
        """Return the content as bytes, for hashing."""
        return (f"{self.season} {self.past.shape}".encode(), self.unit.tobytes(), self.past.tobytes())


def scaled(windows: Windows) -> tuple[NDArray[np.float32], Dense]:
    """Return each past on its own scale, float32 [n, context], and that scale: `centre` and `spread`, float64 [n, 1].

    The scale is mean and standard deviation of the past, computed in float64: small changes on a large level would be
    rounded away in float32. A constant past has no deviation; its scale is one unit of the series.
    """
    centre = windows.past.mean(axis=1, keepdims=True)
    deviation = windows.past.std(axis=1, keepdims=True)
    unit = windows.unit[:, None]
    spread = np.where(deviation > STANDING_STILL * unit, deviation, unit)
    return ((windows.past - centre) / spread).astype(np.float32), Dense({"centre": centre, "spread": spread})
