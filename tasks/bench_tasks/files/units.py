"""What is scored as one in place of single examples, such as the pictures of a patient: checked and counted."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.card import ScoredUnits
from bench.column import Column
from bench.errors import DataError
from bench.metrics.grouping import find_mixed
from bench.subsets.groups import divided_unit
from bench.target import Target

UNNAMED: Final = "unit"
"""What a unit is called where nothing says."""


def refuse_divided(address: str, units: Sequence[str], groups: Sequence[str]) -> None:
    """Raise `DataError` for a unit that lies in two groups."""
    found = divided_unit(units, groups) if units and groups else None
    if found:
        unit, one, other = found
        raise DataError(
            f"{address}: {unit!r} is scored as one (score_by), but lies in two groups, {one!r} and {other!r}: mend the "
            "groups, or leave group out, so that they are what is scored"
        )


def refuse_mixed(address: str, units: Sequence[str], labels: Column, names: Sequence[str]) -> None:
    """Raise `DataError` for a unit whose examples have different labels; all arguments are of the same examples."""
    mixed = find_mixed(labels, units)
    if mixed:
        raise DataError(
            f"{address}: {mixed.group!r} is scored as one (score_by), but its examples have different labels, such as "
            f"{names[mixed.one]} and {names[mixed.other]}: mend the labels, or leave score_by out"
        )


def count_units(name: str, units: NDArray[np.str_], target: Target) -> ScoredUnits:
    """Return what is scored by a target as one, given the unit of each example that is tested, in any fold."""
    how = target.combined_by or next(iter(target.combinations))
    return ScoredUnits(name=name, n=len(np.unique(units)), examples=len(units), combined=how)
