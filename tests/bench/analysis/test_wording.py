"""Numbers read as a person would write them."""

import pytest

from bench.analysis.wording import rounded, rounded_down


@pytest.mark.parametrize(
    ("number", "said"), [(0.4012, "0.4"), (7.71, "7.7"), (9.96, "10"), (14.2, "14"), (99.8, "100"), (109.6, "110")]
)
def test_a_rounded_number_has_two_digits_and_no_power_of_ten(number: float, said: str) -> None:
    assert rounded(number) == said


@pytest.mark.parametrize(("number", "said"), [(1.0, "1"), (1.99, "1.9"), (5.5, "5.5"), (99.8, "99"), (1999.0, "1,900")])
def test_what_is_at_least_a_number_is_not_rounded_above_it(number: float, said: str) -> None:
    assert rounded_down(number) == said
