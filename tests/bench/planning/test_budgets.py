"""Budgets nest for one seed, whatever mix of shares and counts is asked for, and are as large as was asked."""

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.budget import ALL, NONE, Asked, Count, Share
from bench.column import Array, Column, Dense, Indices, dense, digest
from bench.errors import DataError
from bench.planning.budgets import Budgets
from bench.subsets.seeds import stream
from bench.subsets.subset import budget_size, stratified_order
from bench.target import Target
from bench.targets.classes import LABEL, Classes, Stratified
from bench.targets.forecast import Forecast

NAMES = ("a", "b", "c")
TOTAL = 60
CLASSES = Classes(NAMES)
LABELS = dense(**{LABEL: np.arange(TOTAL) % len(NAMES)})
WINDOWS = dense(future=np.arange(2.0 * (TOTAL - 1)).reshape(TOTAL - 1, 2))  # which hold 60 steps
TARGETS: list[tuple[Target, Column]] = [(CLASSES, LABELS), (Forecast(2), WINDOWS)]

BUDGETS = st.builds(Share, st.floats(0.05, 1)) | st.builds(Count, st.integers(3, TOTAL))


@pytest.mark.parametrize(("target", "labels"), TARGETS, ids=["classes", "forecast"])
@given(several=st.lists(BUDGETS, min_size=2, max_size=6), seed=st.integers(0, 50))
def test_budgets_of_one_seed_nest_whatever_is_asked_for(
    target: Target, labels: Column, several: list[Asked], seed: int
) -> None:
    budgets = Budgets(target, labels, None)
    drawn = sorted((budgets.draw(asked, seed) for asked in several), key=lambda one: one.amount)
    for smaller, larger in pairwise(drawn):
        assert set(smaller.rows.tolist()) <= set(larger.rows.tolist())
    assert budgets.union((asked, seed) for asked in several).tolist() == drawn[-1].rows.tolist()


@pytest.mark.parametrize(("target", "labels"), TARGETS, ids=["classes", "forecast"])
@given(asked=BUDGETS, seed=st.integers(0, 50))
def test_a_budget_holds_its_amount_of_labels_in_the_order_of_the_split(
    target: Target, labels: Column, asked: Asked, seed: int
) -> None:
    budget = Budgets(target, labels, None).draw(asked, seed)
    assert budget.asked == asked
    assert budget.amount == budget_size(asked, TOTAL)
    assert budget.rows.tolist() == sorted(set(budget.rows.tolist()))
    assert digest(budget.labels) == digest(labels.take(budget.rows))


@given(st.floats(0.05, 1), st.integers(0, 50))
def test_a_share_is_the_beginning_of_the_order_of_its_seed(share: float, seed: int) -> None:
    order = stratified_order(LABELS[LABEL], stream(seed, "subset"))
    rows = Budgets(CLASSES, LABELS, None).draw(Share(share), seed).rows
    assert rows.tolist() == sorted(order[: max(1, round(share * TOTAL))].tolist())


def test_a_count_is_the_same_labels_as_the_share_of_that_size() -> None:
    budgets = Budgets(CLASSES, LABELS, None)
    assert budgets.draw(Count(6), 1).rows.tolist() == budgets.draw(Share(0.1), 1).rows.tolist()
    assert budgets.draw(Count(TOTAL), 1).rows.tolist() == budgets.draw(ALL, 1).rows.tolist() == list(range(TOTAL))


def test_a_count_of_labels_is_stratified() -> None:
    assert set(Counter(Budgets(CLASSES, LABELS, None).draw(Count(30), 2).labels[LABEL].tolist()).values()) == {10}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (Count(61), "a budget of 61 labelled examples, but there are 60: ask for 60 or fewer, or for all"),
        (
            Count(2),
            "a budget of 2 is 2 of 60 labelled examples, too few for one example of each of 3 classes: ask for 3",
        ),
        (Share(0.01), "a budget of 0.01 is 1 of 60 labelled examples, too few for one example of each of 3 classes"),
    ],
)
def test_what_the_data_do_not_have_or_cannot_be_learnt_from_is_refused(asked: Asked, said: str) -> None:
    with pytest.raises(DataError) as caught:
        Budgets(CLASSES, LABELS, None).draw(asked, 0)
    assert str(caught.value).startswith(said)


def test_a_budget_of_nothing_has_no_labels() -> None:
    budget = Budgets(CLASSES, LABELS, None).draw(NONE, 0)
    assert (len(budget.rows), budget.amount, len(budget.labels)) == (0, 0.0, 0)


def test_a_budget_that_is_larger_than_the_data_needs_all_of_them() -> None:
    assert len(Budgets(CLASSES, LABELS, None).union([(Count(1000), 0), (Share(0.1), 1)])) == TOTAL


class ByMinutes(Stratified):
    """Budgets in minutes of recordings."""

    def amounts(self, labels: Column, facts: Column | None, order: Indices) -> Array:
        assert isinstance(facts, Dense)
        minutes: Array = facts["minutes"][order].cumsum()
        return minutes


@dataclass(frozen=True, slots=True)
class Minutes(Classes):
    """Classes whose budgets are in minutes."""

    unit: ClassVar[str] = "minutes"

    @property
    def sampling(self) -> ByMinutes:
        return ByMinutes(len(self.names))


@pytest.mark.parametrize(("last", "total"), [(1.0, 10.0), (1.1, 10.1)])
def test_half_of_another_unit_is_half_even_where_that_amounts_to_the_number_of_examples(
    last: float, total: float
) -> None:
    each = np.array([5.0, *[0.5] * 8, last])
    labels, facts = dense(**{LABEL: np.zeros(10, dtype=np.int64)}), dense(minutes=each)
    budgets = Budgets(Minutes(("a",)), labels, facts)
    assert budgets.draw(ALL, 0).amount == pytest.approx(total)
    for seed in range(5):
        amounts = each[Minutes(("a",)).sampling.order(labels, facts, stream(seed, "subset"))].cumsum()
        amount = budgets.draw(Share(0.5), seed).amount
        assert abs(amount - total / 2) == pytest.approx(np.abs(amounts - total / 2).min())


def test_a_count_of_another_unit_may_be_more_than_the_number_of_examples() -> None:
    labels, facts = dense(**{LABEL: np.zeros(40, dtype=np.int64)}), dense(minutes=np.full(40, 2.5))
    budget = Budgets(Minutes(("a",)), labels, facts).draw(Count(50), 0)
    assert (len(budget.rows), budget.amount) == (20, 50.0)
    assert not Minutes(("a",)).sampling.counts_examples
    assert [target.sampling.counts_examples for target, _ in TARGETS] == [True, False]
