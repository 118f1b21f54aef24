"""The faster precision is found by timing, once for a machine and a network, and timing leaves no trace."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from bench.backbone import Batch, Features, read_stages, state_hash
from bench.cell import Result
from bench.execution.engine import Engine
from bench.execution.runner import run_cells
from bench.planning.plan import PlannedCell, group_into_jobs
from bench.readout import POOLED, Readout
from bench.results.store import Store
from bench.runtime.arithmetic import PrecisionRequest
from bench.runtime.cache import Cache
from bench.strategy import LoopRecipe
from bench.targets.classes import LABEL
from bench.training import pace
from bench.training.loop import Adaptation, Forward, Rate, Term
from bench.training.pace import CLEARLY, PrecisionChooser, Times, Trial, machine_identity, time_passes
from tests.bench.results.test_store import manifest
from tests.toys import FULL, PARTIAL, PROBE, WIDTH, ToyBackbone, ToyTask, toy_cell, toy_split

CPU = torch.device("cpu")
SLOW, FAST = Times(float32=1.0, bfloat16=2.0), Times(float32=1.0, bfloat16=0.5)
PLAN = (toy_cell(PROBE), toy_cell(FULL), toy_cell(PARTIAL), toy_cell(FULL, seed=1))


RECIPE = LoopRecipe(batch_size=8)


def trial() -> Trial:
    backbone, examples = ToyBackbone(), toy_split().train
    objective = ToyTask.target.objective
    head = objective.head([WIDTH])
    labels = torch.from_numpy(examples.labels[LABEL][LABEL])

    def forward(batch: Batch, readout: Readout) -> Features:
        return read_stages(backbone, backbone.stages, batch, readout)

    def loss(run: Forward, batch: Batch, rows: Tensor, generator: torch.Generator) -> Tensor:
        return objective.loss(head(run(batch, POOLED)), {LABEL: labels[rows]}, batch.geometry)

    term = Term(backbone.prepare(examples.raw), loss, (head,))
    rates = [Rate([*backbone.stages.parameters(), *head.parameters()], 1e-2)]
    return Trial(
        task="toy",
        backbone="toy:dense",
        depth=1.0,
        name="toy",
        adaptation=Adaptation(backbone.stages, forward, rates, [term]),
        recipe=RECIPE,
    )


def timed(monkeypatch: pytest.MonkeyPatch, times: Times) -> list[Trial]:
    """Make every network worth timing, and fast or slow as given; return the trials, as they come."""
    trials: list[Trial] = []

    def time_passes(one: Trial) -> Times:
        trials.append(one)
        return times

    monkeypatch.setattr(pace, "settled_precision", lambda *_: None)
    monkeypatch.setattr(pace, "time_passes", time_passes)
    return trials


def chooser(folder: Path, request: PrecisionRequest | None = None) -> PrecisionChooser:
    return PrecisionChooser(request or PrecisionRequest(), cache=Cache(folder), device=CPU)


@pytest.mark.parametrize(
    ("advantage", "expected"), [(0.5, "float32"), (1.0, "float32"), (CLEARLY - 0.01, "float32"), (1.2, "bfloat16")]
)
def test_bfloat16_has_to_be_clearly_faster(advantage: float, expected: str) -> None:
    assert Times(float32=advantage, bfloat16=1.0).faster == expected


def test_a_clock_that_stands_still_decides_nothing() -> None:
    assert Times(0.0, 0.0).faster == "float32"


def test_a_network_is_timed_once_for_all_processes_and_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trials = timed(monkeypatch, FAST)
    first = chooser(tmp_path).choose(trial(), 1)
    timed(monkeypatch, SLOW)
    again = chooser(tmp_path).choose(trial(), 1)
    assert first == again
    assert (first.precision, len(trials)) == ("bfloat16", 1)


@pytest.mark.parametrize(
    "other", [{"depth": 0.5}, {"name": "other"}, {"recipe": RECIPE.model_copy(update={"batch_size": 4})}]
)
def test_another_network_or_batch_is_timed_for_itself(
    other: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    timed(monkeypatch, FAST)
    chooser(tmp_path).choose(trial(), 1)
    timed(monkeypatch, SLOW)
    assert chooser(tmp_path).choose(replace(trial(), **other), 1).precision == "float32"


def test_another_machine_is_timed_for_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    timed(monkeypatch, FAST)
    chooser(tmp_path).choose(trial(), 1)
    timed(monkeypatch, SLOW)
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2" if os.environ.get("ONEDNN_MAX_CPU_ISA") != "AVX2" else "AVX")
    assert chooser(tmp_path).choose(trial(), 1).precision == "float32"
    before = machine_identity()
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"another": True, "num_logical_cores": 64})
    assert before != machine_identity()


def test_the_choice_says_whose_it_is_and_what_was_timed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    timed(monkeypatch, FAST)
    chooser(tmp_path).choose(trial(), 1)
    renamed = replace(trial(), task="toy again", backbone="toy:again")
    choice = chooser(tmp_path).choose(renamed, 1).choice
    assert choice is not None
    assert (choice.task, choice.backbone, choice.batch_size) == ("toy again", "toy:again", RECIPE.batch_size)
    assert (choice.float32_seconds, choice.bfloat16_seconds) == FAST
    assert choice.processor


def test_timing_leaves_no_trace() -> None:
    one = trial()
    parts = (one.adaptation.network, *one.term.modules)
    before, drawn = [state_hash(part) for part in parts], torch.random.get_rng_state()
    times = time_passes(one)
    assert min(times) > 0
    assert [state_hash(part) for part in parts] == before
    assert all(parameter.grad is None for part in parts for parameter in part.parameters())
    assert torch.equal(torch.random.get_rng_state(), drawn)


def run(
    folder: Path, cache: str, request: PrecisionRequest | None = None, plan: Sequence[PlannedCell] = PLAN
) -> tuple[Store, dict[str, str]]:
    """Run toy cells; return the store and the precisions by the names of the strategies."""
    store = Store(folder / "results")
    store.extend(manifest(*((planned.cell, planned.key) for planned in plan)))
    engine = Engine(
        lambda *_: ToyTask(),
        lambda _: ToyBackbone(),
        cache=Cache(folder / cache),
        device="cpu",
        request=request or PrecisionRequest(known=store.choices),
    )
    run_cells(
        plan,
        store,
        {"toy:dense": ToyBackbone().card},
        lambda jobs: (scored for pack in jobs for scored in engine.run(pack)),
    )
    return store, {result.cell.strategy: result.precision for result in store.results()}


def test_cells_are_trained_in_the_faster_precision_and_the_folder_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trials = timed(monkeypatch, FAST)
    store, precisions = run(tmp_path, "cache")
    assert precisions == {"linear_probe": "float32", "partial": "bfloat16", "full": "bfloat16"}
    assert len(trials) == 2
    kept = Store(store.root).choices.values()
    assert sorted((choice.depth, choice.precision) for choice in kept) == [(0.5, "bfloat16"), (1.0, "bfloat16")]


def test_a_folder_stays_with_its_choice_when_the_cache_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    timed(monkeypatch, FAST)
    run(tmp_path, "cache", plan=PLAN[:2])
    trials = timed(monkeypatch, SLOW)
    _, precisions = run(tmp_path, "another cache", plan=(*PLAN[:2], PLAN[3]))
    assert precisions["full"] == "bfloat16"
    assert not trials


def test_timing_changes_no_score(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = scores(run(tmp_path / "settled", "cache")[0])
    monkeypatch.setattr(pace, "settled_precision", lambda *_: None)
    monkeypatch.setattr(pace, "CLEARLY", float("inf"))
    store, precisions = run(tmp_path / "timed", "cache")
    assert set(precisions.values()) == {"float32"}
    assert store.choices
    assert scores(store) == plain


def scores(store: Store) -> list[float]:
    return [result.score for result in store.results()]


def test_the_precision_asked_for_is_that_of_training_alone(tmp_path: Path) -> None:
    _, precisions = run(tmp_path, "cache", PrecisionRequest("bfloat16"))
    assert precisions == {"linear_probe": "float32", "partial": "bfloat16", "full": "bfloat16"}


def test_what_timing_takes_is_no_cost_of_a_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]

    def time_slowly(_: Trial) -> Times:
        now[0] += 1000
        return FAST

    timed(monkeypatch, FAST)
    monkeypatch.setattr(pace, "time_passes", time_slowly)
    monkeypatch.setattr("bench.training.fitting.time.perf_counter", lambda: now[0])
    engine = Engine(lambda *_: ToyTask(), lambda _: ToyBackbone(), cache=Cache(tmp_path), device="cpu")
    [scored] = engine.run(group_into_jobs([toy_cell(FULL)])[0])
    assert isinstance(scored.outcome, Result)
    assert now == [1000]
    assert scored.outcome.seconds == 0
