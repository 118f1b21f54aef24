"""The table is Markdown, fits a terminal, and never says that a target was met which was not."""

import pytest

from benchmarks.agreement import Accuracies
from benchmarks.harness import Spread
from benchmarks.table import COLUMNS, LEFT_OUT, Row, Target, render

FAST = Row(
    name="step",
    compares="ours / bare step",
    value=Spread(1.1, 1.05, 1.25),
    target=Target(1.2, at_most=True),
    note="60 steps. " * 20,
)
MISSING = Row(name="vit", compares="", value=None, note="needs a GPU.")

EXPECTED = """\
One thread.

| Row  | What over what   |   Median |     Range | Target | Met |
| ---- | ---------------- | -------: | --------: | -----: | --- |
| step | ours / bare step |     1.10 | 1.05–1.25 |  ≤ 1.2 | yes |
| vit  |                  | left out |           |        |     |

- *vit*: needs a GPU.
"""


def test_the_table_reads_as_it_should() -> None:
    short = Row(name=FAST.name, compares=FAST.compares, value=FAST.value, target=FAST.target, note="")
    assert render([short, MISSING], caption="One thread.") == EXPECTED


def test_no_line_is_wider_than_a_terminal() -> None:
    wide = render([FAST, MISSING], caption="One thread on each side. " * 10)
    assert max(map(len, wide.splitlines())) <= COLUMNS


@pytest.mark.parametrize(
    ("value", "target", "agree", "met"),
    [
        (1.2, Target(1.2, at_most=True), True, "yes"),
        (1.21, Target(1.2, at_most=True), True, "no"),
        (1.6, Target(1.6, at_most=False), True, "yes"),
        (1.5, Target(1.6, at_most=False), True, "no"),
        (1.7, Target(1.6, at_most=False), False, "no"),
        (1.7, None, True, ""),
    ],
)
def test_a_target_is_met_by_the_median_of_sides_that_agree(
    value: float, target: Target | None, *, agree: bool, met: str
) -> None:
    row = Row(name="row", compares="", value=Spread(value, 0.1, 9.0), target=target, agree=agree, note="")
    assert row.cells()[-1] == met


def test_a_row_that_was_left_out_meets_nothing() -> None:
    row = Row(name="row", compares="", value=None, target=Target(2, at_most=False), note="needs a GPU.")
    assert row.met is None
    assert LEFT_OUT in row.cells()


def test_accuracies_agree_within_one_standard_error() -> None:
    assert Accuracies(peer=0.80, ours=0.81, n_test=1500).agree  # the error is 0.0102
    assert not Accuracies(peer=0.80, ours=0.83, n_test=1500).agree
