"""What the predictions of a test split belong to."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np

from bench.column import Array, Column, digest, digest_arrays

PLAIN: Final = ""
"""The name of the test split as it is, beside those of its shifts."""

NAME_DIGITS: Final = 12  # of a sha256, enough to tell apart what results of one task and fold belong to
ROUNDED: Final = 1e-4  # of the largest value of an array of baseline predictions: machines differ in the last bits


class Truth(NamedTuple):
    """What predictions of n examples are held against, each [n]: labels, facts, and `rows`.

    `rows` has the test `"block"` of each example, and where they are known its `"group"`, its `"unit"`, whose examples
    are scored as one, and its `"name"`: a file or a row.
    """

    labels: Column
    facts: Column | None
    rows: Column


@dataclass(frozen=True, slots=True, eq=False)
class Tested:
    """What predictions of a test split of n examples belong to, each [n]: see `Truth`.

    `baselines` are the predictions without skill: those of the split as it is under the name `PLAIN`, and those under
    shifts by their names. A shift that leaves examples out keeps the last of them; `elsewhere` has what belongs to
    shifts whose examples are others.
    """

    labels: Column
    facts: Column | None
    rows: Column
    baselines: Mapping[str, Column]
    elsewhere: Mapping[str, Truth] = field(default_factory=dict)

    def truth(self, shift: str, n: int) -> Truth:
        """Return what n predictions under a shift, or of the split as it is, are held against."""
        if shift in self.elsewhere:
            return self.elsewhere[shift]
        last = np.arange(len(self.labels) - n, len(self.labels))
        facts = None if self.facts is None else self.facts.take(last)
        return Truth(self.labels.take(last), facts, self.rows.take(last))

    @property
    def name(self) -> str:
        """What tells it apart from all else that results of the same data belong to, such as another label column.

        It is a hash of labels, facts, rows, and of the predictions without skill of the split as it is; these are
        rounded, so that results of several machines have it in common.
        """
        baseline = {name: _rounded(array) for name, array in self.baselines[PLAIN].arrays().items()}
        parts = (digest(self.labels), self.facts and digest(self.facts), digest(self.rows), digest_arrays(baseline))
        return hashlib.sha256(" ".join(map(str, parts)).encode()).hexdigest()[:NAME_DIGITS]


def _rounded(array: Array) -> Array:
    """Return floats as whole multiples of a small share of the largest; what is none stays as it is."""
    if array.dtype.kind != "f" or not array.size:
        return array
    values = np.nan_to_num(array.astype(np.float64))
    return np.rint(values / (np.abs(values).max() * ROUNDED or 1.0)) + 0.0  # of -0 and 0 alike
