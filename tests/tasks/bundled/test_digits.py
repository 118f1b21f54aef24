"""Stretches of digits are where the file shows that somebody began the form anew, and each is tested on once."""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pytest
from bench_tasks.bundled.digits import FOLDS, STARTS, Digits

from bench.column import Array, Indices
from bench.domains.vision.raw import ImageArray
from bench.runtime.cache import Cache
from bench.task import Split
from tests.toys import classes_of, groups_of

N = 1797
FORM = (
    "0123456789012345678901234567890955650989841773510022782012633733466649150952820017632174631391768431405369617544"
    "728225795488490898"
)
OPENING = np.tile(np.arange(10), 2)


class Stretch(NamedTuple):
    """The labels [n] and ink [n, 64] of a stretch, in the order of the file."""

    labels: Indices
    ink: Array


@pytest.fixture(scope="module")
def splits(tmp_path_factory: pytest.TempPathFactory) -> list[Split]:
    cache = Cache(tmp_path_factory.mktemp("cache"))
    return [Digits().split(fold, cache) for fold in range(FOLDS)]


@pytest.fixture(scope="module")
def stretches(splits: list[Split]) -> list[Stretch]:
    """Return the stretches in the order of the file, which their names have, put together from the test splits."""
    found = {}
    for test in (split.test for split in splits):
        assert isinstance(test.raw, ImageArray)
        names, labels = np.array(groups_of(test)), classes_of(test)
        ink = test.raw.pixels.reshape(len(test), -1).astype(float) * 16 / 255
        for name in set(names.tolist()):
            found[int(name.removeprefix("stretch "))] = Stretch(labels[names == name], ink[names == name])
    return [found[number] for number in sorted(found)]


def in_common(one: Sequence[int], other: Sequence[int]) -> int:
    """Return the length of the longest sequence that both hold in its order."""
    row = [0] * (len(other) + 1)
    for label in one:
        above = row
        row = [0]
        for place, against in enumerate(other):
            row.append(above[place] + 1 if label == against else max(above[place + 1], row[place]))
    return row[-1]


def test_every_stretch_is_the_form_with_few_digits_missing_and_at_most_one_that_is_another(
    stretches: list[Stretch],
) -> None:
    form = [int(label) for label in FORM]
    assert stretches[0].labels.tolist() == form
    for stretch in stretches:
        labels = stretch.labels.tolist()
        assert len(form) - 8 <= len(labels) <= len(form)
        assert in_common(labels, form) >= len(labels) - 1


def test_fewer_stretches_than_fourteen_could_not_hold_all_digits() -> None:
    assert len(STARTS) == -(-N // len(FORM)) == 14


def test_stretches_begin_where_the_digits_stand_in_order_twice_in_a_row(stretches: list[Stretch]) -> None:
    labels = np.concatenate([stretch.labels for stretch in stretches])
    assert len(labels) == N
    openings = [row for row in range(N - 19) if (labels[row : row + 20] == OPENING).all()]
    first = [row for row, before in zip(openings, [-20, *openings], strict=False) if row - before > 19]
    assert first == [0, 130, 256, 386, 516, 646, 776, 915, 1029, 1157, 1287, 1415, 1667]
    assert labels[906:915].tolist() == list(range(1, 10)), "the form again, less its first digit"
    assert labels[1545:1563].tolist() == [*range(10), 0, 1, 2, 3, 4, 5, 6, 9], "the form again, less a 7 and an 8"
    assert set(STARTS) == {*first, 906, 1545} - {915}


def test_pictures_of_a_stretch_are_nearer_to_each_other_than_to_those_of_any_other(stretches: list[Stretch]) -> None:
    within = [nearest(stretch, stretch) for stretch in stretches]
    across = [nearest(one, other) for one, other in itertools.permutations(stretches, 2)]
    assert 14.9 < min(within) < max(within) < 20.3
    assert min(across) > 22.5


def nearest(one: Stretch, other: Stretch) -> float:
    """Return how far the nearest other picture of the same digit is, on average over one of two stretches."""
    distances = np.sqrt(((one.ink[:, None] - other.ink[None]) ** 2).sum(2))  # [n, m]
    distances[one.labels[:, None] != other.labels[None]] = np.inf
    if one is other:
        np.fill_diagonal(distances, np.inf)
    return float(distances.min(1).mean())


def test_each_stretch_is_tested_on_once_and_every_fold_has_two_or_three(splits: list[Split]) -> None:
    tested = [sorted(set(groups_of(split.test))) for split in splits]
    assert sorted(itertools.chain(*tested)) == sorted(f"stretch {number}" for number in range(1, 15))
    assert sorted(map(len, tested)) == [2, 3, 3, 3, 3]
    assert sum(len(split.test) for split in splits) == N
    assert all(len(split.train) + len(split.test) == N for split in splits)


def test_a_seed_beyond_the_folds_begins_anew_with_the_first(
    splits: list[Split], tmp_path_factory: pytest.TempPathFactory
) -> None:
    again = Digits().split(FOLDS + 1, Cache(tmp_path_factory.mktemp("again")))
    assert groups_of(again.test) == groups_of(splits[1].test)
