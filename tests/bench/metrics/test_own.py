"""A function in a user's file is a metric; what is wrong with one is told."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench.column import dense
from bench.errors import BenchError, DataError, UnknownNameError
from bench.metric import MetricCard
from bench.metrics.own import load_metric
from bench.runtime.cache import file_sha256

COSTS = """
from __future__ import annotations
from dataclasses import dataclass
import numpy as np

@dataclass
class Cost:
    missed: float

def hospital_cost(predictions, labels, facts):
    missed = (labels["class"] == 1) & (predictions["logit"].argmax(axis=1) == 0)
    return Cost(20.0).missed * missed.mean() if len(missed) else float("nan")

hospital_cost.higher_is_better = False

def agreement(predictions, labels, facts):
    return np.float32(0.5) if facts is None else None

def rated(predictions, labels, facts):
    return 3

rated.perfect, rated.title = 5, "rating of readers"

def words(predictions, labels, facts):
    return "good"

def ratio(predictions, labels, facts):
    return float("inf")

def lonely(predictions):
    return 1.0

def odd(predictions, labels, facts):
    return 1.0

odd.higher_is_better = "yes"

def endless(predictions, labels, facts):
    return 1.0

endless.perfect = float("inf")
number = 3
"""
PREDICTIONS = dense(logit=np.array([[1, 0], [1, 0], [0, 1], [0, 1]], dtype=np.float32))
LABELS = dense(**{"class": [0, 1, 1, 1]})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(COSTS)
    return path


def of_file(path: Path, card: MetricCard) -> MetricCard:
    return replace(card, sha256=file_sha256(path))


def test_a_function_is_a_metric_with_the_direction_it_declares(file: Path) -> None:
    metric = load_metric(f"python:{file}:hospital_cost")
    assert metric.card == MetricCard(
        "hospital_cost", "hospital cost", higher_is_better=False, perfect=0.0, sha256=file_sha256(file)
    )
    assert metric.compute(PREDICTIONS, LABELS, None) == 5.0


def test_without_attributes_higher_is_better_and_one_is_perfect(file: Path) -> None:
    metric = load_metric(f"python:{file}:agreement")
    assert metric.card == MetricCard(
        "agreement", "agreement", higher_is_better=True, perfect=1.0, sha256=file_sha256(file)
    )
    assert type(metric.compute(PREDICTIONS, LABELS, None)) is float


def test_perfect_and_title_can_be_declared(file: Path) -> None:
    metric = load_metric(f"python:{file}:rated")
    assert metric.card == MetricCard(
        "rated", "rating of readers", higher_is_better=True, perfect=5.0, sha256=file_sha256(file)
    )
    assert metric.compute(PREDICTIONS, LABELS, None) == 3.0


def test_neither_none_nor_nan_is_a_number(file: Path) -> None:
    none = PREDICTIONS.take([])
    assert load_metric(f"python:{file}:hospital_cost").compute(none, LABELS.take([]), None) is None
    assert load_metric(f"python:{file}:agreement").compute(PREDICTIONS, LABELS, dense(unit=[1.0] * 4)) is None


def test_what_is_no_number_is_refused(file: Path) -> None:
    with pytest.raises(DataError, match=r"words in .*mine.py is to return a number, or None.*got str"):
        load_metric(f"python:{file}:words").compute(PREDICTIONS, LABELS, None)


def test_what_is_infinite_is_refused(file: Path) -> None:
    with pytest.raises(DataError, match=r"ratio in .*mine.py is to return a finite number, or None.*got inf"):
        load_metric(f"python:{file}:ratio").compute(PREDICTIONS, LABELS, None)


@pytest.mark.parametrize(
    ("name", "error", "said"),
    [
        ("hospital_costs", UnknownNameError, "unknown function in .*did you mean 'hospital_cost'"),
        ("number", UnknownNameError, "unknown function in .* 'number'"),
        ("lonely", DataError, "lonely in .* is to take predictions, labels and facts: too many"),
        ("odd", DataError, "higher_is_better is to be True or False: got 'yes'"),
        ("endless", DataError, "perfect is to be the score of a faultless prediction, a number: got inf"),
    ],
)
def test_a_function_that_is_no_metric_says_why(file: Path, name: str, error: type[BenchError], said: str) -> None:
    with pytest.raises(error, match=said):
        load_metric(f"python:{file}:{name}")


@pytest.mark.parametrize("text", ["mine.py:cost", "python:mine.py", "python:mine.py:", "python:mine.py:a b", "cost"])
def test_another_form_of_name_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(DataError, match=r"python:FILE:FUNCTION, such as python:mine.py:cost"):
        load_metric(text)


def test_a_missing_or_broken_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no Python file"):
        load_metric(f"python:{tmp_path / 'none.py'}:cost")
    (tmp_path / "broken.py").write_text("def (\n")
    with pytest.raises(DataError, match=r"cannot run .*broken.py: invalid syntax"):
        load_metric(f"python:{tmp_path / 'broken.py'}:cost")
