"""Owns made-up results folders of any size, for measuring what reading and reporting them costs."""

import math
from collections.abc import Iterator
from itertools import islice, product
from pathlib import Path
from typing import Final

import numpy as np

from bench.card import BackboneCard, TaskCard
from bench.cell import FROZEN, HEAD, LOADING, Cell, Provenance, Result, Work
from bench.results.manifest import Manifest, StrategyEntry, TaskEntry
from bench.results.store import Store
from bench.target import ACCURACY, Classes

STRATEGIES: Final = {"scratch": (1.0, False), "linear_probe": (0.0, True), "partial": (0.5, True), "full": (1.0, True)}
FRACTIONS: Final = (0.01, 0.03, 0.1, 0.3, 1.0)
SEEDS: Final = 20
CELLS_OF_A_TASK: Final = len(STRATEGIES) * len(FRACTIONS) * SEEDS

BACKBONE: Final = "synthetic:eyes"
N_TRAIN: Final = 5_000
N_CLASSES: Final = 10
CHANCE: Final = 1 / N_CLASSES
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
            tasks={name: TaskEntry(card=_task(name), metric=ACCURACY, label=Classes.label) for name in names},
            backbones={BACKBONE: _backbone()},
            strategies={
                name: StrategyEntry(name=name, depth=depth, pretrained=pretrained)
                for name, (depth, pretrained) in STRATEGIES.items()
            },
            cells=keys,
        )
    )
    predictions = np.zeros((1, N_CLASSES), dtype=np.float32)
    for cell, key in keys.items():
        store.put(_result(cell, key, noise=NOISE * float(generator.standard_normal())), predictions)
    return store


def _cells_of(tasks: list[str]) -> Iterator[Cell]:
    for task, strategy, fraction, seed in product(tasks, STRATEGIES, FRACTIONS, range(SEEDS)):
        yield Cell(task, BACKBONE, strategy, fraction, seed)


def _result(cell: Cell, key: str, *, noise: float) -> Result:
    """Return a result on a learning curve that rises with the logarithm of the labels; pretrained ones start higher."""
    depth, pretrained = STRATEGIES[cell.strategy]
    start = 0.6 if pretrained else 0.2
    rise = (0.25 + 0.1 * depth) * (1 - math.log(cell.fraction) / math.log(FRACTIONS[0]))
    return Result(
        cell=cell,
        key=key,
        n_labels=round(cell.fraction * N_TRAIN),
        n_test=1,
        score=start + rise + noise,
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
    )


def _shared(cell: Cell, key: str) -> tuple[Work, ...]:
    """Return what a cell shares: everyone its loading, all but the deepest frozen activations, a probe its head."""
    depth, _ = STRATEGIES[cell.strategy]
    frozen = Work(FROZEN, f"{cell.task} features at {depth}", 4.0)
    return (
        Work(LOADING, f"{cell.task} and {BACKBONE}", 0.5),
        *([frozen] if depth < 1 else []),
        *([Work(HEAD, key, 0.25)] if depth == 0 else []),
    )


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
