"""Owns the shifts of every domain, and scoring a model under them, whatever model it is."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from bench.cell import ShiftedScore
from bench.domain import Domain, Raw
from bench.shifts import pictures, recordings, texts, windows
from bench.shifts.shift import Shift
from bench.target import Outputs, Target
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


class UnderShifts(NamedTuple):
    """The scores of a model under shifts, and the predictions that were scored, by the names of the shifts."""

    scores: tuple[ShiftedScore, ...]
    predictions: Mapping[str, Outputs]


UNSHIFTED: Final = UnderShifts((), {})
"""What there is where no shift was asked for."""


def shifts_of(raw: Raw) -> tuple[Shift, ...]:
    """Return the shifts that examples of this domain are scored under."""
    return SHIFTS[raw.domain]


def shift_test(test: Examples) -> tuple[Shifted, ...]:
    """Return a test split under each of its shifts."""
    return tuple(Shifted(shift, shift.apply(test)) for shift in shifts_of(test.raw))


def score_shifts(target: Target, tests: Iterable[Shifted], predict: Callable[[Shifted], Outputs]) -> UnderShifts:
    """Return the score of a model on each shifted test; `predict` returns its predictions, on the scale of labels."""
    scores, kept = [], {}
    for test in tests:
        start = time.perf_counter()
        predictions, examples = predict(test), test.examples
        kept[test.shift.name] = predictions
        scores.append(
            ShiftedScore(
                shift=test.shift.name,
                title=test.shift.title,
                score=target.score(predictions, examples.labels, examples.raw),
                chance=target.chance(examples.labels, examples.raw),
                seconds=round(time.perf_counter() - start, 4),
            )
        )
    return UnderShifts(tuple(scores), kept)
