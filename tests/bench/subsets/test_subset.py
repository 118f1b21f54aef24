"""Label budgets nest, are stratified, hold every class, and depend on their seed alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.budget import Count, Share
from bench.subsets.seeds import stream
from bench.subsets.subset import blocked_folds, budget_size, stratified_folds, stratified_order

labels_of_classes = st.lists(st.integers(1, 40), min_size=1, max_size=6).flatmap(
    lambda counts: st.permutations([name for name, count in enumerate(counts) for _ in range(count)])
)


@given(labels_of_classes, st.integers(0, 1000))
def test_an_order_holds_every_index_once(labels: list[int], seed: int) -> None:
    order = stratified_order(np.array(labels), stream(seed, "subset"))
    assert sorted(order.tolist()) == list(range(len(labels)))


@given(labels_of_classes, st.integers(0, 1000))
def test_a_budget_of_as_many_labels_as_classes_holds_each_class(labels: list[int], seed: int) -> None:
    order = stratified_order(np.array(labels), stream(seed, "subset"))
    classes = set(labels)
    assert {labels[index] for index in order[: len(classes)]} == classes


@given(labels_of_classes, st.integers(0, 1000), st.data())
def test_a_class_has_its_share_of_every_budget_to_within_two(labels: list[int], seed: int, data: st.DataObject) -> None:
    order = stratified_order(np.array(labels), stream(seed, "subset"))
    size = data.draw(st.integers(len(set(labels)), len(labels)))
    for name in set(labels):
        share = labels.count(name) / len(labels)
        got = sum(labels[index] == name for index in order[:size])
        # One guaranteed example of every class may displace up to one example per other class.
        assert abs(got - share * size) <= max(2, len(set(labels)))


@given(labels_of_classes, st.integers(0, 1000))
def test_the_same_seed_gives_the_same_order_whatever_was_drawn_before(labels: list[int], seed: int) -> None:
    first = stratified_order(np.array(labels), stream(seed, "subset"))
    np.random.default_rng().random(7)
    np.testing.assert_array_equal(first, stratified_order(np.array(labels), stream(seed, "subset")))


def test_another_seed_gives_another_budget() -> None:
    labels = np.arange(200) % 4
    one, other = (stratified_order(labels, stream(seed, "subset"))[:20] for seed in (0, 1))
    assert set(one.tolist()) != set(other.tolist())


def test_balanced_classes_are_balanced_in_every_budget() -> None:
    labels = np.arange(300) % 10
    order = stratified_order(labels, stream(3, "subset"))
    for size in (10, 30, 90, 300):
        assert set(np.bincount(labels[order[:size]])) == {size // 10}


@given(st.floats(1e-6, 1, exclude_min=True), st.integers(1, 10_000))
def test_a_share_has_at_least_one_label_and_at_most_all(share: float, total: int) -> None:
    assert 1 <= budget_size(Share(share), total) <= total


@pytest.mark.parametrize(("share", "size"), [(0.01, 13), (0.03, 40), (0.1, 135), (1.0, 1347)])
def test_a_share_is_rounded_to_whole_labels(share: float, size: int) -> None:
    assert budget_size(Share(share), 1347) == size


@given(st.integers(0, 10_000), st.integers(1, 10_000))
def test_a_count_is_as_many_labels_whatever_there_are(count: int, total: int) -> None:
    assert budget_size(Count(count), total) == count


@given(st.lists(st.integers(0, 3), min_size=10, max_size=80), st.integers(2, 5), st.integers(0, 100))
def test_folds_split_each_class_as_evenly_as_can_be(labels: list[int], count: int, seed: int) -> None:
    folds = stratified_folds(np.array(labels), count, stream(seed, "folds"))
    assert set(folds.tolist()) == set(range(count))
    for name in set(labels):
        sizes = np.bincount(folds[np.array(labels) == name], minlength=count)
        assert sizes.max() - sizes.min() <= 1


def test_blocked_folds_keep_neighbours_together() -> None:
    folds = blocked_folds(11, 5)
    assert folds.tolist() == sorted(folds.tolist())
    assert np.bincount(folds).min() >= 2
