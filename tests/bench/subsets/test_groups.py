"""A group on both sides of a split is refused and named, and so is what is scored as one but in two groups."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import DataError
from bench.subsets.groups import (
    divided_unit,
    refuse_divided_units,
    refuse_shared_groups,
    refuse_tested_source,
    shared_groups,
)

names = st.lists(st.integers(0, 30).map("patient {}".format), max_size=20)


@given(names, names)
def test_a_shared_group_is_one_that_is_on_both_sides(train: list[str], test: list[str]) -> None:
    shared = shared_groups(train, test)
    assert shared == sorted(name for name in set(train + test) if name in train and name in test)


@given(names, names)
def test_splits_are_refused_if_they_share_a_group(train: list[str], test: list[str]) -> None:
    if any(name in train for name in test):
        with pytest.raises(DataError, match="in both train and test"):
            refuse_shared_groups(train, test)
    else:
        refuse_shared_groups(train, test)


def test_a_split_without_groups_shares_none() -> None:
    refuse_shared_groups((), ())


def test_up_to_three_shared_groups_are_named_with_what_to_do() -> None:
    with pytest.raises(DataError) as caught:
        refuse_shared_groups("edcba", "abcdef")
    assert str(caught.value) == (
        "5 groups have examples in both train and test: 'a', 'b', 'c' and 2 more; move each to one side, or name the "
        "groups to test on with the option held_out, or what a group is with the option group"
    )
    with pytest.raises(DataError, match=r"^1 group has examples in both train and test: 'a'; move"):
        refuse_shared_groups("ab", "ac")


def test_a_source_with_groups_that_are_tested_is_told_which() -> None:
    refuse_tested_source("ab", "cd")
    with pytest.raises(DataError) as caught:
        refuse_tested_source("edcba", "abcdef")
    assert str(caught.value) == (
        "5 groups have examples in both the source and test: 'a', 'b', 'c' and 2 more; leave them out of the source"
    )
    with pytest.raises(DataError, match=r"^1 group has examples in both the source and test: 'a'; leave it out of"):
        refuse_tested_source("ab", "ac")


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz")), max_size=12))
def test_a_unit_is_divided_if_it_lies_in_two_groups(pairs: list[tuple[str, str]]) -> None:
    units, groups = [unit for unit, _ in pairs], [group for _, group in pairs]
    whole = all(len({group for unit, group in pairs if unit == name}) == 1 for name in set(units))
    assert (divided_unit(units, groups) is None) == whole
    if whole:
        refuse_divided_units(units, groups)
        return
    with pytest.raises(DataError, match="lies in two groups"):
        refuse_divided_units(units, groups)


def test_a_divided_unit_is_named_with_its_groups() -> None:
    with pytest.raises(DataError) as caught:
        refuse_divided_units(["p1", "p2", "p2"], ["north", "north", "south"])
    assert str(caught.value) == (
        "'p2' is scored as one, but lies in two groups, 'north' and 'south': mend the groups, or name none, so that "
        "they are what is scored"
    )
