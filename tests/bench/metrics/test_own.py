"""A function in a user's file is a metric; what is wrong with one is told."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench.column import Column, dense, digest, ragged
from bench.errors import BenchError, DataError, UnknownNameError
from bench.metric import Metric, MetricCard
from bench.metrics.own import find_metric, load_metric
from bench.registry import BUILT_IN, METRICS
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

def greedy(predictions, labels, facts):
    for column in (predictions, labels, facts):
        for array in column.arrays().values():
            array[...] = 0
        column.values.clear()
    return 1.0

def boom(predictions, labels, facts):
    raise ValueError("boom,\\nof two lines")

def leaving(predictions, labels, facts):
    raise SystemExit(0)

def stopped(predictions, labels, facts):
    raise KeyboardInterrupt

def huge(predictions, labels, facts):
    return -(10**400)

def flag(predictions, labels, facts):
    return True

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


@pytest.mark.parametrize(("name", "got"), [("words", "str"), ("flag", "bool")])
def test_what_is_no_number_is_refused(file: Path, name: str, got: str) -> None:
    with pytest.raises(DataError, match=rf"{name} in .*mine.py is to return a number, or None.*got {got}"):
        load_metric(f"python:{file}:{name}").compute(PREDICTIONS, LABELS, None)


@pytest.mark.parametrize("name", ["ratio", "huge"])
def test_what_is_infinite_or_too_large_is_refused(file: Path, name: str) -> None:
    with pytest.raises(DataError, match=rf"{name} in .*mine.py is to return a finite number, or None.*got inf"):
        load_metric(f"python:{file}:{name}").compute(PREDICTIONS, LABELS, None)


@pytest.mark.parametrize(("name", "said"), [("boom", "ValueError: boom, of two lines"), ("leaving", "SystemExit: 0")])
def test_whatever_a_function_raises_is_told_with_its_name_file_and_line(file: Path, name: str, said: str) -> None:
    line = 2 + COSTS.splitlines().index(f"def {name}(predictions, labels, facts):")
    with pytest.raises(DataError) as caught:
        load_metric(f"python:{file}:{name}").compute(PREDICTIONS, LABELS, None)
    assert str(caught.value) == f"{name} in {file} raised {said} (line {line})"


def test_an_interrupt_goes_through_a_function(file: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        load_metric(f"python:{file}:stopped").compute(PREDICTIONS, LABELS, None)


def writing(predictions: Column, labels: Column, facts: Column | None) -> float:
    """Write into all that is given."""
    for column in (predictions, labels, facts):
        for array in column.arrays().values() if column else ():
            array[...] = 0
    return 1.0


def failing(predictions: Column, labels: Column, facts: Column | None) -> float:
    raise ValueError("boom")


WRITING = Metric(MetricCard("writing", "Writing", higher_is_better=True, perfect=1.0), writing)
FAILING = Metric(MetricCard("failing", "Failing", higher_is_better=True, perfect=1.0), failing)


@pytest.mark.parametrize("origin", ["file", "package"])
@pytest.mark.parametrize("shapes", [None, [[1, 1], [2, 1], [1, 3]]], ids=["lists", "grids"])
def test_what_a_function_writes_into_is_its_own(
    file: Path, monkeypatch: pytest.MonkeyPatch, origin: str, shapes: list[list[int]] | None
) -> None:
    monkeypatch.setitem(BUILT_IN[METRICS], "writing", f"{__name__}:WRITING")
    columns = (
        dense(logit=np.ones((3, 2), dtype=np.float32)),
        ragged(shapes, tag=[np.ones(1), np.ones(2), np.ones(3)]),
        dense(unit=["a", "b", "c"], scale=[1.0, 2.0, 3.0]),
    )
    before = [digest(column) for column in columns]
    metric = find_metric(f"python:{file}:greedy" if origin == "file" else "writing")
    assert metric.compute(*columns) == 1.0
    assert [digest(column) for column in columns] == before


def test_what_a_metric_of_a_package_raises_is_told_with_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(BUILT_IN[METRICS], "failing", f"{__name__}:FAILING")
    with pytest.raises(DataError, match=r"^the metric failing raised ValueError: boom$"):
        find_metric("failing").compute(PREDICTIONS, LABELS, None)


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


@pytest.mark.parametrize(
    ("code", "said"),
    [("import sys\n\nsys.exit(0)", "SystemExit: 0"), ("\n\n1 / 0", "ZeroDivisionError: division by zero")],
)
def test_a_file_that_ends_the_program_or_fails_is_told_with_the_line(tmp_path: Path, code: str, said: str) -> None:
    (tmp_path / "broken.py").write_text(code)
    with pytest.raises(DataError, match=rf"cannot run .*broken.py: {said} \(line 3\)"):
        load_metric(f"python:{tmp_path / 'broken.py'}:cost")
