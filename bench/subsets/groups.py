"""Groups on both sides of a split: the same voice, patient or document in train and test."""

from collections.abc import Iterable
from typing import Final

from bench.errors import DataError

NAMED: Final = 3


def shared_groups(train: Iterable[str], test: Iterable[str]) -> list[str]:
    """Return the groups that have examples in both train and test, sorted; each argument names one per example."""
    return sorted(set(train) & set(test))


def refuse_shared_groups(train: Iterable[str], test: Iterable[str]) -> None:
    """Raise `DataError` if a group has examples in both train and test: a test score would then count memories."""
    shared = shared_groups(train, test)
    if not shared:
        return
    named = ", ".join(map(repr, shared[:NAMED])) + (f" and {len(shared) - NAMED:,} more" if shared[NAMED:] else "")
    whose = "1 group has" if len(shared) == 1 else f"{len(shared):,} groups have"
    raise DataError(
        f"{whose} examples in both train and test: {named}; move each to one side, or name the groups to test on with "
        "the option held_out, or what a group is with the option group"
    )
