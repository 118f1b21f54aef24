"""Groups on both sides of a split, in its source or its shifts, such as a voice or a patient; units in two groups."""

from collections.abc import Iterable, Sequence
from typing import Final

from bench.errors import DataError

NAMED: Final = 3


class SharedGroupsError(DataError):
    """Groups with examples in both train and test: `found` says which, the message also which options mend it."""

    def __init__(self, found: str) -> None:
        self.found = found
        super().__init__(
            f"{found}; move each to one side, or name the groups to test on with the option held_out, or what a group "
            "is with the option group"
        )


def shared_groups(train: Iterable[str], test: Iterable[str]) -> list[str]:
    """Return the groups that have examples in both train and test, sorted; each argument names one per example."""
    return sorted(set(train) & set(test))


def refuse_shared_groups(train: Iterable[str], test: Iterable[str]) -> None:
    """Raise `DataError` if a group has examples in both train and test: a test score would then count memories."""
    shared = shared_groups(train, test)
    if not shared:
        return
    raise SharedGroupsError(f"{_whose(shared)} examples in both train and test: {_named(shared)}")


def refuse_tested_source(source: Iterable[str], test: Iterable[str]) -> None:
    """Raise `DataError` if a group of the source has examples in test: whatever learns along would remember them."""
    shared = shared_groups(source, test)
    if not shared:
        return
    them = "it" if len(shared) == 1 else "them"
    raise DataError(
        f"{_whose(shared)} examples in both the source and test: {_named(shared)}; leave {them} out of the source"
    )


def refuse_learnt_elsewhere(shift: str, learnt: Iterable[str], tested: Iterable[str]) -> None:
    """Raise `DataError` if a group that is learnt from has examples in a shift that the task brings itself."""
    shared = shared_groups(learnt, tested)
    if not shared:
        return
    them = "it" if len(shared) == 1 else "them"
    raise DataError(
        f"{_whose(shared)} examples both to learn from and in the shift {shift!r}: {_named(shared)}; leave {them} out "
        "of the shift"
    )


def _whose(groups: Sequence[str]) -> str:
    return "1 group has" if len(groups) == 1 else f"{len(groups):,} groups have"


def _named(groups: Sequence[str]) -> str:
    return ", ".join(map(repr, groups[:NAMED])) + (f" and {len(groups) - NAMED:,} more" if groups[NAMED:] else "")


def divided_unit(units: Iterable[str], groups: Iterable[str]) -> tuple[str, str, str] | None:
    """Return the first unit that has examples in two groups, with these; each argument names one per example."""
    group_of: dict[str, str] = {}
    for unit, group in zip(units, groups, strict=True):
        if group_of.setdefault(unit, group) != group:
            return unit, group_of[unit], group
    return None


def refuse_divided_units(units: Iterable[str], groups: Iterable[str]) -> None:
    """Raise `DataError` if a unit has examples in two groups: it could not be tested as one."""
    found = divided_unit(units, groups)
    if found:
        unit, one, other = found
        raise DataError(
            f"{unit!r} is scored as one, but lies in two groups, {one!r} and {other!r}: mend the groups, or name none, "
            "so that they are what is scored"
        )
