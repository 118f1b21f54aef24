"""Another metric is computed from what was predicted, exactly as if it had been there from the start."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from bench.budget import ALL, Share
from bench.cell import Failure, Result, Scores
from bench.column import dense
from bench.config.data import DataSpec
from bench.execution.engine import Engine
from bench.execution.output import CellOutput
from bench.execution.rescoring import Rescored, rescore
from bench.execution.runner import pending_cells, run_cells
from bench.planning.plan import Job, PlannedCell
from bench.results.manifest import Manifest
from bench.results.store import Store
from bench.runtime.cache import Cache
from bench.target import rank_by
from bench.task import Elsewhere, Examples, Split, Task, fingerprint
from tests.bench.execution.test_runner import BACKBONES, Bench
from tests.bench.results.test_store import manifest, ranked_by
from tests.toys import PROBE, ToyBackbone, ToyTask, classes_of, toy_cell, toy_split

NONE_LEFT = Rescored([], [])
LATER = ("log_loss", "auroc")
PLAN = tuple(
    replace(toy_cell(PROBE, budget=budget, seed=seed), shifts=True) for budget in (Share(0.5), ALL) for seed in (0, 1)
)


def planned(plan: Sequence[PlannedCell] = PLAN) -> Manifest:
    return manifest(*((one.cell, one.key) for one in plan))


def without(scores: Scores, metrics: Collection[str]) -> Scores:
    """Return scores that lack some metrics."""
    values = {name: value for name, value in scores.values.items() if name not in metrics}
    blocks = {name: several for name, several in scores.without.items() if name not in metrics}
    return Scores(values, blocks)


def forget(store: Store, result: Result, metrics: Collection[str] = LATER) -> None:
    """Keep a result as if it had been scored before some metrics were asked for."""
    store.rescore(
        replace(
            result,
            scores=without(result.scores, metrics),
            baselines=without(result.baselines, metrics),
            shifted=tuple(
                replace(one, scores=without(one.scores, metrics), baselines=without(one.baselines, metrics))
                for one in result.shifted
            ),
        )
    )


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Return a bench whose every result was scored before two metrics were asked for."""
    bench = Bench(tmp_path)
    bench.store.extend(planned())
    run_cells(PLAN, bench.store, BACKBONES, bench.execute)
    return bench


def test_rescored_results_are_those_that_had_every_metric_from_the_start(bench: Bench) -> None:
    before = bench.store.outcomes()
    for result in bench.store.results():
        forget(bench.store, result)
    assert bench.store.outcomes() != before
    assert rescore(bench.store, PLAN, {"toy": ToyTask()}) == NONE_LEFT
    assert bench.store.outcomes() == before
    assert all(result.shifted and result.block_sizes for result in bench.store.results())


def test_another_metric_that_ranks_trains_no_cell(bench: Bench) -> None:
    for result in bench.store.results():
        forget(bench.store, result)
    task = ToyTask()
    task.target = rank_by(ToyTask.target, "log_loss")
    assert rescore(bench.store, PLAN, {"toy": task}) == NONE_LEFT
    bench.store.extend(ranked_by("log_loss", planned()))
    bench.ran.clear()
    tally = run_cells(PLAN, bench.store, BACKBONES, bench.execute)
    assert (tally.scored, tally.found, bench.ran) == (0, len(PLAN), [])
    assert all(result.score == result.scores.values["log_loss"] for result in bench.store.results())


def test_results_outside_of_the_plan_are_scored_too(bench: Bench) -> None:
    for result in bench.store.results():
        forget(bench.store, result)
    rescore(bench.store, PLAN[:1], {"toy": ToyTask()})
    assert all("auroc" in result.scores.values for result in bench.store.results())


def test_tasks_that_are_not_of_the_plan_are_left_alone(bench: Bench) -> None:
    for result in bench.store.results():
        forget(bench.store, result)
    assert rescore(bench.store, (), {}) == NONE_LEFT
    assert not any("auroc" in result.scores.values for result in bench.store.results())


