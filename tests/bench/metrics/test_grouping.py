"""Predictions within groups are combined into one, and groups with different labels are refused by name."""

from typing import Literal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import expit, logit, softmax

from bench.column import Column, Dense, dense
from bench.errors import DataError
from bench.metrics import classes
from bench.metrics.grouping import Grouped, combine_classes, combine_labels, combine_values
from tests.bench.metrics.drawn import logits_drawn, seeds, value_of

HOW: list[Literal["mean", "maximum"]] = ["mean", "maximum"]


@st.composite
def grouped(draw: st.DrawFn) -> tuple[np.random.Generator, list[str]]:
    """A generator, and the groups of up to 30 examples in any order."""
    groups = draw(st.lists(st.sampled_from(["ann", "bob", "eve", "zoë"]), min_size=1, max_size=30))
    return np.random.default_rng(draw(seeds)), groups


def means(values: NDArray[np.float64], groups: list[str]) -> NDArray[np.float64]:
    """Return the mean of each group, in the order of their names, by pandas."""
    found: NDArray[np.float64] = pd.DataFrame(values).groupby(np.array(groups)).mean().to_numpy()
    return found


@given(grouped())
def test_classes_have_the_mean_probability_of_their_group(drawn: tuple[np.random.Generator, list[str]]) -> None:
    rng, groups = drawn
    logits = logits_drawn(rng, len(groups), 3, ties=False)
    labels = dense(**{"class": [len(group) for group in groups]})
    found = combine_classes(dense(logit=logits), labels, groups)
    expected = means(np.asarray(softmax(logits.astype(np.float64), axis=1)), groups)
    np.testing.assert_allclose(softmax(found.predictions["logit"].astype(np.float64), axis=1), expected, rtol=1e-5)
    assert found.predictions["logit"].dtype == np.float32
    check_groups(found, labels, groups)


@pytest.mark.parametrize("how", HOW)
@given(drawn=grouped())
def test_labels_have_the_mean_or_maximal_probability_of_their_group(
    how: Literal["mean", "maximum"], drawn: tuple[np.random.Generator, list[str]]
) -> None:
    rng, groups = drawn
    logits = logits_drawn(rng, len(groups), 3, ties=False)
    labels = dense(present=[[group > "b", group > "c", False] for group in groups])
    found = combine_labels(dense(logit=logits), labels, groups, how=how)
    frame = pd.DataFrame(expit(logits.astype(np.float64))).groupby(np.array(groups))
    expected = logit((frame.mean() if how == "mean" else frame.max()).to_numpy())
    np.testing.assert_allclose(found.predictions["logit"], expected, rtol=1e-5, atol=1e-6)
    check_groups(found, labels, groups)


@given(grouped())
def test_values_are_the_mean_of_their_group(drawn: tuple[np.random.Generator, list[str]]) -> None:
    rng, groups = drawn
    values = rng.normal(size=len(groups))
    labels = dense(value=[float(len(group)) for group in groups])
    found = combine_values(dense(value=values), labels, groups)
    np.testing.assert_allclose(found.predictions["value"], np.ravel(means(values, groups)), rtol=1e-12)
    check_groups(found, labels, groups)


def check_groups(found: Grouped, labels: Column, groups: list[str]) -> None:
    """Check that there is a row for each group, with its labels and its first example."""
    assert [groups[row] for row in found.rows] == sorted(set(groups))
    assert [groups.index(groups[row]) for row in found.rows] == found.rows.tolist()
    for name, array in found.labels.values.items():
        assert array.tolist() == labels.take(found.rows)[name].tolist()


def test_probabilities_that_underflow_keep_their_order() -> None:
    predictions = dense(logit=np.array([[0, 2000], [0, 2000], [0, 3000], [0, 3000]], dtype=np.float32))
    found = combine_classes(predictions, dense(**{"class": [0, 0, 0, 0]}), ["a", "a", "b", "b"])
    assert found.predictions["logit"].tolist() == [[-2000, 0], [-3000, 0]]
    sure = dense(logit=np.array([[900], [-900], [900], [900]], dtype=np.float32))
    combined = combine_labels(sure, dense(present=[[True]] * 4), ["a", "a", "b", "b"])
    assert combined.predictions["logit"].tolist() == [[0], [900]]


def test_impossible_classes_stay_impossible() -> None:
    predictions = dense(logit=np.array([[0, -np.inf], [0, -np.inf]], dtype=np.float32))
    found = combine_classes(predictions, dense(**{"class": [0, 0]}), ["a", "a"])
    assert found.predictions["logit"].tolist() == [[0, -np.inf]]


def test_no_examples_are_no_groups() -> None:
    none = combine_classes(dense(logit=np.empty((0, 3), dtype=np.float32)), dense(**{"class": np.empty(0, int)}), [])
    assert (len(none.predictions), len(none.labels), len(none.rows)) == (0, 0, 0)
    assert classes.ACCURACY.compute(none.predictions, none.labels, None) is None


def test_patients_are_scored_in_place_of_pictures() -> None:
    predictions = dense(logit=np.log(np.array([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8]], dtype=np.float32)))
    labels = dense(**{"class": [0, 0, 1]})
    found = combine_classes(predictions, labels, ["p1", "p1", "p2"])
    assert value_of(classes.ACCURACY, predictions, labels) == pytest.approx(2 / 3)
    assert classes.ACCURACY.compute(found.predictions, found.labels, None) == 1
    np.testing.assert_allclose(np.exp(found.predictions["logit"]), [[0.65, 0.35], [0.2, 0.8]], rtol=1e-6)


def test_a_group_with_different_labels_is_refused_by_name() -> None:
    said = r"the group 'p7' has examples with different labels.*\(examples 1 and 3 of the split\)"
    groups = ["p1", "p7", "p1", "p7"]
    logits = dense(logit=np.zeros((4, 2), dtype=np.float32))
    with pytest.raises(DataError, match=said):
        combine_classes(logits, dense(**{"class": [0, 0, 0, 1]}), groups)
    with pytest.raises(DataError, match=said):
        combine_labels(logits, Dense({"present": np.array([[0, 1], [1, 0], [0, 1], [1, 1]], dtype=np.bool_)}), groups)
    with pytest.raises(DataError, match=said):
        combine_values(dense(value=np.zeros(4)), dense(value=[1.0, 2.0, 1.0, 2.5]), groups)
