"""The row `dataloader`: full fine-tuning of `bundled:glyphs` in a plain PyTorch loop, over the same cell of ours.

The peer is what most people write: a `Dataset` that yields one picture and its label, a shuffling `DataLoader`, AdamW,
a cosine schedule, float32. It starts from the same prepared pictures and weights, takes as many steps of the same size
on the same label budget, and ends with the test split scored. Its learning rate is the best of 3e-4, 1e-3 and 3e-3.
Ours is the cell alone, from an empty cache.
"""

import tempfile
from collections.abc import Iterator
from functools import partial
from itertools import chain, islice, repeat
from pathlib import Path
from typing import Final

import torch
from torch import nn
from torch.utils.data import DataLoader, Subset

from benchmarks import ours
from benchmarks.agreement import Accuracies
from benchmarks.harness import Settings, medians, ratio, side_by_side, stopwatch
from benchmarks.peers import Pictures, accuracy
from benchmarks.table import Row, Target

BUDGET: Final = ours.ALL
QUICK_BUDGET: Final = ours.Share(0.03)
LEARNING_RATE: Final = 3e-3
EVALUATION_BATCH: Final = 256
REPETITIONS: Final = 5
TARGET: Final = Target(1.3, at_most=False)


def measure(settings: Settings) -> Iterator[Row]:
    """Yield the row."""
    ready = ours.material("digits")
    cell = ours.plan(
        tasks=["digits"],
        strategies=["full"],
        budgets=[QUICK_BUDGET if settings.quick else BUDGET],
        seeds=1,
    )[0]
    scores: dict[str, float] = {}
    seconds = side_by_side(
        {
            "peer": partial(train_peer, ready, cell, settings.device, scores),
            "ours": partial(train_ours, ready, cell, settings.device, scores),
        },
        repetitions=settings.repetitions(REPETITIONS),
        warm_up=not settings.quick,
    )
    both = Accuracies(scores["peer"], scores["ours"], len(ready.split.test))
    yield Row(
        name="dataloader",
        compares="DataLoader loop / ours",
        value=ratio(seconds, "peer", "ours"),
        target=TARGET,
        note=f"{both}; {medians(seconds)}.",
    )


def train_ours(ready: ours.Material, cell: ours.PlannedCell, device: str, scores: dict[str, float]) -> float:
    """Return the seconds of the product's cell and keep its accuracy."""
    with tempfile.TemporaryDirectory() as folder:
        found: list[ours.Result] = []
        seconds = stopwatch(lambda: found.extend(ours.run([cell], ready, folder=Path(folder), device=device)), device)
    scores["ours"] = found[0].score
    return seconds


def train_peer(ready: ours.Material, cell: ours.PlannedCell, device: str, scores: dict[str, float]) -> float:
    """Return the seconds of the plain loop and keep its accuracy."""
    recipe, rows = ours.recipe_of(cell), ready.rows(cell.cell.budget, seed=cell.cell.seed)
    train = Subset(Pictures(ready.train.values, ready.train_labels.tolist()), rows.tolist())
    labels = ready.test_labels.tolist()
    network = nn.Sequential(ours.timm_network(ready), nn.Linear(ready.backbone.card.width, ready.classes)).to(device)
    outputs: list[torch.Tensor] = []

    def work() -> None:
        loader = DataLoader(train, batch_size=min(recipe.batch_size, len(train)), shuffle=True)
        fit(network, loader, recipe.steps(len(rows)), device)
        outputs.append(predict(network, Pictures(ready.test.values, labels), device))

    seconds = stopwatch(work, device)
    scores["peer"] = accuracy(outputs[0], labels)
    return seconds


def fit(network: nn.Module, loader: DataLoader[tuple[torch.Tensor, int]], steps: int, device: str) -> None:
    """Train in place."""
    optimizer = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    loss_of = nn.CrossEntropyLoss()
    network.train()
    for pictures, labels in islice(chain.from_iterable(repeat(loader)), steps):
        loss = loss_of(network(pictures.to(device)), labels.to(device))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()


def predict(network: nn.Module, pictures: Pictures, device: str) -> torch.Tensor:
    """Return the outputs [n, classes]."""
    network.eval()
    with torch.no_grad():
        return torch.cat([network(batch.to(device)) for batch, _ in DataLoader(pictures, batch_size=EVALUATION_BATCH)])
