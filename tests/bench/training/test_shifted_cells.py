"""A cell is scored under shifts by the model it trained, at no cost of its own, and no plain number changes for it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from bench.backbone import Batch
from bench.backbones.catalog import MINILM, describe
from bench.backbones.loading import load_backbone
from bench.cell import Cell, Result
from bench.config.data import DataSpec
from bench.domain import Raw
from bench.execution.engine import Engine
from bench.planning.plan import Needs, PlannedCell, cell_key, pack_cells
from bench.prediction.exported import read_exported
from bench.prediction.model import load_model
from bench.runtime.cache import Cache
from bench.shifts.scoring import shift_test, shifts_of
from bench.strategy import Strategy
from bench.task import Task
from bench.training import adapt
from bench.training.adapt import run_cell
from bench.training.group import Group
from bench.training.inputs import Streamed
from tests.bench.prediction.exporting import picture_task, recording_task, series_table, series_task, text_task
from tests.toys import FULL, PARTIAL, PROBE, SCRATCH, STRATEGIES, Dense, ToyBackbone, ToyTask, toy_cell, toy_splits

CPU = torch.device("cpu")


def toy_group(folder: Path, *, memory_bytes: int = 2**30) -> Group:
    return Group(
        ToyTask.target,
        toy_splits(),
        ToyBackbone(),
        needs=Needs(depths=frozenset({0.0, 0.5, 1.0}), budgets=frozenset({(1.0, 0)})),
        content="toy",
        cache=Cache(folder),
        device=CPU,
        memory_bytes=memory_bytes,
    )


def shifted_cell(strategy: Strategy) -> PlannedCell:
    return replace(toy_cell(strategy), shifts=True)


def made_series(folder: Path) -> Task:
    series_table(folder / "demand.csv")
    return series_task(folder / "demand.csv")


MADE: dict[str, tuple[Callable[[Path], Task], str]] = {
    "vision": (picture_task, "bundled:glyphs"),
    "text": (lambda folder: text_task(), MINILM.name),
    "audio": (recording_task, "bundled:spoken-words"),
    "series": (made_series, "bundled:series"),
}


def planned_on(task: Task, backbone: str, strategy: Strategy, cache: Cache, *, shifts: bool = True) -> PlannedCell:
    cell, card = Cell("made", backbone, strategy.name, 1.0, 0), describe(backbone, cache)
    key = cell_key(cell, task=task.card, backbone=card, strategy=strategy, shifts=shifts)
    return PlannedCell(cell, DataSpec("of the tests", "folder:made"), task.card.sha256, strategy, key, shifts)


@pytest.mark.parametrize(
    ("domain", "strategy"),
    [*((domain, FULL) for domain in MADE), ("text", SCRATCH), ("vision", PROBE), ("audio", PARTIAL)],
    ids=lambda one: getattr(one, "name", one),
)
def test_a_cell_of_every_domain_is_scored_as_its_exported_model_scores_on_shifted_examples(
    domain: str, strategy: Strategy, tmp_path: Path
) -> None:
    make, backbone = MADE[domain]
    task, cache = make(tmp_path), Cache(tmp_path / "cache")
    planned = planned_on(task, backbone, strategy, cache)
    plain = planned_on(task, backbone, strategy, cache, shifts=False)
    exports = {planned.key: tmp_path / "model"}
    engine = Engine(lambda *_: task, load_backbone, cache=cache, device="cpu", exports=exports)
    (scored,), (without,) = engine.run(pack_cells([planned])[0]), engine.run(pack_cells([plain])[0])
    assert isinstance(scored.outcome, Result), scored.outcome.traceback
    assert isinstance(without.outcome, Result), without.outcome.traceback
    assert (scored.outcome.score, scored.outcome.losses) == (without.outcome.score, without.outcome.losses)
    assert scored.predictions is not None
    assert without.predictions is not None
    assert np.array_equal(scored.predictions, without.predictions)
    assert (without.outcome.shifted, without.shifted) == ((), {})

    test = task.load(cache).test
    assert [one.shift for one in scored.outcome.shifted] == [shift.name for shift in shifts_of(test.raw)]
    model = load_model(tmp_path / "model", read_exported(tmp_path / "model"), device="cpu")
    for found, expected in zip(scored.outcome.shifted, shift_test(test), strict=True):
        labels, raw = expected.examples.labels, expected.examples.raw
        predictions = scored.shifted[found.shift]
        np.testing.assert_allclose(predictions, model.predict(raw), rtol=1e-3, atol=1e-4)
        assert found.score == task.target.score(predictions, labels, raw)
        assert found.chance == task.target.chance(labels, raw)


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda strategy: strategy.name)
def test_no_plain_number_changes_with_shifts(strategy: Strategy, tmp_path: Path) -> None:
    plain, predictions, *_ = run_cell(toy_cell(strategy), toy_group(tmp_path / "plain"))
    group = toy_group(tmp_path / "shifted")
    for _ in range(2):  # the second after shifted tests have been held
        shifted, again, *_ = run_cell(shifted_cell(strategy), group)
        assert np.array_equal(predictions, again)
        assert (shifted.score, shifted.chance, shifted.losses) == (plain.score, plain.chance, plain.losses)
        assert shifted.trainable_parameters == plain.trainable_parameters
        assert [one.shift for one in shifted.shifted] == ["noise", "blur", "contrast"]


@pytest.mark.parametrize("strategy", [PROBE, PARTIAL], ids=lambda strategy: strategy.name)
def test_frozen_work_on_shifted_tests_is_done_once_and_booked_on_nobody(
    strategy: Strategy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passes: list[int] = []
    forward = Dense.forward

    def counted(self: Dense, values: Tensor, mask: Tensor | None = None) -> Tensor:
        if len(values) > 1:  # one alone tells how large activations are
            passes.append(len(values))
        return forward(self, values, mask)

    monkeypatch.setattr(Dense, "forward", counted)
    plain, *_ = run_cell(toy_cell(strategy), toy_group(tmp_path))
    assert passes
    passes.clear()
    first, *_ = run_cell(shifted_cell(strategy), toy_group(tmp_path))
    done = len(passes)
    passes.clear()
    again, *_ = run_cell(shifted_cell(strategy), toy_group(tmp_path))
    assert [work.key for work in first.shared] == [work.key for work in plain.shared]
    assert [(one.shift, one.score, one.chance) for one in first.shifted] == [
        (one.shift, one.score, one.chance) for one in again.shifted
    ]
    below = 4 if strategy is PROBE else 2
    assert done - len(passes) == 3 * below, "three shifts through the frozen stages, kept between runs"


def test_what_shifts_take_is_not_in_the_cost_of_a_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured: list[str] = []

    def watch(name: str) -> None:
        plain = getattr(adapt, name)

        def call(*given: object) -> object:
            measured.append(name)
            return plain(*given)

        monkeypatch.setattr(adapt, name, call)

    for name in ("_adapt", "peak_mib", "_score_shifts"):
        watch(name)
    run_cell(shifted_cell(FULL), toy_group(tmp_path))
    assert measured == ["_adapt", "peak_mib", "_score_shifts"], "time and memory are taken before"


def test_shifted_tests_are_streamed_where_there_is_no_memory_and_score_the_same(tmp_path: Path) -> None:
    ample, scarce = toy_group(tmp_path / "ample"), toy_group(tmp_path / "scarce", memory_bytes=1)
    for group, kind in ((ample, Batch), (scarce, Streamed)):
        assert all(isinstance(group.shifted_test(test, 0), kind) for test in group.shifted)
    one, other = (run_cell(shifted_cell(SCRATCH), group)[0] for group in (ample, scarce))
    assert [shift.score for shift in one.shifted] == [shift.score for shift in other.shifted]


def test_a_cell_without_shifts_makes_no_shifted_example(tmp_path: Path) -> None:
    group = toy_group(tmp_path)
    run_cell(toy_cell(FULL), group)
    assert "shifted" not in vars(group)


def test_typos_bring_tokens_that_neither_split_holds(tmp_path: Path) -> None:
    """Or the text cells above would not show that a model under shift knows all tokens."""
    splits = text_task().load(Cache(tmp_path))
    [typos] = shift_test(splits.test)
    seen, new = (tokens_of(*raws) for raws in ((splits.train.raw, splits.test.raw), (typos.examples.raw,)))
    assert new - seen


def tokens_of(*raws: Raw) -> set[int]:
    backbone = load_backbone(MINILM.name)
    return {token for raw in raws for token in backbone.prepare(raw).values.flatten().tolist()}


@pytest.mark.parametrize("domain", ["text", "audio", "series"])
def test_a_classical_model_is_scored_under_the_same_shifts(domain: str, tmp_path: Path) -> None:
    make, backbone = MADE[domain]
    task, cache = make(tmp_path), Cache(tmp_path / "cache")
    strategy = PROBE._replace(name="classical", pretrained=False, classical=True)
    engine = Engine(lambda *_: task, load_backbone, cache=cache, device="cpu")
    shifted, plain = (
        next(engine.run(pack_cells([planned_on(task, backbone, strategy, cache, shifts=shifts)])[0]))
        for shifts in (True, False)
    )
    assert isinstance(shifted.outcome, Result), shifted.outcome.traceback
    assert isinstance(plain.outcome, Result), plain.outcome.traceback
    assert (plain.outcome.shifted, plain.outcome.score) == ((), shifted.outcome.score)
    for found, expected in zip(shifted.outcome.shifted, shift_test(task.load(cache).test), strict=True):
        labels, raw = expected.examples.labels, expected.examples.raw
        assert found.score == task.target.score(shifted.shifted[found.shift], labels, raw)
        assert found.chance == task.target.chance(labels, raw)
