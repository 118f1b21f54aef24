"""What an executor hands back for a cell."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bench.cell import Outcome
from bench.column import Column
from bench.results.tested import Tested
from bench.runtime.arithmetic import PrecisionChoice


@dataclass(frozen=True, slots=True, eq=False)
class CellOutput:
    """The outcome of a cell. A result has predictions and what they belong to.

    `shifted` are its predictions under shifts, by their names. `choice` is how the precision of training was chosen, if
    it was timed.
    """

    outcome: Outcome
    predictions: Column | None = None
    tested: Tested | None = None
    shifted: Mapping[str, Column] = field(default_factory=dict)
    choice: PrecisionChoice | None = None
