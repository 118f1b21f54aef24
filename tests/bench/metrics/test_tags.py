"""Metrics of tags agree with seqeval's in its default mode, sequences that break the scheme included."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval import metrics as reference

from bench.column import Ragged, ragged
from bench.errors import DataError
from bench.metrics import tags

NAMES = ("O", "B-PER", "I-PER", "B-LOC-X", "I-LOC-X", "I-MISC")
ENTITY_F1 = tags.entity_f1(NAMES)

sequences = st.lists(st.lists(st.tuples(*[st.integers(0, len(NAMES) - 1)] * 2), max_size=6), min_size=1, max_size=5)
Sequences = list[list[tuple[int, int]]]


def column(examples: list[list[int]]) -> Ragged:
    return ragged(tag=[np.array(one, dtype=np.int64) for one in examples])


def of_names(text: str) -> Ragged:
    return column([[NAMES.index(name) for name in one.split()] for one in text.split("|")])


def split(drawn: Sequences) -> tuple[list[list[int]], list[list[int]]]:
    """Return predicted and true tags."""
    return [[one for one, _ in example] for example in drawn], [[one for _, one in example] for example in drawn]


@given(sequences)
def test_entity_f1_is_seqevals_in_its_default_mode(drawn: Sequences) -> None:
    predicted, true = split(drawn)
    named = [[[NAMES[tag] for tag in example] for example in tags] for tags in (true, predicted)]
    found = ENTITY_F1.compute(column(predicted), column(true), None)
    if not any(NAMES[tag] != "O" for example in true for tag in example):
        assert found is None
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns where nothing is predicted
        expected = reference.f1_score(*named, average="micro")
    assert found == pytest.approx(float(expected))


@given(sequences)
def test_token_accuracy_is_seqevals(drawn: Sequences) -> None:
    predicted, true = split(drawn)
    named = [[[NAMES[tag] for tag in example] for example in tags] for tags in (true, predicted)]
    found = tags.TOKEN_ACCURACY.compute(column(predicted), column(true), None)
    if not any(true):
        assert found is None
    else:
        assert found == pytest.approx(float(reference.accuracy_score(*named)))


@pytest.mark.parametrize(
    ("predicted", "f1"),
    [
        ("B-PER I-PER O|B-LOC-X", 1.0),
        ("I-PER I-PER O|I-LOC-X", 1.0),  # an I after O begins an entity
        ("B-PER B-PER O|B-LOC-X", 2 / 5),
        ("B-PER I-LOC-X O|B-LOC-X", 2 / 5),  # so does one of another kind
        ("B-PER I-PER I-PER|B-LOC-X", 1 / 2),
        ("O O O|O", 0.0),
    ],
)
def test_entity_f1_by_hand(predicted: str, f1: float) -> None:
    assert ENTITY_F1.compute(of_names(predicted), of_names("B-PER I-PER O|B-LOC-X"), None) == pytest.approx(f1)


def test_an_entity_ends_with_its_example() -> None:
    assert ENTITY_F1.compute(of_names("B-PER|I-PER"), of_names("B-PER|B-PER"), None) == 1
    assert ENTITY_F1.compute(of_names("B-PER||I-PER"), of_names("B-PER||B-PER"), None) == 1


def test_without_entities_or_tokens_nothing_is_defined() -> None:
    assert ENTITY_F1.compute(of_names("B-PER"), of_names("O"), None) is None
    for metric in tags.metrics(NAMES):
        none = of_names("O").take([])
        assert metric.compute(none, none, None) is None
        assert metric.compute(of_names("B-PER"), of_names("B-PER"), None) == metric.card.perfect == 1
        assert metric.card.higher_is_better


@pytest.mark.parametrize("name", ["PER", "S-PER", "B-", ""])
def test_names_outside_the_scheme_are_refused(name: str) -> None:
    with pytest.raises(DataError, match=f"got '{name}'"):
        tags.entity_f1(["O", "B-PER", name])


def test_predictions_of_other_lengths_are_refused() -> None:
    with pytest.raises(AssertionError, match="each token"):
        ENTITY_F1.compute(of_names("O O|O"), of_names("O|O O"), None)
