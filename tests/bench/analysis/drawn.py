"""Results folders whose curves are given by hand: scores by strategy and seed, one task of pictures."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np

from bench.analysis.curves import Curves, find_curves
from bench.analysis.tables import Tables, read_tables
from bench.budget import Asked, Share
from bench.cell import Cell
from bench.results.manifest import Manifest, StrategyEntry, TaskEntry
from bench.results.store import Store
from tests.bench.analysis.example import BACKBONES, BLOCKS, PREDICTIONS, STRATEGIES, TASKS, result, scored

ENTRIES: Final = {
    "scratch": STRATEGIES["scratch"],
    "classical": StrategyEntry(name="classical", kind="classical", start="nothing", trained_fraction=0.0),
    "linear_probe": STRATEGIES["linear_probe"],
    "partial": StrategyEntry(name="partial", kind="finetune", start="pretrained", trained_fraction=0.5),
    "full": STRATEGIES["full"],
}
LABELS: Final = (10, 100, 1000, 10_000, 100_000)
CHANCE: Final = 0.1

Scores = Mapping[str, Sequence[Sequence[float]]]  # by strategy: budgets of seeds


def as_share(amount: int) -> Asked:
    """Return the share that asks for this many of the labels."""
    return Share(amount / LABELS[-1])


def drawn_tables(
    root: Path,
    scores: Scores,
    *,
    entry: TaskEntry = TASKS["pictures"],
    chance: float = CHANCE,
    ask: Callable[[int], Asked] = as_share,
    labels: Sequence[int] = LABELS,
    moved: Mapping[str, Sequence[float]] = MappingProxyType({}),
) -> Tables:
    """Return the tables of a folder with these scores at 10, 100, ... labels, which `ask` says how to ask for.

    A score of nan is a cell not run. `moved` has by strategy by how much its scores are higher without each test block;
    of others no block moves them.
    """
    rows = {
        Cell("pictures", "bundled:eyes", strategy, ask(amount), seed): (amount, score)
        for strategy, budgets in scores.items()
        for amount, seeds in zip(labels, budgets, strict=False)
        for seed, score in enumerate(seeds)
    }
    keys = {cell: f"{number:024x}" for number, cell in enumerate(rows)}
    store = Store(root)
    strategies = {name: one for name, one in ENTRIES.items() if name in scores}
    store.extend(
        Manifest(
            suite="drawn",
            tasks={"pictures": entry},
            backbones={"bundled:eyes": BACKBONES["bundled:eyes"]},
            strategies=strategies,
            cells=keys,
        )
    )
    for cell, (amount, score) in rows.items():
        if not np.isnan(score):
            one = replace(result(cell, keys[cell], score), amount=amount)
            one = scored(one, score, chance, entry)
            if steps := moved.get(cell.strategy):
                without = {entry.metric.name: tuple(score + step for step in steps)}
                one = replace(one, scores=replace(one.scores, without=without), block_sizes=BLOCKS[: len(steps)])
            store.put(one, PREDICTIONS)
    return read_tables(store)


def drawn_curves(
    root: Path,
    scores: Scores,
    *,
    entry: TaskEntry = TASKS["pictures"],
    chance: float = CHANCE,
    moved: Mapping[str, Sequence[float]] = MappingProxyType({}),
) -> Curves:
    """Return the curves of a folder with these scores."""
    return find_curves(drawn_tables(root, scores, entry=entry, chance=chance, moved=moved))["pictures"][0]


def around(*means: float, spread: float = 0.01, shift: int = 0) -> list[list[float]]:
    """Return five seeds about each mean; `shift` turns the seeds, so that two curves do not move alike."""
    steps = np.roll(np.array([-1.0, -0.5, 0.0, 0.5, 1.0]), shift) * spread
    return [[mean + float(step) for step in steps] for mean in means]
