"""Classical cells in every domain: from their budget alone, the same each time, and without a backbone."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench.backbone import Backbone
from bench.budget import ALL, NONE, Asked, Budget, Count, Share
from bench.card import TaskCard
from bench.cell import FROZEN, Cell, Failure, Result
from bench.column import Column, dense
from bench.config.data import DataSpec
from bench.context import Context
from bench.domain import Raw
from bench.domains.audio.raw import AudioArray
from bench.domains.series.raw import Windows
from bench.domains.text.raw import Texts
from bench.domains.vision.raw import ImageArray
from bench.errors import DataError
from bench.execution.engine import Engine
from bench.execution.output import CellOutput
from bench.planning.plan import PlannedCell, cell_key, group_into_jobs
from bench.runtime.cache import Cache
from bench.strategies.classical import Classical
from bench.strategy import Seeds, Strategy
from bench.target import Target
from bench.targets.classes import Classes
from bench.targets.forecast import Forecast
from bench.task import Examples, Split, Task, fingerprint
from tests.toys import PROBE, ToyBackbone

CLASSICAL = Classical(name="classical")
N = 48
STEPS = 6
RISE = 0.02  # a step
CYCLE = (3.0, -1.0, 0.0, -2.0)


def pictures(generator: np.random.Generator) -> Raw:
    """Return stripes to either side: the class is the orientation."""
    grey = generator.integers(0, 160, size=(N, 12, 12, 1))
    grey[::2, ::3] += 90
    grey[1::2, :, ::3] += 90
    return ImageArray(grey.astype(np.uint8))


def texts(generator: np.random.Generator) -> Raw:
    words = generator.integers(2, 30, size=(N, 4))
    return Texts(tuple(" ".join(f"w{word}" for word in (row % 2, *some)) for row, some in enumerate(words)))


def recordings(generator: np.random.Generator) -> Raw:
    times = np.arange(2_000) / 8_000
    tones = np.sin(2 * np.pi * np.where(np.arange(N) % 2, 1_500, 500)[:, None] * times)
    return AudioArray((0.1 * tones + generator.normal(0, 0.06, size=tones.shape)).astype(np.float32), 8_000)


def windows(generator: np.random.Generator) -> Raw:
    values = np.tile(CYCLE, 12) + RISE * np.arange(48) + generator.normal(0, 0.1, size=(N, 48))
    return Windows(values[:, :40], 4, np.ones(N))


DOMAINS = {"vision": pictures, "text": texts, "audio": recordings, "series": windows}


class SmallTask(Task):
    """Two classes that alternate, or a cycle that goes on."""

    def __init__(self, make: Callable[[np.random.Generator], Raw], *, groups: bool = False) -> None:
        """With `groups`, every four examples that follow each other are of one."""
        raw = make(np.random.default_rng(0))
        self.target: Target = Classes(("even", "odd"))
        labels: dict[str, Column] = {"class": dense(**{"class": np.arange(N) % 2})}
        facts = None
        if isinstance(raw, Windows):
            self.target = Forecast(STEPS)
            labels = {"future": dense(future=np.tile((*CYCLE, *CYCLE[:2]) + RISE * np.arange(40, 40 + STEPS), (N, 1)))}
            facts = dense(unit=raw.unit, moment=np.arange(N), series=np.zeros(N, dtype=np.int64))
        named = np.array([f"g{row // 4}" for row in range(N)]) if groups else None
        everything = Examples(raw, labels, facts, named)
        self.both = Split(everything.take(np.arange(N // 2)), everything.take(np.arange(N // 2, N)))
        self.card = TaskCard(
            name="small",
            title="Small",
            domain=raw.domain,
            description="Few examples.",
            source="drawn by the tests",
            licence="none needed",
            citation="none",
            version=1,
            sha256=fingerprint(self.both),
        )

    def split(self, fold: int, cache: Cache) -> Split:
        return self.both


def planned(task: Task, *, budget: Asked = ALL, seed: int = 0, strategy: Strategy = CLASSICAL) -> PlannedCell:
    cell = Cell("small", "toy:dense", strategy.name, budget, seed)
    key = cell_key(cell, task=task.card, backbone=ToyBackbone().card, strategy=strategy)
    return PlannedCell(cell, DataSpec("small"), task.card.sha256, strategy, key)


def refuse(name: str) -> Backbone:
    raise AssertionError(f"no classical cell needs {name}")


def run(task: Task, folder: Path, *cells: PlannedCell) -> list[CellOutput]:
    engine = Engine(lambda name, spec, cache: task, refuse, cache=Cache(folder), device="cpu")
    return [output for pack in group_into_jobs(cells) for output in engine.run(pack)]


def predicted(output: CellOutput) -> np.ndarray:
    assert isinstance(output.outcome, Result), output.outcome
    assert output.predictions is not None
    [values] = output.predictions.values.values()
    return values


def context_of(task: SmallTask, folder: Path) -> Context:
    return Context("small", task.target, task.both, needed=np.arange(N // 2), content="small", cache=Cache(folder))


def budget_of(task: SmallTask, rows: Sequence[int]) -> Budget[Column]:
    kept = np.array(rows, dtype=np.int64)
    return Budget(Count(len(rows)), kept, float(len(rows)), task.both.train.labels[task.target.reads].take(kept))


@pytest.mark.parametrize("domain", DOMAINS)
def test_every_domain_has_a_model_that_beats_chance(domain: str, tmp_path: Path) -> None:
    task = SmallTask(DOMAINS[domain])
    [output] = run(task, tmp_path, planned(task))
    result = output.outcome
    assert isinstance(result, Result), result
    better = (result.score - result.chance) * task.target.metrics[0].card.direction
    assert better > (0.3 if domain != "series" else 0)
    assert predicted(output).shape == (N // 2, 2 if domain != "series" else STEPS)
    assert predicted(output).dtype == (np.float32 if domain != "series" else np.float64)
    amount = N // 2 if domain != "series" else N // 2 + STEPS - 1  # of windows that begin a step after each other
    assert (result.amount, result.n_test, result.steps, result.losses) == (amount, N // 2, 0, ())
    assert result.trainable_parameters == result.total_parameters
    assert (result.total_parameters == 0) == (result.penalty is None) == (domain == "series")
    assert result.training_seconds == 0
    assert result.seconds == result.evaluation_seconds
    assert result.head_seconds + result.frozen_seconds > 0


@pytest.mark.parametrize("domain", DOMAINS)
def test_the_same_cell_has_the_same_predictions_alone_and_after_others(domain: str, tmp_path: Path) -> None:
    task = SmallTask(DOMAINS[domain])
    cell = planned(task, budget=Share(0.5), seed=1)
    [alone] = run(task, tmp_path / "alone", cell)
    others = [planned(task, budget=budget, seed=seed) for budget in (ALL, Share(0.5)) for seed in (0, 2)]
    *_, after = run(task, tmp_path / "together", *others, cell)
    np.testing.assert_allclose(predicted(after), predicted(alone), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("domain", ["vision", "text", "audio"])
def test_another_label_in_the_budget_is_another_model(domain: str, tmp_path: Path) -> None:
    task = SmallTask(DOMAINS[domain])
    budget = budget_of(task, range(12))
    labels = budget.labels["class"].copy()
    labels[4] = 1 - labels[4]
    raw = task.both.test.raw
    found = []
    for one in (budget, replace(budget, labels=dense(**{"class": labels}))):
        [model] = CLASSICAL.fit(context_of(task, tmp_path), [one], [Seeds(0, 0)])
        found.append(model.predict(raw)["logit"])
    assert np.abs(found[0] - found[1]).max() > 1e-3


@pytest.mark.parametrize("domain", ["vision", "audio", "series"])
def test_features_are_made_once_for_all_cells_of_a_task(domain: str, tmp_path: Path) -> None:
    task = SmallTask(DOMAINS[domain])
    cells = [planned(task, budget=budget, seed=seed) for budget in (ALL, Share(0.5)) for seed in (0, 1)]
    works = []
    for output in run(task, tmp_path, *cells):
        assert isinstance(output.outcome, Result)
        works.append({work for work in output.outcome.shared if work.phase == FROZEN})
    assert works[0]
    assert all(work == works[0] for work in works)


def test_classical_cells_of_a_task_are_one_pack_and_probes_another() -> None:
    task = SmallTask(pictures)
    plan = [
        planned(task, budget=budget, seed=seed, strategy=strategy)
        for strategy, budgets in ((PROBE, (ALL, Share(0.5))), (CLASSICAL, (Share(0.5), Share(0.25))))
        for budget in budgets
        for seed in (0, 1)
    ]
    jobs = group_into_jobs(plan)
    assert [[one.cell.strategy for one in pack.cells] for pack in jobs] == [["linear_probe"] * 4, ["classical"] * 4]
    needed = [sorted({budget for budget, _ in pack.requirements.budgets}) for pack in jobs]
    assert needed == [[Share(0.5), ALL], [Share(0.25), Share(0.5)]], "neither prepares examples for the other"


def test_budgets_that_are_too_small_to_choose_take_the_default_penalty(tmp_path: Path) -> None:
    task = SmallTask(pictures)
    [output] = run(task, tmp_path, planned(task, budget=Count(2)))
    assert isinstance(output.outcome, Result)
    assert output.outcome.penalty == CLASSICAL.default_penalty


@pytest.mark.parametrize("domain", ["vision", "text"])
def test_folds_keep_groups_together(domain: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task = SmallTask(DOMAINS[domain], groups=True)
    seen = []
    sampling = type(task.target.sampling)
    folds = sampling.folds

    def watch(
        self: object, labels: Column, facts: Column | None, groups: np.ndarray | None, generator: np.random.Generator
    ) -> object:
        seen.append(groups)
        return folds(task.target.sampling, labels, facts, groups, generator)

    monkeypatch.setattr(sampling, "folds", watch)
    [_] = CLASSICAL.fit(context_of(task, tmp_path), [budget_of(task, range(16))], [Seeds(0, 0)])
    [groups] = seen
    assert groups is not None
    assert np.unique(groups, return_inverse=True)[1].tolist() == [row // 4 for row in range(16)]


class Theta(Forecast):
    """A forecast whose classical model has nothing to learn."""

    @property
    def rivals(self) -> tuple[str, ...]:
        return ("theta",)


def test_without_labels_a_model_that_learns_is_refused_and_one_that_does_not_forecasts(tmp_path: Path) -> None:
    small, theta = SmallTask(windows), SmallTask(windows)
    theta.target = Theta(STEPS)
    for name, task, kind in (
        ("vision", SmallTask(pictures), Failure),
        ("series", small, Failure),
        ("theta", theta, Result),
    ):
        [output] = run(task, tmp_path / name, planned(task, budget=NONE))
        assert isinstance(output.outcome, kind), output.outcome
        if isinstance(output.outcome, Failure):
            assert "a budget of 0 has no labels for the classical model to learn from" in output.outcome.reason


def test_a_target_without_a_classical_model_in_its_domain_is_told(tmp_path: Path) -> None:
    task = SmallTask(pictures)
    task.target = Forecast(STEPS)
    with pytest.raises(DataError, match="no classical model that predicts forecast in the domain 'vision'"):
        next(CLASSICAL.fit(context_of(task, tmp_path), [], []))
