"""A split refuses a source that would teach what is tested, and shifts of its own that were learnt from."""

from dataclasses import replace

import numpy as np
import pytest

from bench.errors import DataError
from bench.task import Elsewhere, Examples, Split, fingerprint
from tests.toys import toy_split


def of_patients(examples: Examples, first: int) -> Examples:
    """Return examples with a patient for every three of them, who are counted from `first`."""
    return replace(examples, groups=np.array([f"patient {first + row // 3}" for row in range(len(examples))]))


def test_a_source_is_refused_whose_groups_are_tested_here() -> None:
    split = toy_split()
    train, test = of_patients(split.train, 0), of_patients(split.test, 10)
    apart = of_patients(split.test, 20)
    assert Split(train, test, source=apart).source is apart
    assert Split(train, test, source=train).source is train, "what is learnt from anyway"
    with pytest.raises(DataError, match="1 group has examples in both the source and test: 'patient 19'"):
        Split(train, test, source=of_patients(split.test, 19))


def test_a_source_or_a_test_split_without_groups_shares_none() -> None:
    split = toy_split()
    test = of_patients(split.test, 10)
    assert Split(split.train, test, source=split.train).source is not None
    assert Split(split.train, split.test, source=test).source is test


def test_a_shift_of_the_task_is_refused_whose_groups_are_learnt_from() -> None:
    split = toy_split()
    train, test, source = (
        of_patients(part, first) for part, first in ((split.train, 0), (split.test, 10), (split.test, 20))
    )
    apart = Elsewhere("ward", "another ward", of_patients(split.test, 30))
    assert Split(train, test, source=source, elsewhere=(apart,)).elsewhere == (apart,)
    tested = Elsewhere("ward", "another ward", of_patients(split.test, 10))
    assert Split(train, test, elsewhere=(tested,)).elsewhere == (tested,), "what is tested anyway"
    for first, patient in ((9, "patient 9"), (29, "patient 29")):
        ward = Elsewhere("ward", "another ward", of_patients(split.test, first))
        with pytest.raises(
            DataError, match=f"1 group has .* to learn from and in the shift 'ward': '{patient}'; leave it"
        ):
            Split(train, test, source=source, elsewhere=(ward,))


def test_shifts_of_a_task_have_names_of_their_own_that_can_be_those_of_files() -> None:
    split = toy_split()
    for name in ("", "Ward", "a/b", "a.b", "-a", "two words"):
        with pytest.raises(DataError, match="is called by small letters, digits and hyphens"):
            Elsewhere(name, "another ward", split.test)
    ward = Elsewhere("ward-2", "another ward", split.test)
    with pytest.raises(DataError, match="have names of their own: got ward-2, ward-2"):
        replace(split, elsewhere=(ward, ward))


def test_a_unit_of_a_shift_lies_in_one_group() -> None:
    split = toy_split()
    units = np.array(["patient"] * len(split.test))
    divided = replace(of_patients(split.test, 0), units=units)
    with pytest.raises(DataError, match="'patient' is scored as one, but lies in two groups"):
        replace(split, elsewhere=(Elsewhere("ward", "another ward", divided),))


def test_the_hash_of_data_has_the_shifts_of_the_task_with_their_names_labels_and_order() -> None:
    split = toy_split()
    one = Elsewhere("ward", "another ward", split.test)
    named, labelled = replace(one, name="clinic"), replace(one, examples=replace(split.test, raw=split.train.raw))
    titled = replace(one, title="a ward in another town")
    shifts = [(), (one,), (named,), (labelled,), (one, named), (named, one)]
    assert len({fingerprint(replace(split, elsewhere=several)) for several in shifts}) == len(shifts)
    assert fingerprint(replace(split, elsewhere=(titled,))) == fingerprint(replace(split, elsewhere=(one,)))
