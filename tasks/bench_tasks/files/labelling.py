"""What the labels of a table or a folder are: as it is said, or as they look."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from bench.target import Target
from bench.targets.classes import Classes
from bench.targets.registered import written_as, written_kinds
from bench.written import Label, Labelling, Written

USUAL: Final = Classes.name
"""What labels are that look like nothing else."""


def reader_of(target: str) -> Written[Target]:
    """Return how labels of a target are written. Raises `UnknownNameError` if there is no such target."""
    written = written_as(target)
    assert written is not None, "a config does not name targets whose labels are not written"
    return written


def label_as(target: str, found: Sequence[Label], noun: str) -> Labelling[Target]:
    """Return labels read as those of a target; `noun` is what has them. Raises `DataError` if they cannot be."""
    return reader_of(target).labelling(found, noun)


class Guess(NamedTuple):
    """What labels probably are, by the name of a target, and a remark on it if they are not classes."""

    target: str
    remarks: tuple[str, ...] = ()


def guess_target(cells: Sequence[str], separator: str) -> Guess:
    """Return what the labels of a column probably are."""
    written = [cell for cell in cells if cell.strip()]
    for name, kind in written_kinds():
        why = kind.recognised(written, separator)
        if why:
            return Guess(name, (f'{why} (else target = "{USUAL}")',))
    return Guess(USUAL)


def target_in_columns() -> str:
    """Return the target whose labels can have a column of yes and no each."""
    return next(name for name, kind in written_kinds() if kind.several)
