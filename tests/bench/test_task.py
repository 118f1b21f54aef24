"""A split refuses a source that would teach what is tested."""

from dataclasses import replace

import numpy as np
import pytest

from bench.errors import DataError
from bench.task import Examples, Split
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
