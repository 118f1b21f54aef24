"""The shifts of every domain, and a test split under each of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bench.domain import Domain, Raw
from bench.shifts import pictures, recordings, texts, windows
from bench.domains.shift import Shift
from bench.task import Examples

SHIFTS: Final[Mapping[Domain, tuple[Shift, ...]]] = {
    "vision": pictures.SHIFTS,
    "text": texts.SHIFTS,
    "audio": recordings.SHIFTS,
    "series": windows.SHIFTS,
}


@dataclass(frozen=True, slots=True, eq=False)
class Shifted:
    """The test split of a task under a shift."""

    shift: Shift
    examples: Examples


def shifts_of(raw: Raw) -> tuple[Shift, ...]:
    """Return the shifts that examples of this domain are scored under."""
    return SHIFTS[raw.domain]


def shift_test(test: Examples) -> tuple[Shifted, ...]:
    """Return a test split under each of its shifts."""
    return tuple(Shifted(shift, shift.apply(test)) for shift in shifts_of(test.raw))
