"""Scores without each block are those of the other examples, and undefined where these define none."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from bench.cell import Scores
from bench.column import Column, dense, ragged
from bench.errors import DataError
from bench.metric import Compute, Metric, MetricCard
from bench.scoring import score


def metric(name: str, compute: Compute) -> Metric:
    return Metric(MetricCard(name, name, higher_is_better=True, perfect=1.0), compute)


def accuracy(predictions: Column, labels: Column, facts: Column | None) -> float | None:
    hits: NDArray[np.bool_] = predictions["class"] == labels["class"]
    return hits.mean(dtype=np.float32) if facts is None else np.average(hits, weights=facts["weight"])


def recall(predictions: Column, labels: Column, facts: Column | None) -> float | None:
    positive = labels["class"] == 1
    return float((predictions["class"][positive] == 1).mean()) if positive.any() else None


ACCURACY, RECALL = metric("accuracy", accuracy), metric("recall", recall)


def test_predictions_that_are_no_numbers_are_told_with_the_metric() -> None:
    diverged = dense(**{"class": np.array([np.nan, 1.0, 0.0, 1.0])})
    spread = metric("spread", lambda predictions, labels, facts: float(predictions["class"].std()))
    with pytest.raises(DataError, match="spread of the predictions is nan: some of them are no numbers"):
        score([spread], diverged, diverged, None, np.array([0, 0, 1, 1]))


examples = st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(1, 9)), min_size=2, max_size=60)
"""Of each: whether the prediction is positive, whether the label is, and a weight."""


def numbered(n: int, blocks: int) -> NDArray[np.int64]:
    return np.random.default_rng(n).permutation(n) % blocks


@given(examples, st.integers(2, 20))
def test_a_score_without_a_block_is_that_of_the_other_examples(rows: list[tuple[bool, bool, int]], count: int) -> None:
    blocks = numbered(len(rows), count)
    predicted, true, weights = np.array(rows).T
    columns = dense(**{"class": predicted}), dense(**{"class": true}), dense(weight=weights)
    found = score([RECALL, ACCURACY], *columns, blocks).without["accuracy"]
    expected = [
        np.average((predicted == true)[blocks != b], weights=weights[blocks != b]) for b in set(blocks.tolist())
    ]
    assert found == pytest.approx(tuple(expected))


def test_a_value_that_the_rest_does_not_define_is_none_and_never_zero() -> None:
    columns = dense(**{"class": [0, 0, 1]}), dense(**{"class": [0, 0, 1]})
    scores = score([ACCURACY, RECALL], *columns, None, np.array([0, 1, 2]))
    assert scores.values == {"accuracy": 1.0, "recall": 1.0}
    assert scores.without == {"accuracy": (1.0, 1.0, 1.0), "recall": (1.0, 1.0, None)}


def test_a_metric_that_no_example_defines_is_none_throughout() -> None:
    columns = dense(**{"class": [0, 0]}), dense(**{"class": [0, 0]})
    scores = score([RECALL], *columns, None, np.array([0, 1]))
    assert scores == Scores({"recall": None}, {"recall": (None, None)})


def test_a_test_of_a_single_block_has_no_score_without_it() -> None:
    columns = dense(**{"class": [0, 1]}), dense(**{"class": [0, 0]})
    assert score([ACCURACY], *columns, None, np.array([0, 0])) == Scores({"accuracy": 0.5}, {"accuracy": ()})


def test_ragged_columns_lose_whole_examples() -> None:
    tags = ragged(tag=[[1, 1], [2], [3, 3, 3]])
    counted = metric("tags", lambda predictions, labels, facts: float(len(predictions["tag"])))
    scores = score([counted], tags, tags, None, np.array([1, 0, 2]))
    assert scores == Scores({"tags": 6.0}, {"tags": (5.0, 4.0, 3.0)})


def test_an_empty_block_is_a_bug_of_ours() -> None:
    columns = dense(**{"class": [0, 1]}), dense(**{"class": [0, 0]})
    with pytest.raises(AssertionError, match="no block is empty"):
        score([ACCURACY], *columns, None, np.array([0, 2]))
