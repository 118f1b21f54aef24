"""The row `probe_sweep_peer`: the probe sweep as tutorials write it, over ours.

The peer freezes the backbone, puts a linear head on it, and runs the whole network on every batch of every epoch: a
plain PyTorch loop with a `DataLoader` of 32 shuffled examples, Adam on the head, 10 epochs, one fit for each budget
and seed, scored once on the test split. Texts are padded batch by batch by `DataCollatorWithPadding`, and the network
is transformers' `AutoModel` with mean pooling; pictures go through the timm network as it is. It chooses no penalty;
ours cross-validates its own inside the sweep.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, Final

import torch
from torch import nn
from torch.utils.data import DataLoader, Subset

from benchmarks import ours
from benchmarks.harness import Settings, medians, ratio, side_by_side, stopwatch
from benchmarks.peers import MiniLM, Pictures, Tokens, frozen, read_pictures, read_texts
from benchmarks.probe_sweep import SEEDS, sweep, sweep_budgets
from benchmarks.table import Row, Target

EPOCHS: Final = 10
BATCH: Final = 32
REPETITIONS: Final = 3
"""A pair takes long, and its ratio is so far from its target that more say nothing new."""


def measure(settings: Settings) -> Iterator[Row]:
    """Yield a row for a text task and one for pictures."""
    for task, target in (("lexicon", Target(40, at_most=False)), ("digits", None)):
        ready, budgets = ours.material(task), sweep_budgets(settings)
        drawn = [
            ready.rows(planned.cell.budget, seed=0)
            for planned in ours.plan(tasks=[task], strategies=["linear_probe"], budgets=budgets, seeds=1)
        ]
        peer = Peer(ready, settings.device)
        sides = {
            "peer": partial(peer.sweep, [rows.tolist() for rows in drawn]),
            "ours": partial(sweep, ready, SEEDS, budgets, settings.device),
        }
        seconds = side_by_side(sides, repetitions=settings.repetitions(REPETITIONS))
        yield Row(
            name=f"probe_sweep_peer {task}",
            compares="frozen loop / ours",
            value=ratio(seconds, "peer", "ours"),
            target=target,
            note=f"{medians(seconds)}. Of the peer one epoch of each budget and one test pass of seed 0 are measured, "
            f"then scaled to {EPOCHS} epochs, {len(drawn)} budgets and {SEEDS} seeds.",
        )


class Peer:
    """The tutorial's loop on one task."""

    def __init__(self, ready: ours.Material, device: str) -> None:
        self._device = device
        self._width, self._outputs = ready.backbone.card.width, ready.classes
        labels, test_labels = ready.train_labels.tolist(), ready.test_labels.tolist()
        self._train: Any
        self._test: Any
        self._collate: Any = None
        self._read: Any = read_pictures
        if ready.train.mask is None:
            self._network = frozen(ours.timm_network(ready), device)
            self._train, self._test = Pictures(ready.train.values, labels), Pictures(ready.test.values, test_labels)
        else:
            tokens, (train, test) = Tokens(), ready.strings()
            self._network = frozen(MiniLM(), device)
            self._train, self._test = tokens.examples(train, labels), tokens.examples(test, test_labels)
            self._collate, self._read = tokens.collate, read_texts

    def sweep(self, budgets: Sequence[Sequence[int]]) -> float:
        """Return the seconds that all fits would take, scaled from a part of them."""
        head = nn.Linear(self._width, self._outputs).to(self._device)
        optimizer = torch.optim.Adam(head.parameters(), lr=1e-3)
        epochs = sum(stopwatch(partial(self._epoch, rows, head, optimizer), self._device) for rows in budgets)
        test = stopwatch(partial(self._score, head), self._device)
        return SEEDS * (EPOCHS * epochs + len(budgets) * test)

    def _epoch(self, rows: Sequence[int], head: nn.Linear, optimizer: torch.optim.Optimizer) -> None:
        loss_of = nn.CrossEntropyLoss()
        for batch in DataLoader(Subset(self._train, rows), batch_size=BATCH, shuffle=True, collate_fn=self._collate):
            inputs, labels = self._read(batch, self._device)
            with torch.no_grad():
                features = self._network(*inputs)
            loss = loss_of(head(features), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    def _score(self, head: nn.Linear) -> float:
        right = 0
        with torch.no_grad():
            for batch in DataLoader(self._test, batch_size=BATCH, collate_fn=self._collate):
                inputs, labels = self._read(batch, self._device)
                right += int((head(self._network(*inputs)).argmax(1) == labels).sum())
        return right / len(self._test)
