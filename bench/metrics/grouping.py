"""Combine the predictions of a group (the images of a patient, the pages of a document) into one before scoring."""

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bench.column import Column, Dense, Indices
from bench.errors import DataError
from bench.metrics.classes import log_softmax
from bench.metrics.ranks import Floats


class Grouped(NamedTuple):
    """Predictions and labels with an entry for each group; `rows` [groups] is the first example of each.

    Groups are in the order of their names. By `rows`, facts and names of groups are taken.
    """

    predictions: Dense
    labels: Dense
    rows: Indices


Combine = Callable[[Column, Column, ArrayLike], Grouped]
"""From predictions and labels of examples, and the names [n] of the groups that they are in."""


class Mixed(NamedTuple):
    """A group whose labels differ, and two of its examples that do."""

    group: str
    one: int
    other: int


class _Groups(NamedTuple):
    """Names [groups] in order; the group [n] of each example; examples sorted by group, and where each group starts."""

    names: NDArray[np.str_]
    member_of: Indices
    order: Indices
    starts: Indices

    @property
    def first(self) -> Indices:
        """The first example of each group, [groups]."""
        return self.order[self.starts]


def combine_classes(predictions: Column, labels: Column, groups: ArrayLike) -> Grouped:
    """Return the logarithm of the mean probability of each class, as {"logit": float32 [groups, classes]}.

    Groups are names [n]. Raises `DataError` if examples of a group differ in their labels.
    """
    members = _groups(groups)
    logs = _log_means(log_softmax(predictions["logit"]), members)
    return Grouped(Dense({"logit": logs.astype(np.float32)}), _common_labels(labels, members), members.first)


def combine_labels(
    predictions: Column, labels: Column, groups: ArrayLike, *, how: Literal["mean", "maximum"] = "mean"
) -> Grouped:
    """Return the logit of the mean or the maximal probability of each label, as {"logit": float32 [groups, k]}.

    The maximum is for what is present in a group as soon as one example shows it. Groups are names [n]. Raises
    `DataError` if examples of a group differ in their labels.
    """
    members = _groups(groups)
    logits = predictions["logit"].astype(np.float64)
    if how == "maximum":
        combined = np.maximum.reduceat(logits[members.order], members.starts)
    else:
        present, absent = -np.logaddexp(0, -logits), -np.logaddexp(0, logits)  # log-probabilities [n, k]
        combined = _log_means(present, members) - _log_means(absent, members)
    return Grouped(Dense({"logit": combined.astype(np.float32)}), _common_labels(labels, members), members.first)


def combine_values(predictions: Column, labels: Column, groups: ArrayLike) -> Grouped:
    """Return the mean value of each group, as {"value": float64 [groups]}.

    Groups are names [n]. Raises `DataError` if examples of a group differ in their labels.
    """
    members = _groups(groups)
    means = np.add.reduceat(predictions["value"][members.order], members.starts) / np.bincount(members.member_of)
    return Grouped(Dense({"value": means}), _common_labels(labels, members), members.first)


def find_mixed(labels: Column, groups: ArrayLike) -> Mixed | None:
    """Return the first example whose labels are not those of the first of its group, or None."""
    return _mixed(labels, _groups(groups))


def _groups(groups: ArrayLike) -> _Groups:
    names, member_of, sizes = np.unique(np.asarray(groups, dtype=np.str_), return_inverse=True, return_counts=True)
    return _Groups(names, member_of, np.argsort(member_of, kind="stable"), np.cumsum(sizes) - sizes)


def _log_means(logs: Floats, members: _Groups) -> Floats:
    """Return the logarithm of the mean probability in each group, [groups, k], of log-probabilities [n, k]."""
    sums: Floats = np.logaddexp.reduceat(logs[members.order], members.starts)
    return sums - np.log(np.bincount(members.member_of))[:, None]


def _common_labels(labels: Column, members: _Groups) -> Dense:
    """Return the labels that the examples of each group share."""
    assert isinstance(labels, Dense), "examples that are combined have a label each"
    mixed = _mixed(labels, members)
    if mixed:
        raise DataError(
            f"the group {mixed.group!r} has examples with different labels, but is scored as one "
            f"(examples {mixed.one} and {mixed.other} of the split): mend the labels, or score each example"
        )
    return labels.take(members.first)


def _mixed(labels: Column, members: _Groups) -> Mixed | None:
    assert isinstance(labels, Dense), "examples that are combined have a label each"
    for array in labels.values.values():
        differs = array != array[members.first][members.member_of]  # [n, …]
        rows = np.flatnonzero(differs.any(axis=tuple(range(1, differs.ndim))))
        if len(rows):
            group = members.member_of[rows[0]]
            return Mixed(str(members.names[group]), int(members.first[group]), int(rows[0]))
    return None
