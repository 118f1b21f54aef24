"""Every task, bundled or on named data, is what its card says, is the same twice, and leaks no group to its test."""

from pathlib import Path

import numpy as np
import pytest
from bench_tasks import FAMILIES
from bench_tasks.opening import open_task

from bench.budget import ALL, Share
from bench.column import Array, Column, Dense, Indices, dense
from bench.config.data import DataSpec
from bench.domains.series.raw import Windows, scaled
from bench.errors import DataError
from bench.planning.budgets import Budgets
from bench.runtime.cache import Cache
from bench.scoring import score
from bench.targets.classes import OUTPUT, Classes
from bench.targets.forecast import Forecast
from bench.task import Examples, Split, Task, fingerprint, verify
from bench.testing import TASK_CHECKS, TaskCheck
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
def cache(task: Task, tmp_path_factory: pytest.TempPathFactory) -> Cache:
    return Cache(tmp_path_factory.mktemp(task.card.name))


@pytest.fixture(scope="module")
def split(task: Task, cache: Cache) -> Split:
    return task.split(0, cache)


def label_of(task: Task, part: Examples) -> Column:
    """Return the label column that the target reads."""
    return part.labels[task.target.reads]


def listed(array: Array | None) -> list[str]:
    return [] if array is None else array.tolist()


@pytest.mark.parametrize("check", TASK_CHECKS, ids=lambda check: check.__name__)
def test_the_contract_is_kept(task: Task, check: TaskCheck, cache: Cache) -> None:
    check(task, cache)


def test_the_data_are_the_same_made_anew_elsewhere(spec: DataSpec, task: Task, split: Split, tmp_path: Path) -> None:
    again = open_task("task", spec, Cache(tmp_path))
    anew = again.split(0, Cache(tmp_path))
    assert again.card == task.card
    assert fingerprint(anew) == fingerprint(split)
    assert verify(again, anew) == task.card.sha256
    for one, other in ((anew.train, split.train), (anew.test, split.test)):
        assert (listed(one.groups), listed(one.names)) == (listed(other.groups), listed(other.names))


@bundled
def test_bundled_data_are_those_of_the_card(task: Task, split: Split) -> None:
    assert task.card.pinned
    assert fingerprint(split) == task.card.sha256


@bundled
def test_bundled_data_with_one_changed_label_are_refused_or_told_if_synthetic(
    task: Task, split: Split, caplog: pytest.LogCaptureFixture
) -> None:
    train, column = split.train, label_of(task, split.train)
    labels = {name: array.copy() for name, array in column.values.items()}
    next(iter(labels.values()))[0] += 1
    changed = Split(
        Examples(train.raw, {task.target.reads: Dense(labels)}, train.facts, train.groups, train.names), split.test
    )
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


def test_the_card_says_how_many_examples_there_are_to_learn_from(task: Task, split: Split) -> None:
    assert task.card.n_train == (0 if task.card.pinned else len(split.train))


def test_no_group_has_examples_in_both_splits(spec: DataSpec, split: Split) -> None:
    assert not set(listed(split.train.groups)) & set(listed(split.test.groups))
    assert (split.train.groups is None) == (split.test.groups is None)
    assert not (spec.options.group and split.train.groups is None)


@pytest.mark.parametrize("spec", ["photos", "tones", "tickets"], indirect=True)
def test_named_examples_are_found_under_their_names(split: Split) -> None:
    names = listed(split.train.names) + listed(split.test.names)
    assert len(set(names)) == len(split.train) + len(split.test)


def test_no_example_of_train_is_in_test(task: Task, split: Split) -> None:
    if isinstance(split.train.raw, Windows):
        assert isinstance(split.test.raw, Windows)
        assert label_of(task, split.train)["future"][-1, -1] not in split.test.raw.past[0, :1]
        return
    rows = [split.train.raw.take(np.array([index])).columns() for index in range(len(split.train))]
    held_out = [split.test.raw.take(np.array([index])).columns() for index in range(len(split.test))]
    assert not set(rows) & set(held_out)


