"""Classical cells in every domain: from their budget alone, the same each time, and without a backbone."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bench.backbone import Backbone
from bench.card import TaskCard
from bench.cell import FROZEN, Cell, Result
from bench.config.data import DataSpec
from bench.domain import Images, Indices, Raw, Texts, Waveforms, Windows
from bench.execution.engine import Engine
from bench.execution.runner import pending_cells
from bench.execution.scored import Scored
from bench.planning.plan import PlannedCell, cell_key, pack_cells
from bench.results.store import Store
from bench.runtime.cache import Cache
from bench.strategy import Recipe, Strategy
from bench.target import Classes, Horizon, Labels, Target
from bench.task import Examples, Splits, Task, fingerprint
from tests.toys import PROBE, ToyBackbone

CLASSICAL = Strategy("classical", depth=0.0, pretrained=False, recipe=Recipe(), classical=True)
N = 48
STEPS = 6


def pictures(generator: np.random.Generator) -> Raw:
    """Return stripes to either side: the class is the orientation."""
    grey = generator.integers(0, 160, size=(N, 12, 12, 1))
    grey[::2, ::3] += 90
    grey[1::2, :, ::3] += 90
    return Images(grey.astype(np.uint8))


def texts(generator: np.random.Generator) -> Raw:
    words = generator.integers(2, 30, size=(N, 4))
    return Texts(tuple(" ".join(f"w{word}" for word in (row % 2, *some)) for row, some in enumerate(words)))


def recordings(generator: np.random.Generator) -> Raw:
    times = np.arange(2_000) / 8_000
    tones = np.sin(2 * np.pi * np.where(np.arange(N) % 2, 1_500, 500)[:, None] * times)
    return Waveforms((3_000 * tones + generator.normal(0, 2_000, size=tones.shape)).astype(np.int16), 8_000)


def windows(generator: np.random.Generator) -> Raw:
    values = np.tile([3.0, -1.0, 0.0, -2.0], 12) + generator.normal(0, 0.1, size=(N, 48))
    return Windows(values.astype(np.float32)[:, :40], 4, np.ones(N))


DOMAINS = {"vision": pictures, "text": texts, "audio": recordings, "series": windows}


class Ordered(Classes):
    """Classes whose budgets take examples in one order, whatever their labels."""

    def budget_order(self, labels: Labels, generator: np.random.Generator) -> Indices:
        return np.array([0, 1, *range(4, len(labels)), 2, 3])  # two are in no budget but the largest


class SmallTask(Task):
    """Two classes that alternate, or a cycle that goes on."""

    def __init__(self, make: Callable[[np.random.Generator], Raw], *, mislabelled: int = -1) -> None:
        """`mislabelled` is the training example whose label is another."""
        raw = make(np.random.default_rng(0))
        labels: Labels = np.arange(N, dtype=np.int64) % 2
        self.target: Target = Classes(("even", "odd"))
        if isinstance(raw, Windows):
            self.target = Horizon(STEPS)
            labels = np.tile([3.0, -1.0, 0.0, -2.0, 3.0, -1.0], (N, 1)).astype(np.float32)
        everything = Examples(raw, labels)
        self.splits = Splits(everything.take(np.arange(N // 2)), everything.take(np.arange(N // 2, N)))
        if mislabelled >= 0:
            self.splits.train.labels[mislabelled] = 1 - self.splits.train.labels[mislabelled]
        self.card = TaskCard(
            name="small",
            title="Small",
            domain=raw.domain,
            description="Few examples.",
            source="drawn by the tests",
            licence="none needed",
            citation="none",
            version=1,
            sha256=fingerprint(self.splits),
        )

    def load(self, cache: Cache) -> Splits:
        return self.splits


def planned(task: Task, *, fraction: float = 1.0, seed: int = 0, strategy: Strategy = CLASSICAL) -> PlannedCell:
    cell = Cell("small", "toy:dense", strategy.name, fraction, seed)
    key = cell_key(cell, task=task.card, backbone=ToyBackbone().card, strategy=strategy)
    return PlannedCell(cell, DataSpec("small"), task.card.sha256, strategy, key)


def refuse(name: str) -> Backbone:
    raise AssertionError(f"no classical cell needs {name}")


def run(task: Task, folder: Path, *cells: PlannedCell) -> list[Scored]:
    engine = Engine(lambda name, spec, cache: task, refuse, cache=Cache(folder), device="cpu")
    return [scored for pack in pack_cells(cells) for scored in engine.run(pack)]


@pytest.mark.parametrize("domain", DOMAINS)
def test_every_domain_has_a_model_that_beats_chance(domain: str, tmp_path: Path) -> None:
    task = SmallTask(DOMAINS[domain])
    [scored] = run(task, tmp_path, planned(task))
    result = scored.outcome
    assert isinstance(result, Result), result
    better = result.score - result.chance
    assert better > 0.3 if task.target.metric.higher_is_better else better < 0
    assert scored.predictions is not None
    assert scored.predictions.shape == (N // 2, task.target.width)
    assert scored.predictions.dtype == np.float32
    assert (result.n_labels, result.n_test, result.steps, result.losses) == (N // 2, N // 2, 0, ())
    assert result.trainable_parameters == result.total_parameters
    assert (result.total_parameters == 0) == (result.penalty is None) == (domain == "series")
    assert result.training_seconds == 0
    assert result.seconds == result.evaluation_seconds
    assert result.head_seconds + result.frozen_seconds > 0


@pytest.mark.parametrize("domain", DOMAINS)
def test_the_same_cell_has_the_same_predictions_alone_and_after_others(domain: str, tmp_path: Path) -> None:
    task = SmallTask(DOMAINS[domain])
    cell = planned(task, fraction=0.5, seed=1)
    [alone] = run(task, tmp_path / "alone", cell)
    others = [planned(task, fraction=fraction, seed=seed) for fraction in (1.0, 0.5) for seed in (0, 2)]
    *_, after = run(task, tmp_path / "together", *others, cell)
    assert alone.predictions is not None
    assert after.predictions is not None
    np.testing.assert_allclose(after.predictions, alone.predictions, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("domain", ["vision", "text", "audio"])
def test_a_label_outside_the_budget_changes_nothing_and_one_inside_does(domain: str, tmp_path: Path) -> None:
    found = []
    for number, mislabelled in enumerate((-1, 3, 4)):
        task = SmallTask(DOMAINS[domain], mislabelled=mislabelled)
        task.target = Ordered(("even", "odd"))
        [scored] = run(task, tmp_path / str(number), planned(task, fraction=0.5))
        assert isinstance(scored.outcome, Result), scored.outcome
        assert scored.predictions is not None
        found.append((scored.outcome.penalty, scored.predictions))
    (penalty, predictions), (same, alike), (_, other) = found
    assert same == penalty
    np.testing.assert_array_equal(alike, predictions)
    assert np.abs(other - predictions).max() > 1e-3


@pytest.mark.parametrize("domain", ["vision", "audio", "series"])
def test_features_are_made_once_for_all_cells_of_a_task(domain: str, tmp_path: Path) -> None:
    task = SmallTask(DOMAINS[domain])
    cells = [planned(task, fraction=fraction, seed=seed) for fraction in (1.0, 0.5) for seed in (0, 1)]
    outcomes = [scored.outcome for scored in run(task, tmp_path, *cells)]
    works = [{work for work in outcome.shared if work.phase == FROZEN} for outcome in outcomes]  # type: ignore[union-attr]
    assert works[0]
    assert all(work == works[0] for work in works)


def test_classical_cells_of_a_task_are_one_pack_and_probes_another(tmp_path: Path) -> None:
    task = SmallTask(pictures)
    plan = [
        planned(task, fraction=fraction, seed=seed, strategy=strategy)
        for strategy, fractions in ((CLASSICAL, (0.5, 0.25)), (PROBE, (1.0, 0.5)))
        for fraction in fractions
        for seed in (0, 1)
    ]
    packs = pack_cells(pending_cells(plan, Store(tmp_path), {"toy:dense": ToyBackbone().card}))
    assert [[one.cell.strategy for one in pack.cells] for pack in packs] == [["linear_probe"] * 4, ["classical"] * 4]
    fractions = [sorted({fraction for fraction, _ in pack.needs.budgets}) for pack in packs]
    assert fractions == [[0.5, 1.0], [0.25, 0.5]], "neither prepares examples for the other"


def test_budgets_that_are_too_small_to_choose_take_the_default_penalty(tmp_path: Path) -> None:
    task = SmallTask(pictures)
    [scored] = run(task, tmp_path, planned(task, fraction=2 / (N // 2)))
    assert isinstance(scored.outcome, Result)
    assert scored.outcome.penalty == CLASSICAL.recipe.default_penalty