def test_what_has_every_metric_is_not_written_again(bench: Bench) -> None:
    written = {path: path.stat().st_mtime_ns for path in (bench.store.root / "cells").iterdir()}
    assert rescore(bench.store, PLAN, {"toy": ToyTask()}) == NONE_LEFT
    assert {path: path.stat().st_mtime_ns for path in (bench.store.root / "cells").iterdir()} == written


class TwoColumns(ToyTask):
    """The toy task, whose examples have a second label column: each class is another one there."""

    def __init__(self, column: str = "class") -> None:
        super().__init__()
        self.target = replace(ToyTask.target, column=column)
        self.card = replace(self.card, sha256=fingerprint(self.split(0, Cache(Path()))))

    def split(self, fold: int, cache: Cache) -> Split:
        split = toy_split()
        return Split(_with_second(split.train), _with_second(split.test))


def _with_second(examples: Examples) -> Examples:
    second = dense(**{"class": (classes_of(examples) + 1) % 3})
    return replace(examples, labels={**examples.labels, "second": second})


def _opened(task: Task, name: str, spec: DataSpec, cache: Cache) -> Task:
    return task


def test_results_of_another_label_column_of_the_same_data_are_scored_against_their_own_labels(tmp_path: Path) -> None:
    first, second = TwoColumns(), TwoColumns("second")
    assert first.card.sha256 == second.card.sha256
    bench = Bench(tmp_path)
    plans = [
        [replace(one, data_sha256=first.card.sha256, key=f"{column}{one.key}") for one in PLAN[place::2]]
        for place, column in enumerate("ab")
    ]
    bench.store.extend(planned([*plans[0], *plans[1]]))
    for task, plan in zip((first, second), plans, strict=True):
        opened = partial(_opened, task)
        bench.engine = Engine(opened, lambda name: ToyBackbone(), cache=Cache(tmp_path / "cache"), device="cpu")
        run_cells(plan, bench.store, BACKBONES, bench.execute)
    before = bench.store.outcomes()
    assert len(list(bench.store.results())) == len(PLAN)
    for result in bench.store.results():
        forget(bench.store, result)
    assert rescore(bench.store, plans[1], {"toy": second}) == NONE_LEFT
    assert bench.store.outcomes() == before


