"""Owns what an executor hands back for a cell."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from bench.cell import Outcome, Result
from bench.runtime.arithmetic import PrecisionChoice
from bench.target import Labels, Outputs


class Measured(NamedTuple):
    """The result of a cell and its predictions, float32 [n_test, width] on the scale of the labels.

    `shifted` are those under shifts, by their names. `choice` is how the precision of training was chosen, if it was.
    """

    result: Result
    predictions: Outputs
    shifted: Mapping[str, Outputs]
    choice: PrecisionChoice | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """What came of a cell. A result has predictions [n_test, width] and the test labels they belong to.

    `shifted` are its predictions under shifts, by their names. `choice` is how the precision of training was chosen,
    if it was.
    """

    outcome: Outcome
    predictions: Outputs | None = None
    labels: Labels | None = None
    shifted: Mapping[str, Outputs] = field(default_factory=dict)
    choice: PrecisionChoice | None = None
