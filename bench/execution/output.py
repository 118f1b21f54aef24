"""What an executor hands back for a cell."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bench.cell import Outcome
from bench.column import Column
from bench.runtime.arithmetic import PrecisionChoice


@dataclass(frozen=True, slots=True, eq=False)
class Tested:
    """What predictions of a test split belong to, each [n_test]: labels, facts, and `rows`.

    `rows` has the test `"block"` of each example, and where they are known its `"group"` and its `"name"`: a file or a
    row.
    """

    labels: Column
    facts: Column | None
    rows: Column


@dataclass(frozen=True, slots=True, eq=False)
class CellOutput:
    """What came of a cell. A result has predictions and what they belong to.

    `shifted` are its predictions under shifts, by their names. `choice` is how the
    precision of training was chosen, if it was timed.
    """

    outcome: Outcome
    predictions: Column | None = None
    tested: Tested | None = None
    shifted: Mapping[str, Column] = field(default_factory=dict)
    choice: PrecisionChoice | None = None
