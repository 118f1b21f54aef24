"""A cell is scored under shifts by the model it trained, at no cost of its own, and no plain number changes for it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor

from bench.backbone import Batch
from bench.backbones.catalog import MINILM
from bench.backbones.descriptions import describe
from bench.backbones.loading import load_backbone
from bench.budget import ALL
from bench.cell import Cell, Result
from bench.column import Column, Indices
from bench.config.data import DataSpec
from bench.domain import Raw
from bench.domains.vision.raw import ImageArray
from bench.execution import engine
from bench.execution.engine import Engine
from bench.execution.evaluation import Evaluation
from bench.execution.output import CellOutput
from bench.planning.plan import PlannedCell, cell_key, group_into_jobs
from bench.prediction.exported import read_exported
from bench.prediction.model import load_model
from bench.readout import POOLED
from bench.results.tested import PLAIN
from bench.runtime.cache import Cache
from bench.runtime.memory import peak_mib
from bench.shifts.scoring import shift_test, shifts_of
from bench.strategies.classical import Classical
from bench.strategy import Strategy
from bench.target import zero_skill
from bench.task import Elsewhere, Examples, Split, Task, fingerprint
from bench.training.inputs import Streamed
from tests.bench.prediction.exporting import picture_task, recording_task, series_table, series_task, text_task
from tests.fitting import run_toy, toy_context
from tests.toys import FULL, PARTIAL, PROBE, SCRATCH, STRATEGIES, Dense, ToyBackbone, ToyTask, toy_cell, toy_split


def shifted_cell(strategy: Strategy) -> PlannedCell:
    return replace(toy_cell(strategy), shifts=True)


def scored(folder: Path, planned: PlannedCell, *, memory_bytes: int = 2**30) -> tuple[Result, CellOutput]:
    """Return the result of a toy cell, and all that came of it."""
    [output] = run_toy(folder, planned, memory_bytes=memory_bytes)
    assert isinstance(output.outcome, Result), output.outcome.traceback
    return output.outcome, output


def same(found: Column | None, expected: Column | None) -> None:
    assert found is not None
    assert expected is not None
    assert set(found.values) == set(expected.values)
    for name, array in expected.arrays().items():
        np.testing.assert_array_equal(found.arrays()[name], array)


def value(task: Task, predictions: Column, examples: Examples) -> float | None:
    """Return the score of predictions."""
    labels = examples.labels[task.target.reads]
    return task.target.metrics[0].compute(predictions, labels, examples.facts)


def chance(task: Task, examples: Examples) -> float | None:
    """Return the score without skill."""
    train = task.split(0, Cache(Path())).train
    labels = train.labels[task.target.reads]
    zero = zero_skill(task.target, labels, train.raw, train.facts)
    return value(task, zero.predict(labels, examples.raw, examples.facts), examples)


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
    cell, card = Cell("made", backbone, strategy.name, ALL, 0), describe(backbone, cache)
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
    through = Engine(lambda *_: task, load_backbone, cache=cache, device="cpu", exports=exports)
    (output,), (without,) = through.run(group_into_jobs([planned])[0]), through.run(group_into_jobs([plain])[0])
    assert isinstance(output.outcome, Result), output.outcome.traceback
    assert isinstance(without.outcome, Result), without.outcome.traceback
    assert (output.outcome.score, output.outcome.losses) == (without.outcome.score, without.outcome.losses)
    same(output.predictions, without.predictions)
    assert (without.outcome.shifted, without.shifted) == ((), {})

    test = task.split(0, cache).test
    assert [one.shift for one in output.outcome.shifted] == [shift.name for shift in shifts_of(task.card.domain)]
    model = load_model(tmp_path / "model", read_exported(tmp_path / "model"), device="cpu")
    for found, expected in zip(output.outcome.shifted, shift_test(test), strict=True):
        predictions, again = output.shifted[found.shift], model.predict(expected.examples.raw)
        for name, array in predictions.arrays().items():
            np.testing.assert_allclose(array, again.arrays()[name], rtol=1e-3, atol=1e-4)
        assert found.score == value(task, predictions, expected.examples)
        assert found.chance == chance(task, expected.examples)


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda strategy: strategy.name)
def test_no_plain_number_changes_with_shifts(strategy: Strategy, tmp_path: Path) -> None:
    plain, before = scored(tmp_path / "plain", toy_cell(strategy))
    for _ in range(2):  # the second after the activations of shifted tests were kept
        shifted, after = scored(tmp_path / "shifted", shifted_cell(strategy))
        same(after.predictions, before.predictions)
        assert (shifted.score, shifted.chance, shifted.losses) == (plain.score, plain.chance, plain.losses)
        assert (shifted.scores, shifted.baselines) == (plain.scores, plain.baselines)
        assert shifted.trainable_parameters == plain.trainable_parameters
        assert [one.shift for one in shifted.shifted] == ["noise", "blur", "contrast"]


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda strategy: strategy.name)
def test_the_score_under_a_shift_is_that_of_the_metric_that_ranks_among_all(strategy: Strategy, tmp_path: Path) -> None:
    result, output = scored(tmp_path, shifted_cell(strategy))
    assert output.tested is not None
    assert set(output.tested.baselines) == {PLAIN, "noise", "blur", "contrast"}
    for one in result.shifted:
        assert one.score == one.scores.values["accuracy"]
        assert one.chance == one.baselines.values["accuracy"]
        assert set(one.scores.values) == set(result.scores.values)
        assert len(one.scores.without["accuracy"]) == len(result.block_sizes)


class TwoWards(ToyTask):
    """The toy task, with seven examples of another place, most of them of the third class."""

    def __init__(self) -> None:
        super().__init__()
        self.card = replace(self.card, sha256=fingerprint(self.split(0, Cache(Path()))))

    def split(self, fold: int, cache: Cache) -> Split:
        other = toy_split(seed=1).test.take(np.array([2, 5, 8, 11, 14, 0, 1]))
        return replace(toy_split(), elsewhere=(Elsewhere("ward", "another ward", other),))


def ward_cell(strategy: Strategy, *, shifts: bool = True) -> PlannedCell:
    return replace(toy_cell(strategy), shifts=shifts, data_sha256=TwoWards().card.sha256)


def run_ward(folder: Path, planned: PlannedCell) -> tuple[Result, CellOutput]:
    """Return the result of a cell of the task with another place, and all that came of it."""
    [output] = Engine(lambda *_: TwoWards(), lambda _: ToyBackbone(), cache=Cache(folder), device="cpu").run(
        group_into_jobs([planned])[0]
    )
    assert isinstance(output.outcome, Result), output.outcome.traceback
    return output.outcome, output


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda strategy: strategy.name)
def test_a_model_is_scored_on_examples_of_another_place_against_their_own_labels(
    strategy: Strategy, tmp_path: Path
) -> None:
    result, output = run_ward(tmp_path, ward_cell(strategy))
    *of_domain, ward = result.shifted
    assert [one.shift for one in of_domain] == ["noise", "blur", "contrast"]
    assert (ward.shift, ward.title) == ("ward", "another ward")
    predicted = output.shifted["ward"]["logit"].argmax(axis=1)
    assert ward.score == np.mean(predicted == np.array([2, 2, 2, 2, 2, 0, 1]))
    assert ward.chance == pytest.approx(1 / 7), "the training split has as many of each class: the first is answered"
    assert ward.block_sizes == (1,) * 7
    assert len(ward.scores.without["accuracy"]) == 7
    assert all(one.block_sizes == () for one in of_domain)
    assert output.tested is not None
    assert output.tested.elsewhere["ward"].labels["class"].tolist() == [2, 2, 2, 2, 2, 0, 1]
    assert list(output.tested.elsewhere) == ["ward"]


def test_examples_of_another_place_change_no_plain_number_and_are_left_out_with_the_shifts(tmp_path: Path) -> None:
    plain, before = scored(tmp_path / "plain", toy_cell(FULL))
    for shifts in (True, False):
        result, after = run_ward(tmp_path / str(shifts), ward_cell(FULL, shifts=shifts))
        same(after.predictions, before.predictions)
        assert (result.score, result.losses) == (plain.score, plain.losses)
        assert ("ward" in after.shifted) == shifts
        assert after.tested is not None
        assert bool(after.tested.elsewhere) == shifts


def test_no_strategy_sees_examples_of_another_place(tmp_path: Path) -> None:
    split = TwoWards().split(0, Cache(tmp_path))
    context = toy_context(tmp_path, split=split)
    assert not any(value is split or value is split.elsewhere for value in vars(context).values())


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
    plain, _ = scored(tmp_path, toy_cell(strategy))
    assert passes
    passes.clear()
    first, _ = scored(tmp_path, shifted_cell(strategy))
    done = len(passes)
    passes.clear()
    again, _ = scored(tmp_path, shifted_cell(strategy))
    keys = [[work.key for work in result.shared if work.phase != "loading"] for result in (first, plain)]
    assert keys[0] == keys[1]
    assert [(one.shift, one.score, one.chance) for one in first.shifted] == [
        (one.shift, one.score, one.chance) for one in again.shifted
    ]
    below = 4 if strategy is PROBE else 2
    assert done - len(passes) == 3 * below, "three shifts through the frozen stages, kept between runs"


def test_what_shifts_take_is_not_in_the_cost_of_a_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, measured = [0.0], []
    plain_peak, plain_shifts = peak_mib, Evaluation.score_shifts

    def peak(*given: object) -> float:
        measured.append("peak")
        return plain_peak(*given)  # type: ignore[arg-type]  # passed on as it came

    def shifts(*given: object) -> object:
        measured.append("shifts")
        clock[0] += 1000.0
        return plain_shifts(*given)  # type: ignore[arg-type]  # likewise

    monkeypatch.setattr("time.perf_counter", lambda: clock[0])
    monkeypatch.setattr(engine, "peak_mib", peak)
    monkeypatch.setattr(Evaluation, "score_shifts", shifts)
    result, _ = scored(tmp_path, shifted_cell(FULL))
    assert measured == ["peak", "shifts"], "memory is taken before"
    assert (result.seconds, result.training_seconds, result.evaluation_seconds) == (0, 0, 0)
    assert sum(work.seconds for work in result.shared) == 0


def test_shifted_tests_are_streamed_where_there_is_no_memory_and_score_the_same(tmp_path: Path) -> None:
    for size, kind in ((2**30, Batch), (1, Streamed)):
        context = toy_context(tmp_path / "context", memory_bytes=size)
        for shifted in shift_test(toy_split().test):
            assert isinstance(context.inputs_of(shifted.examples.raw, 0, POOLED), kind)
    one, other = (
        scored(tmp_path / str(size), shifted_cell(SCRATCH), memory_bytes=size)[0].shifted for size in (2**30, 1)
    )
    assert [shift.score for shift in one] == [shift.score for shift in other]


def test_a_cell_without_shifts_makes_no_shifted_example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*given: object) -> object:
        raise AssertionError("shifted examples that nobody asked for")

    monkeypatch.setattr("bench.execution.evaluation.shift_test", refuse)
    result, output = scored(tmp_path, toy_cell(FULL))
    assert (result.shifted, output.shifted) == ((), {})


class Counted(ImageArray):
    """Pictures that count how often they are hashed."""

    hashed: ClassVar[list[int]] = []

    def take(self, indices: Indices) -> "Counted":
        return Counted(self.pixels[indices])

    def columns(self) -> tuple[bytes, ...]:
        self.hashed.append(len(self))
        return super().columns()


def test_other_examples_are_hashed_once_however_often_models_are_asked_about_them(tmp_path: Path) -> None:
    context, test = toy_context(tmp_path), toy_split().test.raw
    assert isinstance(test, ImageArray)
    others = Counted(test.pixels)
    first, second = (context.features_of(others, POOLED).features[0] for _ in range(2))
    assert torch.equal(first, second)
    assert Counted.hashed == [len(test)]


def test_typos_bring_tokens_that_neither_split_holds(tmp_path: Path) -> None:
    """Or the text cells above would not show that a model under shift knows all tokens."""
    split = text_task().split(0, Cache(tmp_path))
    [typos] = shift_test(split.test)
    seen, new = (tokens_of(*raws) for raws in ((split.train.raw, split.test.raw), (typos.examples.raw,)))
    assert new - seen


def tokens_of(*raws: Raw) -> set[int]:
    backbone = load_backbone(MINILM.name)
    return {token for raw in raws for token in backbone.prepare(raw).values.flatten().tolist()}


@pytest.mark.parametrize("domain", ["text", "audio", "series"])
def test_a_classical_model_is_scored_under_the_same_shifts(domain: str, tmp_path: Path) -> None:
    make, backbone = MADE[domain]
    task, cache = make(tmp_path), Cache(tmp_path / "cache")
    strategy = Classical(name="classical")
    through = Engine(lambda *_: task, load_backbone, cache=cache, device="cpu")
    shifted, plain = (
        next(through.run(group_into_jobs([planned_on(task, backbone, strategy, cache, shifts=shifts)])[0]))
        for shifts in (True, False)
    )
    assert isinstance(shifted.outcome, Result), shifted.outcome.traceback
    assert isinstance(plain.outcome, Result), plain.outcome.traceback
    assert (plain.outcome.shifted, plain.outcome.score) == ((), shifted.outcome.score)
    for found, expected in zip(shifted.outcome.shifted, shift_test(task.split(0, cache).test), strict=True):
        assert found.score == value(task, shifted.shifted[found.shift], expected.examples)
        assert found.chance == chance(task, expected.examples)
