"""Made-up results folders of any size, for measuring what reading and reporting them costs."""

import math
from collections.abc import Iterator, Mapping
from itertools import islice, product
from pathlib import Path
from typing import Final

import numpy as np

from bench.budget import Share
from bench.card import BackboneCard, TaskCard
from bench.cell import FROZEN, HEAD, LOADING, Cell, Provenance, Result, Scores, Work
from bench.column import dense
from bench.results.manifest import Manifest, StrategyEntry, TaskEntry
from bench.results.store import Store
from bench.targets.classes import Classes

STRATEGIES: Final[Mapping[str, StrategyEntry]] = {
    one.name: one
    for one in (
        StrategyEntry(name="scratch", kind="finetune", start="random", trained_fraction=1.0),
        StrategyEntry(name="linear_probe", kind="probe", start="pretrained", trained_fraction=0.0),
        StrategyEntry(name="partial", kind="finetune", start="pretrained", trained_fraction=0.5),
        StrategyEntry(name="full", kind="finetune", start="pretrained", trained_fraction=1.0),
    )
}
SHARES: Final = (0.01, 0.03, 0.1, 0.3, 1.0)
SEEDS: Final = 20
CELLS_OF_A_TASK: Final = len(STRATEGIES) * len(SHARES) * SEEDS

BACKBONE: Final = "synthetic:eyes"
N_TRAIN: Final = 5_000
N_CLASSES: Final = 10
CHANCE: Final = 1 / N_CLASSES
ACCURACY: Final = "accuracy"
NOISE: Final = 0.01  # deviation of a score over seeds
PROVENANCE: Final = Provenance(bench="0", python="3", torch="2", platform="synthetic", processor="synthetic")


def synthetic_store(root: Path, *, cells: int) -> Store:
    """Return a results folder of `cells` scored cells, made without training; the same scores every time.

    Tasks are added as cells need them, each with 4 strategies, 5 budgets and 20 seeds: 20,000 cells are 50 tasks.
    """
    generator = np.random.default_rng(0)
    names = [f"task-{number:03}" for number in range(math.ceil(cells / CELLS_OF_A_TASK))]
    keys = {cell: f"{number:024x}" for number, cell in enumerate(islice(_cells_of(names), cells))}
    store = Store(root)
    store.extend(
        Manifest(
            suite="synthetic",
            tasks={name: _entry(name) for name in names},
            backbones={BACKBONE: _backbone()},
            strategies=STRATEGIES,
            cells=keys,
        )
    )
    predictions = dense(logit=np.zeros((1, N_CLASSES), dtype=np.float32))
    for cell, key in keys.items():
        store.put(_result(cell, key, noise=NOISE * float(generator.standard_normal())), predictions)
    return store


def _cells_of(tasks: list[str]) -> Iterator[Cell]:
    for task, strategy, share, seed in product(tasks, STRATEGIES, SHARES, range(SEEDS)):
        yield Cell(task, BACKBONE, strategy, Share(share), seed)


def _result(cell: Cell, key: str, *, noise: float) -> Result:
    """Return a result on a learning curve that rises with the logarithm of the labels; pretrained ones start higher."""
    strategy = STRATEGIES[cell.strategy]
    depth = strategy.trained_fraction
    assert isinstance(cell.budget, Share)
    share = cell.budget.of
    start = 0.6 if strategy.start == "pretrained" else 0.2
    rise = (0.25 + 0.1 * depth) * (1 - math.log(share) / math.log(SHARES[0]))
    score = start + rise + noise
    return Result(
        cell=cell,
        key=key,
        amount=round(share * N_TRAIN),
        n_test=1,
        score=score,
        chance=CHANCE,
        penalty=None if depth else 0.1,
        seconds=1.5,
        training_seconds=1.25 if depth else 0.0,
        evaluation_seconds=0.125,
        shared=_shared(cell, key),
        shifted=(),
        losses=(),
        steps=100 if depth else 0,
        trainable_parameters=1_000_000 if depth else 50,
        total_parameters=1_000_050,
        peak_mib=512.0,
        device="cpu",
        precision="float32",
        data_sha256="0" * 64,
        provenance=PROVENANCE,
        scores=Scores({ACCURACY: score}, {ACCURACY: ()}),
        baselines=Scores({ACCURACY: CHANCE}, {ACCURACY: ()}),
        block_sizes=(1,),
    )


def _shared(cell: Cell, key: str) -> tuple[Work, ...]:
    """Return what a cell shares: everyone its loading, all but the deepest frozen activations, a probe its head."""
    depth = STRATEGIES[cell.strategy].trained_fraction
    frozen = Work(FROZEN, f"{cell.task} features at {depth}", 4.0)
    return (
        Work(LOADING, f"{cell.task} and {BACKBONE}", 0.5),
        *([frozen] if depth < 1 else []),
        *([Work(HEAD, key, 0.25)] if depth == 0 else []),
    )


def _entry(name: str) -> TaskEntry:
    target = Classes(tuple(map(str, range(N_CLASSES))))
    (accuracy,) = (metric.card for metric in target.metrics if metric.card.name == ACCURACY)
    return TaskEntry(card=_task(name), metric=accuracy, metrics=(accuracy,), baseline=target.guess, unit=target.unit)


def _task(name: str) -> TaskCard:
    return TaskCard(
        name=name,
        title=f"Synthetic {name}",
        domain="vision",
        description="Made-up scores of a task that does not exist.",
        source="benchmarks/synthetic_store.py",
        licence="none",
        citation="none",
        version=1,
        sha256="0" * 64,
        synthetic=True,
    )


def _backbone() -> BackboneCard:
    return BackboneCard(
        name=BACKBONE,
        title="Synthetic eyes",
        domain="vision",
        description="A backbone that does not exist.",
        source="benchmarks/synthetic_store.py",
        licence="none",
        citation="none",
        sha256="0" * 64,
        parameters=1_000_000,
        width=8,
        stages=("one", "two"),
    )