class TwoPlaces(ToyTask):
    """The toy task, with fewer examples of another place than of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.card = replace(self.card, sha256=fingerprint(self.split(0, Cache(Path()))))

    def split(self, fold: int, cache: Cache) -> Split:
        other = toy_split(seed=1).test.take(np.array([2, 5, 8, 0, 1]))
        return replace(toy_split(), elsewhere=(Elsewhere("ward", "another ward", other),))


def test_scores_on_examples_of_another_place_are_rescored_against_their_own_labels(tmp_path: Path) -> None:
    task, bench = TwoPlaces(), Bench(tmp_path)
    plan = [replace(one, data_sha256=task.card.sha256) for one in PLAN]
    bench.store.extend(planned(plan))
    opened = partial(_opened, task)
    bench.engine = Engine(opened, lambda name: ToyBackbone(), cache=Cache(tmp_path / "cache"), device="cpu")
    run_cells(plan, bench.store, BACKBONES, bench.execute)
    before = bench.store.outcomes()
    results = list(bench.store.results())
    assert all([one.elsewhere for one in result.shifted] == [False, False, False, True] for result in results)
    for result in results:
        forget(bench.store, result)
    assert rescore(bench.store, plan, {"toy": task}) == NONE_LEFT
    assert bench.store.outcomes() == before
    for path in (bench.store.root / "tested").glob("*.labels.ward.npz"):
        path.unlink()
    for result in results:
        forget(bench.store, result)
    lost = rescore(bench.store, plan, {"toy": task}).lost
    assert sorted(lost) == sorted(result.key for result in results), "never against the labels of the test split"


def test_nothing_is_rescored_where_nothing_was_run(tmp_path: Path) -> None:
    assert rescore(Store(tmp_path), PLAN, {"toy": ToyTask()}) == NONE_LEFT
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("lost", ["tested", "predictions"])
def test_a_result_that_cannot_be_rescored_is_run_again_and_alone(bench: Bench, lost: str) -> None:
    first = PLAN[0]
    for result in bench.store.results():
        forget(bench.store, result, LATER if result.key == first.key else ())
    for path in (bench.store.root / lost).iterdir():
        if lost == "tested" or path.name.startswith(f"{first.key}."):
            path.unlink()
    assert rescore(bench.store, PLAN, {"toy": ToyTask()}) == Rescored([first.key], [])
    bench.store.extend(ranked_by("auroc", planned()))
    assert pending_cells(PLAN, bench.store, BACKBONES) == [first]
    bench.ran.clear()
    run_cells(PLAN, bench.store, BACKBONES, bench.execute)
    assert bench.ran == [first]
    assert all("auroc" in result.scores.values for result in bench.store.results())
    assert len(list(bench.store.results())) == len(PLAN)


def lose(bench: Bench, metric: str = "auroc") -> str:
    """Take a metric from the first result of the plan, and what it could be computed from; return its key."""
    key = PLAN[0].key
    for result in bench.store.results():
        forget(bench.store, result, (metric,) if result.key == key else ())
    for path in (bench.store.root / "predictions").glob(f"{key}.*"):
        path.unlink()
    return key


def test_a_cell_that_is_run_for_a_metric_that_does_not_rank_has_it_afterwards(bench: Bench) -> None:
    key = lose(bench)
    predictions = bench.store.root / "predictions" / f"{key}.npz"
    predictions.write_bytes(b"damaged")
    assert rescore(bench.store, PLAN, {"toy": ToyTask()}) == Rescored([key], [])
    run_cells(PLAN, bench.store, BACKBONES, bench.execute, again=[key])
    assert rescore(bench.store, PLAN, {"toy": ToyTask()}) == NONE_LEFT, "it is not run again and again"


def test_a_cell_that_fails_when_it_is_run_again_keeps_the_result_it_had(bench: Bench) -> None:
    key = lose(bench)
    before = bench.store.unranked(key)

    def fail(jobs: Sequence[Job]) -> Iterator[CellOutput]:
        for planned in (planned for job in jobs for planned in job.cells):
            yield CellOutput(Failure(cell=planned.cell, key=planned.key, reason="no memory", traceback=""))

    tally = run_cells(PLAN, bench.store, BACKBONES, fail, again=[key])
    assert (tally.failed, bench.store.unranked(key)) == (1, before)


def test_results_on_data_that_were_dealt_otherwise_are_left_as_they_are(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    plan = [replace(toy_cell(PROBE, seed=fold), fold=fold) for fold in range(3)]
    bench.store.extend(planned(plan))
    run_cells(plan, bench.store, BACKBONES, bench.execute)
    for result in bench.store.results():
        bench.store.rescore(replace(result, folds=3))
    before = bench.store.outcomes()
    for result in bench.store.results():
        forget(bench.store, result)
    now = ToyTask()
    now.card = replace(now.card, pinned=False, folds=2, sha256="1" * 64)
    assert rescore(bench.store, (), {"toy": now}) == NONE_LEFT
    assert not any("auroc" in result.scores.values for result in bench.store.results())
    now.card = replace(now.card, folds=4, sha256=ToyTask().card.sha256)
    assert rescore(bench.store, (), {"toy": now}) == NONE_LEFT
    assert not any("auroc" in result.scores.values for result in bench.store.results()), "folds of 4 are others"
    now.card = replace(now.card, folds=3)
    assert rescore(bench.store, (), {"toy": now}) == NONE_LEFT
    assert bench.store.outcomes() == before
