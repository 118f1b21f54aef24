"""Readouts: how a target reads a backbone."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What features stand for, with their shape: an example [n, width], a position or a place of one."""

    POOLED = "pooled"  # [n, width]
    SEQUENCE = "sequence"  # [n, positions, width], padded at the end
    GRID = "grid"  # [n, rows, columns, width]


@dataclass(frozen=True, slots=True)
class Readout:
    """What is read, and after which stages; -1 is the last one, as in a list.

    Which kinds a backbone offers stands on its card, so that a plan refuses a mismatch without loading a network.
    """

    kind: Kind = Kind.POOLED
    stages: tuple[int, ...] = (-1,)

    def taps(self, n_stages: int) -> tuple[int, ...]:
        """Return for each stage that is read how many stages have run by then: the last of n is tap n."""
        return tuple(stage % n_stages + 1 for stage in self.stages)


POOLED = Readout()
