"""Examples of a unit are scored as one, everywhere: plain, without each block, under shifts, and when scored anew."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax
from sklearn.metrics import accuracy_score

from bench.budget import ALL, Share
from bench.column import Column, dense
from bench.errors import DataError
from bench.execution.engine import Engine
from bench.execution.evaluation import Evaluation, Scorable, score_units
from bench.execution.rescoring import Rescored, rescore
from bench.execution.runner import run_cells
from bench.metrics import labels as label_metrics
from bench.results.store import Store
from bench.runtime.cache import Cache
from bench.scoring import score
from bench.target import Target
from bench.targets.classes import Classes
from bench.targets.labels import Labels
from bench.targets.tags import Tags
from bench.targets.value import Value
from bench.task import Examples, Split, fingerprint
from tests.bench.execution.test_rescoring import forget, planned
from tests.bench.execution.test_runner import BACKBONES
from tests.toys import STRATEGIES, ToyBackbone, ToyTask, classes_of, toy_cell, toy_split

PATIENTS = 12


def in_units(examples: Examples, prefix: str) -> Examples:
    """Return examples, the classes of which are in several patients each: no patient has two."""
    classes = classes_of(examples)
    patients = [f"{prefix}{label}-{number % (PATIENTS // 3)}" for number, label in enumerate(classes)]
    return replace(examples, units=np.array(patients))


class Patients(ToyTask):
    """Pictures of patients, who are scored."""

    def split(self, fold: int, cache: Cache) -> Split:
        split = toy_split()
        return Split(in_units(split.train, "a"), in_units(split.test, "b"))


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    task = Patients()
    task.card = replace(task.card, sha256=fingerprint(task.split(0, Cache(tmp_path))))
    return Engine(lambda *_: task, lambda _: ToyBackbone(), cache=Cache(tmp_path / "cache"), device="cpu")


PLAN = [
    replace(toy_cell(strategy, budget=budget), shifts=True, data_sha256=fingerprint(Patients().split(0, Cache(Path()))))
    for strategy in STRATEGIES[1:3]
    for budget in (Share(0.5), ALL)
]


def accuracy_of_units(predictions: Column, examples: Examples, kept: np.ndarray) -> float:
    """Return the accuracy of patients by pandas and scikit-learn, of the examples that are kept."""
    assert examples.units is not None
    chances = pd.DataFrame(softmax(predictions["logit"].astype(np.float64), axis=1))[kept]
    means = chances.groupby(examples.units[kept]).mean()
    labels = pd.Series(classes_of(examples))[kept].groupby(examples.units[kept]).first()
    return float(accuracy_score(labels, means.to_numpy().argmax(axis=1)))


def test_every_score_is_that_of_units(engine: Engine, tmp_path: Path) -> None:
    store, test = Store(tmp_path / "results"), in_units(toy_split().test, "b")
    store.extend(planned(PLAN))
    tally = run_cells(PLAN, store, BACKBONES, lambda jobs: (one for job in jobs for one in engine.run(job)))
    assert (tally.scored, tally.failed) == (len(PLAN), 0)
    results = list(store.results())
    everything = np.ones(len(test), dtype=np.bool_)
    for result in results:
        predictions, tested = store.predictions(result.key), store.tested(result)
        assert len(predictions) == len(test) == 30, "predictions stay one for each example"
        assert test.units is not None
        assert tested.rows["unit"].tolist() == test.units.tolist()
        assert result.n_test == sum(result.block_sizes) == PATIENTS
        blocks = tested.rows["block"]
        for patient in set(test.units.tolist()):
            assert len(set(blocks[test.units == patient].tolist())) == 1, "a patient is in one block"
        assert result.score == pytest.approx(accuracy_of_units(predictions, test, everything))
        for block, value in enumerate(result.scores.without["accuracy"]):
            assert value == pytest.approx(accuracy_of_units(predictions, test, blocks != block))
        assert result.chance == pytest.approx(accuracy_of_units(tested.baselines[""], test, everything))
        assert len(result.shifted) > 0
        for one in result.shifted:
            under = store.predictions(result.key, one.shift)
            assert one.score == pytest.approx(accuracy_of_units(under, test, everything))
    alone = [accuracy_score(classes_of(test), store.predictions(one.key)["logit"].argmax(axis=1)) for one in results]
    assert alone != [result.score for result in results], "pictures score otherwise, so that this test can fail"


def test_scores_from_kept_predictions_are_combined_again(engine: Engine, tmp_path: Path) -> None:
    store = Store(tmp_path / "results")
    store.extend(planned(PLAN))
    run_cells(PLAN, store, BACKBONES, lambda jobs: (one for job in jobs for one in engine.run(job)))
    before = store.outcomes()
    for result in store.results():
        forget(store, result)
    assert store.outcomes() != before
    task = Patients()
    task.card = replace(task.card, sha256=PLAN[0].data_sha256)
    assert rescore(store, PLAN, {"toy": task}) == Rescored([], [])
    assert store.outcomes() == before


@given(st.integers(0, 2**32 - 1), st.integers(2, 40))
def test_units_of_one_example_each_score_like_examples(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    blocks = np.arange(n) % 2
    units = rng.permutation([f"unit {number}" for number in range(n)])
    cases: list[tuple[Target, Column, Column]] = [
        (Classes(("a", "b", "c")), dense(logit=rng.normal(size=(n, 3))), dense(**{"class": rng.integers(0, 3, n)})),
        (Labels(("a", "b")), dense(logit=rng.normal(size=(n, 2))), dense(present=rng.random((n, 2)) < 0.5)),
        (Value(), dense(value=rng.normal(size=n)), dense(value=rng.normal(size=n))),
    ]
    for target, predictions, labels in cases:
        expected = score(target.metrics, predictions, labels, None, blocks)
        assert score_units(target, target.metrics, predictions, Scorable(labels, None, blocks, units)) == expected


def test_facts_and_blocks_of_a_unit_are_those_of_its_first_example() -> None:
    units, blocks = np.array(["b", "a", "b", "c"]), np.array([0, 1, 0, 1])
    seen: list[list[float]] = []

    def note(predictions: Column, labels: Column, facts: Column | None) -> float:
        assert facts is not None
        seen.append([*facts["weight"], *predictions["value"]])
        return float(len(predictions))

    metric = replace(Value().metrics[0], compute=note)
    labels, predictions = dense(value=[2.0, 1.0, 2.0, 3.0]), dense(value=[5.0, 1.0, 7.0, 3.0])
    facts = dense(weight=[20, 10, 21, 30])
    found = score_units(Value(), [metric], predictions, Scorable(labels, facts, blocks, units))
    assert seen == [[10, 30, 1, 3], [20, 6], [10, 20, 30, 1, 6, 3]]
    assert found.values == {metric.card.name: 3.0}
    assert found.without == {metric.card.name: (2.0, 1.0)}


def test_the_maximum_of_labels_reaches_their_metrics() -> None:
    predictions, labels = dense(logit=np.array([[3], [-5], [-1]], np.float32)), dense(present=[[True], [True], [False]])
    tested = Scorable(labels, None, np.zeros(3, dtype=np.int64), np.array(["p", "p", "q"]))
    found = {
        way: score_units(Labels(("a",), combined_by=way), [label_metrics.MICRO_F1], predictions, tested).values
        for way in ("mean", "maximum")
    }
    assert [next(iter(values.values())) for values in found.values()] == [0, 1]


def test_a_target_that_cannot_combine_is_refused_before_anything_is_predicted() -> None:
    split = Patients().split(0, Cache(Path()))
    tags = Tags(("B-X", "I-X", "O"))
    with pytest.raises(DataError, match="predictions of tags cannot be combined"):
        Evaluation(tags, split, "")


def test_what_has_no_groups_is_grouped_by_its_units_and_a_divided_unit_is_refused() -> None:
    train, test = in_units(toy_split().train, "a"), in_units(toy_split().test, "b")
    assert train.groups is not None
    assert train.groups is train.units
    with pytest.raises(DataError, match="12 groups have examples in both train and test"):
        Split(train, in_units(toy_split().test, "a"))
    clinics = np.array([f"clinic {row % 7}" for row in range(len(test))])
    with pytest.raises(DataError, match=r"'b\d-\d' is scored as one, but lies in two groups, 'clinic"):
        Split(toy_split().train, replace(test, groups=clinics))
    assert fingerprint(Split(train, test)) != fingerprint(Split(replace(train, units=None), replace(test, units=None)))
