"""Windows of time series, and the series that they are cut from."""

from dataclasses import dataclass, replace
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from bench.column import Dense, Indices
from bench.domain import DomainName, Raw

Values = NDArray[np.float64]
Moments = NDArray[np.int64]

UNIT_OF: Final = "unit of "
"""Before the name of a series, in what is said of the inputs of an exported model: the unit that it was learnt with."""

FLATTEST: Final = 0.1
"""In units of a series: a past that deviates less is scaled as if it deviated so much, so that a stretch that stands
still is small noise and not a series of its own scale, whose next change would weigh more than all other windows."""


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """Pasts of one series or of several in order of time: `past` is float64 [n, context].

    `season` is the number of steps in a seasonal cycle. `unit` [n] is the size of a typical change of each window's
    series, from the training history of that series alone: no past is scaled by less than a share of it. `names` [n]
    are those of the series, by which an exported model knows their units again; None where they have none.
    """

    domain: ClassVar[DomainName] = "series"
    streams: ClassVar[bool] = False
    past: NDArray[np.float64]
    season: int
    unit: NDArray[np.float64]
    names: NDArray[np.str_] | None = None

    def __len__(self) -> int:
        return len(self.past)

    def take(self, indices: Indices) -> "Windows":
        """Return the examples at `indices`."""
        names = None if self.names is None else self.names[indices]
        return replace(self, past=self.past[indices], unit=self.unit[indices], names=names)

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
    rounded away in float32. The deviation counts as a share of the unit of the series at least (`FLATTEST`).
    """
    centre = windows.past.mean(axis=1, keepdims=True)
    deviation = windows.past.std(axis=1, keepdims=True)
    spread = np.maximum(deviation, FLATTEST * windows.unit[:, None])
    return ((windows.past - centre) / spread).astype(np.float32), Dense({"centre": centre, "spread": spread})


def typical_change(history: Values, season: int, error: str) -> float:
    """Return the unit in which errors of a series are counted, from its training history.

    For "mase" it is the mean absolute difference between a season and the next, for "mse" the standard deviation.
    """
    return float(history.std()) if error == "mse" else seasonal_difference(history, season)


def seasonal_difference(history: Values, season: int) -> float:
    """Return the mean absolute difference between a season and the next: the unit of MASE."""
    return float(np.abs(history[season:] - history[:-season]).mean())


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
