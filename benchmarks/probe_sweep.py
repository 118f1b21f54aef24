"""The row `probe_sweep`: every linear probe of a task over the one forward pass that none of them can do without.

Ours: the cells of all budgets and seeds through engine, runner and store, with an empty cache. Floor: the backbone
called on all training and test examples, sorted by length, in inference mode. Both start from data loaded, weights
read and inputs prepared (tokenised).
"""

import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import torch

from benchmarks import ours
from benchmarks.harness import Settings, medians, ratio, side_by_side, stopwatch
from benchmarks.table import Row, Target

SEEDS: Final = 3
REPETITIONS: Final = 5
ASKED: Final = (
    ("lexicon", SEEDS, Target(1.25, at_most=True)),
    ("lexicon", 30, Target(1.6, at_most=True)),
    ("digits", SEEDS, None),
    ("spoken-digits", SEEDS, None),
)


def measure(settings: Settings) -> Iterator[Row]:
    """Yield a row for each sweep."""
    for task, seeds, target in ASKED:
        ready = ours.material(task)
        budgets = sweep_budgets(settings)
        sides = {
            "floor": partial(forward_pass, ready, settings.device),
            "ours": partial(sweep, ready, seeds, budgets, settings.device),
        }
        seconds = side_by_side(sides, repetitions=settings.repetitions(REPETITIONS), warm_up=not settings.quick)
        n_cells = len(ours.plan(tasks=[task], strategies=["linear_probe"], budgets=budgets, seeds=seeds))
        yield Row(
            name=f"probe_sweep {task}" + (f" x{seeds}" if seeds != SEEDS else ""),
            compares="ours / one forward pass",
            value=ratio(seconds, "ours", "floor"),
            target=target,
            note=f"{seeds} seeds, {n_cells} cells, cold cache; {medians(seconds)}. "
            "Loading and tokenising are outside both.",
        )


def sweep_budgets(settings: Settings) -> Sequence[ours.Asked]:
    """Return the label budgets of a sweep; none named means all of `bench.toml`."""
    return (ours.Share(0.03), ours.Share(0.1)) if settings.quick else ()


def sweep(ready: ours.Material, seeds: int, budgets: Sequence[ours.Asked], device: str) -> float:
    """Return the seconds of all probes of a task, from an empty cache."""
    cells = ours.plan(tasks=[ready.name], strategies=["linear_probe"], budgets=budgets, seeds=seeds)
    with tempfile.TemporaryDirectory() as folder:
        return stopwatch(lambda: ours.run(cells, ready, folder=Path(folder), device=device), device)


def forward_pass(ready: ours.Material, device: str) -> float:
    """Return the seconds of one pass over both splits."""
    ready.backbone.to(device).eval()
    splits = [split.to(torch.device(device)) for split in (ready.train, ready.test)]
    orders = [
        torch.arange(len(split)) if split.lengths is None else split.lengths.argsort(stable=True) for split in splits
    ]

    def work() -> None:
        for split, order in zip(splits, orders, strict=True):
            for rows in order.split(ours.CHUNK):
                ready.features(split.take(rows))

    return stopwatch(work, device)
