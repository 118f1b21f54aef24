"""Cells that are fitted together fail one by one: whatever goes wrong with a cell, the others come."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest

from bench.budget import ALL, Budget, Count, Share
from bench.cell import Failure, Result
from bench.column import Column, digest
from bench.context import Context
from bench.execution.engine import Engine
from bench.execution.output import CellOutput
from bench.planning.plan import group_into_jobs
from bench.results.tested import PLAIN
from bench.runtime.cache import Cache
from bench.scoring import score
from bench.strategies.classical import Classical
from bench.strategy import Model, Seeds, Start, Strategy
from bench.subsets.seeds import Purpose
from bench.task import Split
from tests.fitting import run_toy
from tests.toys import FULL, PROBE, QUICK, ToyBackbone, ToyTask, toy_cell, toy_split

ASKED = (Share(0.3), Share(0.5), Share(0.8), ALL)
BAD = Share(0.5)


class Together(Strategy):
    """Probes that are fitted together, of which one fails: when it is fitted, or before all others are."""

    kind: ClassVar[str] = "together"
    together: ClassVar[bool] = True
    fails: str

    @property
    def start(self) -> Start:
        return "pretrained"

    @property
    def streams(self) -> tuple[Purpose, ...]:
        return ("subset",)

    def fit(self, context: Context, budgets: Sequence[Budget[Column]], seeds: Sequence[Seeds]) -> Iterator[Model]:
        if self.fails == "at once" and any(budget.asked == BAD for budget in budgets):
            raise ValueError("what is shared cannot be done")
        return self._one_by_one(context, budgets, seeds)

    def _one_by_one(
        self, context: Context, budgets: Sequence[Budget[Column]], seeds: Sequence[Seeds]
    ) -> Iterator[Model]:
        if self.fails == "first" and any(budget.asked == BAD for budget in budgets):
            raise ValueError("what is shared cannot be done")
        for budget, model in zip(budgets, PROBE.fit(context, budgets, seeds), strict=True):
            if self.fails == "itself" and budget.asked == BAD:
                raise ValueError("what is shared cannot be done")
            if self.fails == "leaves" and budget.asked == BAD:
                raise SystemExit(1)
            yield model


def together(folder: Path, strategy: Strategy) -> dict[str, CellOutput]:
    """Return the outcome of a cell of each budget, by its budget."""
    outputs = run_toy(folder, *(toy_cell(strategy, budget=budget) for budget in ASKED))
    assert len(outputs) == len(ASKED), "each cell comes once"
    return {str(output.outcome.cell.budget): output for output in outputs}


@pytest.mark.parametrize("fails", ["itself", "first", "at once"])
def test_a_cell_that_fails_costs_itself_alone_whenever_it_does(fails: str, tmp_path: Path) -> None:
    found = together(tmp_path / "found", Together(name="together", fails=fails))
    expected = together(tmp_path / "expected", Together(name="together", fails="never"))
    for asked in ASKED:
        one, other = found[str(asked)].outcome, expected[str(asked)].outcome
        assert isinstance(other, Result), other.traceback
        if asked == BAD:
            assert isinstance(one, Failure)
            assert one.reason == "ValueError: what is shared cannot be done"
            assert "Traceback" in one.traceback
        else:
            assert isinstance(one, Result), one.traceback
            assert one.scores == other.scores


def test_budgets_that_cannot_be_drawn_fail_and_the_others_come(tmp_path: Path) -> None:
    cells = [toy_cell(PROBE, budget=budget) for budget in (ALL, Share(0.04), Share(0.5), Count(2), Count(31))]
    outcomes = {str(output.outcome.cell.budget): output.outcome for output in run_toy(tmp_path, *cells)}
    failed = {asked: outcome.reason for asked, outcome in outcomes.items() if isinstance(outcome, Failure)}
    assert set(failed) == {"0.04", "2", "31"}
    assert "too few for one example of each of 3 classes" in failed["0.04"]
    assert "a budget of 2 is 2 of 30 labelled examples" in failed["2"]
    assert "a budget of 31 labelled examples, but there are 30" in failed["31"]
    assert {asked for asked, outcome in outcomes.items() if isinstance(outcome, Result)} == {"all", "0.5"}


class Gone(ToyTask):
    """A task whose data cannot be read."""

    def split(self, fold: int, cache: Cache) -> Split:
        raise OSError("the disk is gone")


def test_data_that_cannot_be_loaded_fail_every_cell_of_a_pack(tmp_path: Path) -> None:
    engine = Engine(lambda *_: Gone(), lambda _name: ToyBackbone(), cache=Cache(tmp_path), device="cpu")
    (job,) = group_into_jobs([toy_cell(PROBE, budget=budget) for budget in ASKED])
    outcomes = [output.outcome for output in engine.run(job)]
    assert [outcome.reason for outcome in outcomes if isinstance(outcome, Failure)] == ["OSError: the disk is gone"] * 4


class Leaving(ToyTask):
    """A task whose code ends the program."""

    def split(self, fold: int, cache: Cache) -> Split:
        raise SystemExit(0)


def test_code_that_ends_the_program_fails_its_cells_and_ends_nothing(tmp_path: Path) -> None:
    engine = Engine(lambda *_: Leaving(), lambda _name: ToyBackbone(), cache=Cache(tmp_path), device="cpu")
    (job,) = group_into_jobs([toy_cell(PROBE, budget=budget) for budget in ASKED])
    outcomes = [output.outcome for output in engine.run(job)]
    assert [outcome.reason for outcome in outcomes if isinstance(outcome, Failure)] == ["SystemExit: 0"] * 4


def test_a_model_that_ends_the_program_fails_its_cell_alone(tmp_path: Path) -> None:
    found = together(tmp_path, Together(name="together", fails="leaves"))
    failed = {asked: one.outcome.reason for asked, one in found.items() if isinstance(one.outcome, Failure)}
    assert failed == {str(BAD): "SystemExit: 1"}


class Folded(ToyTask):
    """A task whose folds tell each other apart, with the folds that were asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[int] = []

    def split(self, fold: int, cache: Cache) -> Split:
        self.asked.append(fold)
        split = toy_split()
        return split if fold == 0 else Split(split.test, split.train)


