"""A run finishes what is missing, keeps what is done, and lets one failing cell cost only itself."""

import weakref
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from bench.budget import ALL, Count, Share
from bench.cell import Failure, Result
from bench.execution.engine import Engine
from bench.execution.output import CellOutput
from bench.execution.runner import pending_cells, run_cells
from bench.metrics.classes import ACCURACY
from bench.planning.plan import Job, PlannedCell, group_into_jobs
from bench.results.store import Store
from bench.results.tested import PLAIN
from bench.runtime.cache import Cache
from tests.bench.results.test_store import manifest
from tests.toys import FULL, PROBE, STRATEGIES, ToyBackbone, ToyTask, toy_cell

BACKBONES = {"toy:dense": ToyBackbone().card}
PLAN = tuple(
    toy_cell(strategy, budget=budget, seed=seed)
    for strategy in STRATEGIES
    for budget in (Share(0.5), ALL)
    for seed in (0, 1)
)


class Bench:
    """Runs toy cells in this process and counts them."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder / "results")
        self.engine = Engine(
            lambda name, spec, cache: ToyTask(), lambda name: ToyBackbone(), cache=Cache(folder / "cache"), device="cpu"
        )
        self.ran: list[PlannedCell] = []

    def execute(self, jobs: Sequence[Job], *, until: int | None = None) -> Iterator[CellOutput]:
        for job in jobs:
            cells = {planned.key: planned for planned in job.cells}
            for output in self.engine.run(job):
                if until is not None and len(self.ran) == until:
                    raise KeyboardInterrupt
                self.ran.append(cells[output.outcome.key])
                yield output

    def scores(self) -> dict[str, float]:
        return {str(result.cell): result.score for result in self.store.results()}


def test_a_second_run_has_nothing_to_do(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    first = run_cells(PLAN, bench.store, BACKBONES, bench.execute)
    again = run_cells(PLAN, bench.store, BACKBONES, bench.execute)
    assert (first.scored, first.found, first.failed) == (len(PLAN), 0, 0)
    assert (again.scored, again.found, again.failed) == (0, len(PLAN), 0)


def test_cells_that_are_the_same_work_are_run_once_and_count_each(tmp_path: Path) -> None:
    bench, first = Bench(tmp_path), PLAN[0]
    twin = replace(first, cell=replace(first.cell, varied="subset"))
    tally = run_cells([first, twin, *PLAN[1:]], bench.store, BACKBONES, bench.execute)
    assert (tally.scored, tally.found) == (len(PLAN) + 1, 0)
    assert [planned.cell for planned in bench.ran].count(first.cell) == 1
    assert twin.cell not in {planned.cell for planned in bench.ran}
    again = run_cells([first, twin], bench.store, BACKBONES, bench.execute)
    assert (again.scored, again.found) == (0, 2)


def test_a_cell_that_is_run_again_keeps_its_result_and_another_score_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bench = Bench(tmp_path)
    cells = PLAN[:2]
    run_cells(cells, bench.store, BACKBONES, bench.execute)
    tally = run_cells(cells, bench.store, BACKBONES, bench.execute, again=[cells[0].key])
    assert (tally.scored, tally.found) == (1, 1)
    assert bench.ran == [*cells, cells[0]]
    assert "trained again it scores" not in caplog.text
    found = bench.store.get(cells[0].key)
    assert found is not None
    other = replace(found, score=found.score - 0.25)
    bench.store.put(other, bench.store.predictions(found.key))
    run_cells(cells, bench.store, BACKBONES, bench.execute, again=[found.key])
    assert f"trained again it scores {found.score:.4f}, but the result that is kept is {other.score:.4f}" in caplog.text
    assert bench.store.get(found.key) == other


def test_an_interrupted_run_goes_on_where_it_stopped_and_scores_the_same(tmp_path: Path) -> None:
    undisturbed, stopped = Bench(tmp_path / "undisturbed"), Bench(tmp_path / "stopped")
    for bench in (undisturbed, stopped):
        bench.store.extend(manifest(*((planned.cell, planned.key) for planned in PLAN)))
    run_cells(PLAN, undisturbed.store, BACKBONES, undisturbed.execute)
    with pytest.raises(KeyboardInterrupt):
        run_cells(PLAN, stopped.store, BACKBONES, lambda jobs: stopped.execute(jobs, until=5))
    assert len(list(stopped.store.results())) == 5
    run_cells(PLAN, stopped.store, BACKBONES, stopped.execute)
    assert sorted(planned.key for planned in stopped.ran) == sorted(planned.key for planned in PLAN)
    assert stopped.scores() == undisturbed.scores()


def test_a_changed_recipe_runs_its_cells_anew_and_no_others(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    run_cells(PLAN, bench.store, BACKBONES, bench.execute)
    changed = FULL.model_copy(update={"epochs": 3})
    plan = [toy_cell(changed, budget=p.cell.budget, seed=p.cell.seed) if p.strategy is FULL else p for p in PLAN]
    assert {planned.cell.strategy for planned in pending_cells(plan, bench.store, BACKBONES)} == {"full"}


def test_a_failing_cell_costs_only_itself_and_is_tried_again(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    hopeless = FULL.model_copy(update={"learning_rate": 1e30, "head_learning_rate": 1e30})
    plan = (toy_cell(hopeless), toy_cell(PROBE), toy_cell(PROBE, budget=Share(0.01)))
    bench.store.extend(manifest(*((planned.cell, planned.key) for planned in plan)))
    tally = run_cells(plan, bench.store, BACKBONES, bench.execute)
    assert (tally.scored, tally.failed) == (1, 2)
    outcomes = bench.store.outcomes()
    failures = {cell.strategy + str(cell.budget): o for cell, o in outcomes.items() if isinstance(o, Failure)}
    assert "the loss became" in failures["fullall"].reason
    assert "too few for one example of each of 3 classes" in failures["linear_probe0.01"].reason
    assert "Traceback" in failures["fullall"].traceback
    assert len(pending_cells(plan, bench.store, BACKBONES)) == 2


def test_a_task_that_cannot_be_loaded_fails_its_cells_with_the_reason(tmp_path: Path) -> None:
    class Damaged(ToyTask):
        def __init__(self) -> None:
            super().__init__("damaged")
            self.card = replace(self.card, sha256="0" * 64)

    engine = Engine(lambda *_: Damaged(), lambda name: ToyBackbone(), cache=Cache(tmp_path), device="cpu")
    [job] = group_into_jobs([replace(toy_cell(PROBE, task="damaged"), data_sha256="0" * 64)])
    [outcome] = [output.outcome for output in engine.run(job)]
    assert isinstance(outcome, Failure)
    assert "the data of task 'damaged' are not those of its card" in outcome.reason


def test_data_that_changed_since_the_plan_fail_their_cells(tmp_path: Path) -> None:
    engine = Engine(lambda *_: ToyTask(), lambda name: ToyBackbone(), cache=Cache(tmp_path), device="cpu")
    [job] = group_into_jobs([replace(toy_cell(PROBE), data_sha256="of yesterday")])
    [outcome] = [output.outcome for output in engine.run(job)]
    assert isinstance(outcome, Failure)
    assert "changed since the run was planned: give the same command once more" in outcome.reason


def test_results_say_what_they_cost_and_under_what_they_were_run(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    [job] = group_into_jobs([toy_cell(FULL)])
    [outcome] = [output.outcome for output in bench.engine.run(job)]
    assert isinstance(outcome, Result)
    assert outcome.amount == 30
    assert outcome.steps == 8
    assert outcome.seconds > outcome.training_seconds + outcome.evaluation_seconds > outcome.training_seconds > 0
    assert outcome.loading_seconds > 0
    assert outcome.frozen_seconds > 0
    assert outcome.head_seconds > 0
    assert outcome.peak_mib > 10
    assert (outcome.device, outcome.precision) == ("cpu", "float32")
    assert outcome.provenance.torch


def test_what_predictions_belong_to_is_kept_for_each_fold_beside_them(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    plan = [replace(toy_cell(PROBE, seed=fold), fold=fold, shifts=True) for fold in (0, 1)]
    run_cells(plan, bench.store, BACKBONES, bench.execute)
    for planned in plan:
        result = bench.store.get(planned.key)
        assert result is not None
        tested = bench.store.tested(result)
        labels, predictions = tested.labels, bench.store.predictions(planned.key)
        assert ACCURACY.compute(predictions, labels, None) == result.scores.values["accuracy"]
        assert ACCURACY.compute(tested.baselines[PLAIN], labels, None) == result.baselines.values["accuracy"]
        for shifted in result.shifted:
            under = bench.store.predictions(planned.key, shifted.shift)
            assert ACCURACY.compute(under, labels, None) == shifted.scores.values["accuracy"]
            assert ACCURACY.compute(tested.baselines[shifted.shift], labels, None) == shifted.chance
        assert len(result.shifted) == 3
        assert len(set(tested.rows["block"])) == len(result.block_sizes)


def test_cells_that_are_fitted_together_are_one_pack_for_each_strategy_and_fold(tmp_path: Path) -> None:
    strategies = (PROBE, PROBE.model_copy(update={"name": "another_probe"}))
    plan = [
        replace(toy_cell(strategy, budget=budget, seed=seed), fold=seed)
        for strategy in strategies
        for budget in (Share(0.5), ALL)
        for seed in (0, 1)
    ]
    jobs = group_into_jobs(pending_cells(plan, Store(tmp_path), BACKBONES))
    together = [{(planned.cell.strategy, planned.fold) for planned in job.cells} for job in jobs]
    assert together == [{("another_probe", 0)}, {("linear_probe", 0)}, {("another_probe", 1)}, {("linear_probe", 1)}]


def test_cells_of_one_fold_lie_next_to_each_other_the_largest_budget_first(tmp_path: Path) -> None:
    plan = [
        replace(toy_cell(FULL, budget=budget, seed=seed), fold=seed) for budget in (Share(0.5), ALL) for seed in (0, 1)
    ]
    order = [(planned.fold, planned.cell.budget) for planned in pending_cells(plan, Store(tmp_path), BACKBONES)]
    assert order == [(0, ALL), (0, Share(0.5)), (1, ALL), (1, Share(0.5))]


def test_probes_come_first_and_large_budgets_before_small_ones(tmp_path: Path) -> None:
    order = [(p.cell.strategy, p.cell.budget) for p in pending_cells(PLAN, Store(tmp_path), BACKBONES)]
    assert {name for name, _ in order[:4]} == {"linear_probe"}
    budgets = [budget for _, budget in order[4:]]
    assert budgets == sorted(budgets, reverse=True)


def test_a_number_of_labels_takes_its_place_among_the_shares_where_the_data_are_counted(tmp_path: Path) -> None:
    asked = (Share(0.1), Count(20), ALL, Count(4))  # of 30
    plan = [replace(toy_cell(FULL, budget=budget), n_train=30) for budget in asked]
    order = [planned.cell.budget for planned in pending_cells(plan, Store(tmp_path), BACKBONES)]
    assert order == [ALL, Count(20), Count(4), Share(0.1)]


def test_only_one_task_and_backbone_is_in_memory_at_a_time(tmp_path: Path) -> None:
    loaded: list[weakref.ref[ToyBackbone]] = []

    def load(name: str) -> ToyBackbone:
        assert all(earlier() is None for earlier in loaded)
        backbone = ToyBackbone()
        loaded.append(weakref.ref(backbone))
        return backbone

    engine = Engine(lambda name, spec, cache: ToyTask(name), load, cache=Cache(tmp_path), device="cpu")
    for job in group_into_jobs([toy_cell(PROBE), toy_cell(FULL, task="other"), toy_cell(FULL)]):
        assert all(isinstance(output.outcome, Result) for output in engine.run(job))
    assert len(loaded) == 3
