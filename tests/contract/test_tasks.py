"""Every task, bundled or on named data, is what its card says, is the same twice, and leaks no group to its test."""

from pathlib import Path

import numpy as np
import pytest
from bench_tasks import FAMILIES
from bench_tasks.opening import open_task

from bench.config.data import DataSpec
from bench.domain import Windows
from bench.errors import DataError
from bench.planning.seeds import stream
from bench.runtime.cache import Cache
from bench.target import Classes, Horizon
from bench.task import Examples, Splits, Task, fingerprint, verify
from tests.named import NAMED

SMALLEST = 0.01
SMALLEST_OF_NAMED = 0.02  # of the twelve classes of the clocks


@pytest.fixture(scope="module", params=[*FAMILIES, *NAMED])
def spec(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> DataSpec:
    name: str = request.param
    return DataSpec(name) if name in FAMILIES else NAMED[name].write(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def task(spec: DataSpec, tmp_path_factory: pytest.TempPathFactory) -> Task:
    return open_task("task", spec, Cache(tmp_path_factory.mktemp("opened")))


bundled = pytest.mark.parametrize("spec", FAMILIES, indirect=True)


@pytest.fixture(scope="module")
def splits(task: Task, tmp_path_factory: pytest.TempPathFactory) -> Splits:
    return task.load(Cache(tmp_path_factory.mktemp(task.card.name)))


def test_the_data_are_the_same_made_anew_elsewhere(spec: DataSpec, task: Task, splits: Splits, tmp_path: Path) -> None:
    again = open_task("task", spec, Cache(tmp_path))
    anew = again.load(Cache(tmp_path))
    assert again.card == task.card
    assert fingerprint(anew) == fingerprint(splits)
    assert verify(again, anew) == task.card.sha256
    assert (anew.train_groups, anew.test_groups) == (splits.train_groups, splits.test_groups)


@bundled
def test_bundled_data_are_those_of_the_card(task: Task, splits: Splits) -> None:
    assert task.card.pinned
    assert fingerprint(splits) == task.card.sha256


@bundled
def test_bundled_data_with_one_changed_label_are_refused_or_told_if_synthetic(
    task: Task, splits: Splits, caplog: pytest.LogCaptureFixture
) -> None:
    labels = splits.train.labels.copy()
    labels[0] += 1
    changed = Splits(Examples(splits.train.raw, labels), splits.test)
    if task.card.synthetic:
        assert verify(task, changed) == fingerprint(changed)
        assert "are not those of its card" in caplog.text
    else:
        with pytest.raises(DataError, match="are not those of its card"):
            verify(task, changed)


@pytest.mark.parametrize("name", NAMED)
def test_named_data_of_which_one_thing_changes_are_other_data(name: str, tmp_path: Path) -> None:
    spec = NAMED[name].write(tmp_path)
    before = open_task(name, spec, Cache(tmp_path / "cache")).card
    NAMED[name].change(tmp_path)
    after = open_task(name, spec, Cache(tmp_path / "cache")).card
    assert (before.name, after.name) == (name, name)
    assert before.sha256 != after.sha256


def test_the_card_says_how_many_examples_there_are_to_learn_from(task: Task, splits: Splits) -> None:
    assert task.card.n_train == (0 if task.card.pinned else len(splits.train))


def test_the_card_says_where_the_data_come_from_and_under_which_terms(task: Task) -> None:
    for said in (task.card.title, task.card.description, task.card.source, task.card.licence, task.card.citation):
        assert said.strip()
    assert task.card.version >= 1


def test_raw_examples_are_of_the_cards_domain(task: Task, splits: Splits) -> None:
    assert splits.train.raw.domain == splits.test.raw.domain == task.card.domain
    for part in (splits.train, splits.test):
        assert len(part.raw) == len(part.labels) == len(part)


def test_no_group_has_examples_in_both_splits(spec: DataSpec, splits: Splits) -> None:
    assert not set(splits.train_groups) & set(splits.test_groups)
    if splits.train_groups or spec.options.group:
        assert len(splits.train_groups) == len(splits.train)
        assert len(splits.test_groups) == len(splits.test)


def test_no_example_of_train_is_in_test(splits: Splits) -> None:
    if isinstance(splits.train.raw, Windows):
        assert isinstance(splits.test.raw, Windows)
        assert splits.train.labels[-1, -1] not in splits.test.raw.past[0, :1]
        return
    rows = [splits.train.raw.take(np.array([index])).columns() for index in range(len(splits.train))]
    held_out = [splits.test.raw.take(np.array([index])).columns() for index in range(len(splits.test))]
    assert not set(rows) & set(held_out)


@pytest.mark.parametrize("spec", ["demand"], indirect=True)
def test_no_step_of_several_series_is_in_both_splits(splits: Splits) -> None:
    learnt, tested = (
        np.concatenate([part.raw.past.ravel(), part.labels.ravel()])
        for part in (splits.train, splits.test)
        if isinstance(part.raw, Windows)
    )
    assert not np.intersect1d(learnt, tested).size


def test_labels_are_what_the_target_says(task: Task, splits: Splits) -> None:
    for part in (splits.train, splits.test):
        if isinstance(task.target, Classes):
            assert part.labels.dtype == np.int64
            assert set(part.labels.tolist()) == set(range(task.target.width))
        if isinstance(task.target, Horizon):
            assert part.labels.dtype == np.float32
            assert part.labels.shape == (len(part), task.target.steps)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_budgets_of_all_seeds_can_be_drawn_at_their_smallest(task: Task, splits: Splits, seed: int) -> None:
    size = round((SMALLEST if task.card.pinned else SMALLEST_OF_NAMED) * len(splits.train))
    assert size >= task.target.smallest_budget
    order = task.target.budget_order(splits.train.labels, stream(seed, "subset"))
    assert sorted(order.tolist()) == list(range(len(splits.train)))
    if isinstance(task.target, Classes):
        assert set(splits.train.labels[order[:size]].tolist()) == set(range(task.target.width))


def test_a_perfect_prediction_beats_chance_and_chance_is_no_skill(task: Task, splits: Splits) -> None:
    test, target = splits.test, task.target
    chance = target.chance(test.labels, test.raw)
    perfect = np.eye(target.width, dtype=np.float32)[test.labels] if isinstance(target, Classes) else test.labels
    assert target.score(perfect.astype(np.float32), test.labels, test.raw) == target.metric.perfect
    better = chance < target.metric.perfect if target.metric.higher_is_better else chance > target.metric.perfect
    assert better


def test_decoding_undoes_encoding(task: Task, splits: Splits) -> None:
    if isinstance(task.target, Horizon):
        encoded = task.target.encode(splits.test.labels, splits.test.raw)
        decoded = task.target.decode(encoded.astype(np.float32), splits.test.raw)
        np.testing.assert_allclose(decoded, splits.test.labels, rtol=1e-4, atol=1e-3)
