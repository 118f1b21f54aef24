"""Windows of time series, and the series that they are cut from."""

from dataclasses import dataclass, replace
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from bench.column import Dense, Indices
from bench.domain import DomainName, Raw

Values = NDArray[np.float64]
Moments = NDArray[np.int64]

STANDING_STILL: Final = 1e-6
"""In units of a series: a past that deviates less is constant."""


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """Pasts of one series or of several in order of time: `past` is float64 [n, context].

    `season` is the number of steps in a seasonal cycle. `unit` [n] is the size of a typical change of each window's
    series, from the training history of that series alone: it tells a past that stands still from one that moves.
    """

    domain: ClassVar[DomainName] = "series"
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


def expect_windows(raw: Raw) -> Windows:
    """Return raw examples as the windows that they are."""
    assert isinstance(raw, Windows), f"expected windows of series, got {type(raw).__name__}"
    return raw


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


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Values [length] of one series, one step apart, each at a moment that can be compared between series."""

    name: str
    values: Values
    moments: Moments

    def __len__(self) -> int:
        return len(self.values)

    def between(self, start: int, end: int) -> "Series":
        """Return the stretch from step `start` to before step `end`."""
        return Series(self.name, self.values[start:end], self.moments[start:end])