def test_a_cell_is_tested_on_its_fold(tmp_path: Path) -> None:
    task = Folded()
    task.card = replace(task.card, pinned=False, folds=2)
    engine = Engine(lambda *_: task, lambda _name: ToyBackbone(), cache=Cache(tmp_path), device="cpu")
    cells = [
        replace(toy_cell(PROBE, budget=budget), data_sha256=task.card.sha256, fold=fold)
        for fold in (0, 1)
        for budget in (Share(0.5), ALL)
    ]
    outputs = [output for job in group_into_jobs(cells) for output in engine.run(job)]
    assert task.asked == [0, 1], "one loading serves all cells of a fold"
    for output, fold in zip(outputs, (0, 0, 1, 1), strict=True):
        assert isinstance(output.outcome, Result), output.outcome.traceback
        assert (output.outcome.fold, output.outcome.folds, output.outcome.n_train) == (fold, 2, 30)
        tested = toy_split().test if fold == 0 else toy_split().train
        assert output.tested is not None
        assert (output.tested.labels["class"] == tested.labels["class"]["class"]).all()


def run_folds(folder: Path, strategy: Strategy, *folds: int, pinned: bool = False) -> CellOutput:
    """Return the outcome of the last of several folds, run one after the other with one cache."""
    task = Folded()
    task.card = replace(task.card, pinned=pinned, folds=2)
    engine = Engine(lambda *_: task, lambda _name: ToyBackbone(), cache=Cache(folder), device="cpu")
    cells = [replace(toy_cell(strategy), data_sha256=task.card.sha256, fold=fold) for fold in folds]
    return [output for cell in cells for job in group_into_jobs([cell]) for output in engine.run(job)][-1]


@pytest.mark.parametrize("strategy", [PROBE, FULL, Classical(name="classical")], ids=lambda one: one.name)
def test_what_is_kept_of_one_fold_serves_no_other(strategy: Strategy, tmp_path: Path) -> None:
    alone = run_folds(tmp_path / "alone", strategy, 1)
    after = run_folds(tmp_path / "after", strategy, 0, 1)
    assert isinstance(alone.outcome, Result), alone.outcome.traceback
    assert isinstance(after.outcome, Result), after.outcome.traceback
    assert alone.predictions is not None
    assert after.predictions is not None
    assert digest(after.predictions) == digest(alone.predictions)
    assert after.outcome.scores == alone.outcome.scores


def test_data_of_several_folds_are_known_by_the_first_of_them(tmp_path: Path) -> None:
    outcome = run_folds(tmp_path, PROBE, 1, pinned=True).outcome
    assert isinstance(outcome, Result), outcome.traceback
    assert outcome.data_sha256 == ToyTask().card.sha256


def test_scores_are_those_of_the_predictions_with_and_without_each_block(tmp_path: Path) -> None:
    [output] = run_toy(tmp_path, toy_cell(PROBE))
    result, tested = output.outcome, output.tested
    assert isinstance(result, Result), result.traceback
    assert tested is not None
    assert output.predictions is not None
    metrics, blocks = ToyTask.target.metrics, tested.rows["block"]
    assert result.scores == score(metrics, output.predictions, tested.labels, tested.facts, blocks)
    assert result.baselines == score(metrics, tested.baselines[PLAIN], tested.labels, tested.facts, blocks)
    assert result.score == result.scores.values[metrics[0].card.name]
    assert result.chance == result.baselines.values[metrics[0].card.name]
    assert sum(result.block_sizes) == result.n_test == 30
    assert len(result.scores.without[metrics[0].card.name]) == len(result.block_sizes) > 1


def test_the_recipe_of_a_strategy_reaches_its_models(tmp_path: Path) -> None:
    firm = PROBE.model_copy(update={"penalties": (5.0,)})
    [output] = run_toy(tmp_path, toy_cell(firm))
    assert isinstance(output.outcome, Result), output.outcome.traceback
    assert output.outcome.penalty == 5.0
    assert 5.0 not in QUICK["penalties"]