@pytest.mark.parametrize("spec", ["demand"], indirect=True)
def test_no_step_of_several_series_is_in_both_splits(task: Task, split: Split) -> None:
    learnt, tested = (
        np.concatenate([part.raw.past.ravel(), label_of(task, part)["future"].ravel()])
        for part in (split.train, split.test)
        if isinstance(part.raw, Windows)
    )
    assert not np.intersect1d(learnt, tested).size


def test_labels_are_what_the_target_says(task: Task, split: Split) -> None:
    for part in (split.train, split.test):
        if isinstance(task.target, Classes):
            assert set(classes(task, part).tolist()) == set(range(len(task.target.names)))
        if isinstance(task.target, Forecast):
            future = label_of(task, part)["future"]
            assert future.dtype == np.float64
            assert future.shape == (len(part), task.target.steps)


def classes(task: Task, part: Examples) -> Indices:
    found: Array = label_of(task, part)["class"]
    assert found.dtype == np.int64
    return found


def test_forecasts_know_unit_moment_and_series_of_every_window(task: Task, split: Split) -> None:
    for part in (split.train, split.test):
        if isinstance(part.raw, Windows):
            assert part.facts is not None
            assert {name: array.dtype for name, array in part.facts.arrays().items()} == {
                "unit": np.float64,
                "moment": np.int64,
                "series": np.int64,
                "step": np.int64,
                "steps": np.int64,
                "of": np.int64,
            }
            assert (part.facts["unit"] == part.raw.unit).all()
            assert (np.diff(part.facts["moment"]) >= 0).all()
            assert part.raw.past.dtype == np.float64


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_budgets_of_all_seeds_can_be_drawn_at_their_smallest(task: Task, split: Split, seed: int) -> None:
    budgets = Budgets(task.target, label_of(task, split.train), split.train.facts)
    smallest = budgets.draw(Share(SMALLEST if task.card.pinned else SMALLEST_OF_NAMED), seed)
    assert set(smallest.rows.tolist()) <= set(budgets.draw(Share(0.5), seed).rows.tolist())
    assert budgets.draw(ALL, seed).rows.tolist() == list(range(len(split.train)))
    if isinstance(task.target, Classes):
        assert set(smallest.labels["class"].tolist()) == set(range(len(task.target.names)))


def test_a_perfect_prediction_beats_the_baseline_which_has_no_skill(task: Task, split: Split) -> None:
    test, target = split.test, task.target
    labels, content = label_of(task, test), fingerprint(split)
    perfect = (
        dense(**{OUTPUT: 100 * np.eye(len(target.names), dtype=np.float32)[classes(task, test)]})
        if isinstance(target, Classes)
        else labels
    )
    blocks = target.sampling.blocks(labels, test.facts, test.groups, content)
    assert len(blocks) == len(test)
    baseline = target.baselines[0].predict(label_of(task, split.train), test.raw, test.facts)
    best, none = (score(target.metrics, one, labels, test.facts, blocks).values for one in (perfect, baseline))
    for card in (metric.card for metric in target.metrics):
        assert best[card.name] == pytest.approx(card.perfect, abs=1e-9)
        assert none[card.name] is not None
    first = target.metrics[0].card
    better, worse = best[first.name], none[first.name]
    assert better is not None
    assert worse is not None
    assert first.direction * (better - worse) > 0.01


def test_decoding_undoes_encoding(task: Task, split: Split) -> None:
    labels, raw = label_of(task, split.test), split.test.raw
    geometry = scaled(raw)[1] if isinstance(raw, Windows) else None
    codec = task.target.codec.fit(label_of(task, split.train))
    decoded = codec.decode(codec.encode(labels, geometry), geometry)
    for name, array in labels.arrays().items():
        np.testing.assert_allclose(decoded[name], array, rtol=1e-5)
