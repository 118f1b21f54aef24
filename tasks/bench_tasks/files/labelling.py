"""Labels as people write them, made into a target, its column, and strata that a split is drawn from."""

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from bench.column import Column, Indices, dense, ragged
from bench.config.data import Predicted
from bench.errors import DataError
from bench.target import Target
from bench.targets import classes, labels, tags, value
from bench.targets.value import quantiles

log = logging.getLogger(__name__)

Label = str | tuple[str, ...]
"""A class or a number as it is written, or the labels or tags of one example."""

NAMES_SHOWN: Final = 10
BINS: Final = 10
PER_BIN: Final = 4
"""So many examples at least make a quantile that a split is stratified by: one of them can be held out."""

MANY: Final = 20
REPEATED: Final = 10
"""Numbers are values where there are more than so many, and fewer examples of each on average."""


@dataclass(frozen=True, slots=True, eq=False)
class Labelling:
    """The labels of n examples: the `target` they are for, and its column.

    `strata` [n] are what a split is stratified by. Those of classes all have to be learnt from and tested on; of others
    a split has what it can have. `names` go into the hash of the data, `counted` is how they are told.
    """

    target: Target
    column: Column
    strata: Indices
    names: tuple[str, ...]
    counted: str
    remarks: tuple[str, ...] = ()

    @property
    def are_classes(self) -> bool:
        """Whether strata are classes."""
        return isinstance(self.target, classes.Classes)

    @property
    def said(self) -> list[object]:
        """What of them decides a score beside the labels of each example."""
        return list(self.names) if self.are_classes else [self.target.name, *self.names]


def label_as(kind: Predicted, found: Sequence[Label], noun: str) -> Labelling:
    """Return labels read as a kind of target; `noun` is what has them. Raises `DataError` if they cannot be."""
    return _READERS[kind](found, noun)


def _as_classes(found: Sequence[Label], noun: str) -> Labelling:
    written = [label for label in found if isinstance(label, str)]
    names = tuple(sorted(set(written)))
    if len(names) < 2:
        held = f"all {len(found):,} have the label {names[0]!r}" if names else "there are none"
        raise DataError(f"at least two classes are expected among the {noun}, but {held}")
    numbers = {label: number for number, label in enumerate(names)}
    indices = np.array([numbers[label] for label in written], dtype=np.int64)
    alike = _labels_alike(names)
    counted = f"{len(names):,} classes{_listed(names)}"
    return Labelling(
        classes.Classes(names), dense(**{classes.LABEL: indices}), indices, names, f"of {counted}", tuple(alike)
    )


def _as_values(found: Sequence[Label], noun: str) -> Labelling:
    values = np.array([number_of(label) for label in found], dtype=np.float64)
    if not len(values) or values.min() == values.max():
        held = f"all {len(values):,} have the value {values[0]:g}" if len(values) else "there are none"
        raise DataError(f"values that differ are expected among the {noun}, but {held}")
    strata = quantiles(values, max(1, min(BINS, len(values) // PER_BIN)))
    counted = f"with values from {values.min():g} to {values.max():g}"
    return Labelling(value.Value(), dense(**{value.LABEL: values}), strata, (), counted)


def _as_several(found: Sequence[Label], noun: str) -> Labelling:
    names = tuple(sorted({name for several in found for name in several}))
    if not names:
        raise DataError(f"none of the {noun} has a label")
    places = {name: place for place, name in enumerate(names)}
    present = np.zeros((len(found), len(names)), dtype=np.bool_)
    for row, several in zip(present, found, strict=True):
        row[[places[name] for name in several]] = True
    counted = f"with any of {len(names):,} labels{_listed(names)}"
    return Labelling(
        labels.Labels(names),
        dense(**{labels.LABEL: present}),
        labels.rarest(present),
        names,
        counted,
        tuple(_labels_alike(names)),
    )


def _as_tags(found: Sequence[Label], noun: str) -> Labelling:
    others = sorted({tag for of_text in found for tag in of_text} - {tags.OUTSIDE})
    if not others:
        raise DataError(f"no word of the {noun} is in an entity: all tags are {tags.OUTSIDE!r}")
    names = (tags.OUTSIDE, *others)
    numbers = {tag: number for number, tag in enumerate(names)}
    column = ragged(**{tags.LABEL: [np.array([numbers[tag] for tag in one], dtype=np.int64) for one in found]})
    kinds = sorted({tag[2:] for tag in others})
    words = sum(map(len, found))
    counted = f"with {words:,} words and {len(kinds):,} kinds of entities{_listed(kinds)}"
    return Labelling(tags.Tags(names), column, np.zeros(len(found), dtype=np.int64), names, counted)


_READERS: Final[Mapping[Predicted, Callable[[Sequence[Label], str], Labelling]]] = {
    "classes": _as_classes,
    "value": _as_values,
    "labels": _as_several,
    "tags": _as_tags,
}


def number_of(label: Label) -> float:
    """Return a label as a number, nan if it is none or not finite."""
    try:
        number = float(label) if isinstance(label, str) else math.nan
    except ValueError:
        return math.nan
    return number if math.isfinite(number) else math.nan


def parts_of(cell: str, separator: str) -> tuple[str, ...]:
    """Return the labels in a cell, each once, sorted; none of an empty one."""
    return tuple(sorted({part.strip() for part in cell.split(separator)} - {""}))


def guess_target(address: str, cells: Sequence[str], separator: str) -> Predicted:
    """Return what the labels of a column probably are, and log it if they are not classes.

    Many different numbers are values. Cells that share labels with each other, between separators, are several labels.
    """
    written = [cell for cell in cells if cell.strip()]
    distinct = set(written)
    if _are_values(written, len(distinct)):
        log.info(
            '%s: labels are %d different numbers, taken as values (else target = "classes")', address, len(distinct)
        )
        return "value"
    several = [parts_of(cell, separator) for cell in distinct]
    names = {name for one in several for name in one}
    if len(names) < len(distinct) and any(len(one) > 1 for one in several):
        log.info('%s: cells with %r hold several labels each (else target = "classes")', address, separator)
        return "labels"
    return "classes"


def _are_values(written: Sequence[str], n_distinct: int) -> bool:
    numbers = [number_of(cell) for cell in written]
    if not numbers or any(map(math.isnan, numbers)):
        return False
    alone = 2 * n_distinct > len(written) > 2  # as classes, most would have a single example
    return alone or (n_distinct > MANY and len(written) < REPEATED * n_distinct)


def _labels_alike(names: Sequence[str]) -> list[str]:
    """Return a remark for labels that differ only in case or in spaces around them."""
    alike: dict[str, list[str]] = {}
    for label in names:
        alike.setdefault(label.strip().casefold(), []).append(label)
    return [
        f"labels {' and '.join(map(repr, sorted(same)))} are probably one class"
        for same in alike.values()
        if len(same) > 1
    ]


def _listed(names: Sequence[str]) -> str:
    return f" ({', '.join(names)})" if len(names) <= NAMES_SHOWN else ""
