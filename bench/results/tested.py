"""What the predictions of a test split belong to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bench.column import Column

PLAIN: Final = ""
"""The name of the test split as it is, beside those of its shifts."""


@dataclass(frozen=True, slots=True, eq=False)
class Tested:
    """What predictions of a test split of n examples belong to, each [n]: labels, facts, and `rows`.

    `rows` has the test `"block"` of each example, and where they are known its `"group"`, its `"unit"`, whose examples
    are scored as one, and its `"name"`: a file or a row. `baselines` are the predictions without skill: those of the
    split as it is under the name `PLAIN`, and those under shifts by their names. A shift that leaves examples out keeps
    the last of them.
    """

    labels: Column
    facts: Column | None
    rows: Column
    baselines: Mapping[str, Column]
