"""What is asked for of a budget: one way to write each, an order of all, and an error that helps for what is none."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.budget import ALL, NONE, Asked, Count, Share, parse_asked
from bench.cell import Cell, cell_of, cell_record
from bench.errors import ConfigError

SHARES = st.builds(Share, st.floats(0, 1, exclude_min=True))
COUNTS = st.builds(Count, st.integers(0, 10**9))
BUDGETS = SHARES | COUNTS


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("0.1", Share(0.1)),
        ("1e-3", Share(0.001)),
        ("30", Count(30)),
        ("1", Count(1)),
        ("all", ALL),
        ("1.0", ALL),
        ("0", NONE),
    ],
)
def test_a_share_has_a_point_a_count_has_none_and_all_is_everything(text: str, asked: Asked) -> None:
    assert parse_asked(text) == asked


@given(BUDGETS)
def test_what_is_written_is_read_back(asked: Asked) -> None:
    assert parse_asked(str(asked)) == asked
    cell = Cell("task", "backbone", "strategy", asked, 3)
    assert cell_of(cell_record(cell)) == cell


@pytest.mark.parametrize("text", ["1.5", "0.0", "-0.1", "-3", "30.0", "nan", "inf", "100%", "half", "", "All", "1_000"])
def test_what_is_no_budget_is_told_with_what_would_be_one(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_asked(text)
    assert str(caught.value) == (
        f"{text!r} is neither a share in (0, 1] nor a whole number of labels: a budget is such as 0.1, 30, all or 0"
    )


def test_a_record_of_no_budget_is_no_cell() -> None:
    record = cell_record(Cell("task", "backbone", "strategy", ALL, 0))
    with pytest.raises(ValueError, match="neither a share"):
        cell_of({**record, "budget": "most"})


@given(st.lists(BUDGETS, max_size=8))
def test_counts_come_before_shares_and_each_from_few_to_many(several: list[Asked]) -> None:
    ordered = sorted(several)
    counts = [one for one in ordered if isinstance(one, Count)]
    shares = [one for one in ordered if isinstance(one, Share)]
    assert ordered == [*counts, *shares]
    assert [one.of for one in counts] == sorted(one.of for one in counts)
    assert [one.of for one in shares] == sorted(one.of for one in shares)
    assert all(NONE <= one <= ALL for one in several)


def test_one_label_is_not_all_of_them() -> None:
    several: set[Asked] = {Count(1), Share(1), ALL}
    assert several == {ALL, Count(1)}
    assert len(several) == 2


@pytest.mark.parametrize("of", [0.0, -0.5, 1.01, float("nan")])
def test_a_share_outside_its_range_cannot_be_made(of: float) -> None:
    with pytest.raises(ValueError, match=r"a share is in \(0, 1\]"):
        Share(of)


def test_a_count_below_none_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="a count of labels is 0 or more: got -1"):
        Count(-1)


def test_budgets_and_cells_need_the_standard_library_alone() -> None:
    code = "import sys, bench.cell, bench.budget; print({'numpy', 'pandas', 'pydantic', 'torch'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"
