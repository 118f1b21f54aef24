"""Owns the row `trainer`: full fine-tuning of MiniLM by transformers' `Trainer`, over the same cell of ours.

The peer's model is MiniLM with mean pooling and a linear head, from the same files. `Trainer` gets what its
documentation recommends: `DataCollatorWithPadding`, its default optimiser (fused AdamW), the cosine schedule with a
tenth of warm-up, no evaluation, saving, logging or reporting while it trains. It is run in float32, its default, and in
bfloat16 (`bf16=True`) where the processor has such products; the faster of the two is what ours is held against. Steps,
batch size and label budget are those of our cell, and our cell has the peer's recipe: a head of zeros and one learning
rate for all layers, which is the best of 5e-5, 1e-4, 2e-4 and 4e-4 for the peer on this task. Both sides start from
weights read and texts tokenised, and end with the test split predicted. Every turn has a seed and a label budget of its
own, since another order of the same batches moves the accuracy by about a standard error; means over the turns are
compared.
"""

import copy
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean, median
from typing import Final

import torch
from torch import nn

from benchmarks import ours
from benchmarks.agreement import Accuracies
from benchmarks.harness import Settings, Side, has_bfloat16, medians, ratio, side_by_side, stopwatch
from benchmarks.peers import Tokens, accuracy
from benchmarks.quiet_trainer import Classifier, quiet_trainer
from benchmarks.table import Row, Target

FRACTION: Final = 0.3
QUICK_FRACTION: Final = 0.03
LEARNING_RATE: Final = 1e-4
EVALUATION_BATCH: Final = 64
REPETITIONS: Final = 3
RECIPE: Final = {
    "head": "zero",
    "layer_decay": 1.0,
    "learning_rate": LEARNING_RATE,
    "head_learning_rate": LEARNING_RATE,
}
TARGET: Final = Target(1.6, at_most=False)


def measure(settings: Settings) -> Iterator[Row]:
    """Yield a row for `Trainer` in its faster precision, and one for it in the other."""
    ready = ours.material("lexicon")
    fraction = QUICK_FRACTION if settings.quick else FRACTION
    peers = {"float32": Peer(ready, fraction, settings.device, bf16=False)}
    if has_bfloat16(settings.device):
        peers["bfloat16"] = Peer(ready, fraction, settings.device, bf16=True)
    cell = OurCell(ready, fraction, settings.device)
    sides: dict[str, Side] = {name: peer.train for name, peer in peers.items()}
    seconds = side_by_side({**sides, "ours": cell.train}, repetitions=settings.repetitions(REPETITIONS))
    faster = min(peers, key=lambda precision: median(seconds[precision]))
    for precision in sorted(peers, key=lambda precision: precision != faster):
        peer, held = peers[precision], precision == faster
        scores = Accuracies(fmean(peer.accuracies), fmean(cell.accuracies), len(ready.splits.test))
        yield Row(
            name="trainer" if held else f"trainer, {precision}",
            compares="Trainer / ours",
            value=ratio(seconds, precision, "ours"),
            target=TARGET if held else None,
            agree=scores.agree,
            note=f"Trainer in {precision}{', its faster precision' * held}; {scores}; {medians(seconds)}.",
        )


class Peer:
    """`Trainer` on the label budget of our cell."""

    def __init__(self, ready: ours.Material, fraction: float, device: str, *, bf16: bool) -> None:
        tokens, (train, test) = Tokens(), ready.strings()
        self._ready, self._fraction, self._device, self._bf16 = ready, fraction, device, bf16
        self._train = tokens.examples(train, ready.splits.train.labels.tolist())
        self._test = tokens.examples(test, ready.splits.test.labels.tolist())
        self._collate, self._start = tokens.collate, Classifier(ready.task.target.width)
        self.accuracies: list[float] = []

    def train(self) -> float:
        """Return the seconds of training and predicting the test split, with the next seed."""
        model, seed = copy.deepcopy(self._start), len(self.accuracies)
        with tempfile.TemporaryDirectory() as folder:
            return stopwatch(lambda: self._work(model, seed, folder), self._device)

    def _work(self, model: nn.Module, seed: int, folder: str) -> None:
        rows = self._ready.budget(fraction=self._fraction, seed=seed)
        recipe = our_cell(self._fraction, seed).strategy.recipe
        trainer = quiet_trainer(
            model,
            [self._train[row] for row in rows],
            self._collate,
            output_dir=folder,
            use_cpu=self._device == "cpu",
            bf16=self._bf16,
            seed=seed,
            max_steps=recipe.steps(len(rows)),
            per_device_train_batch_size=recipe.batch_size,
            per_device_eval_batch_size=EVALUATION_BATCH,
            learning_rate=LEARNING_RATE,
        )
        trainer.train()
        found = trainer.predict(self._test)
        self.accuracies.append(accuracy(torch.as_tensor(found.predictions), found.label_ids))


class OurCell:
    """The product's cell, from an empty cache."""

    def __init__(self, ready: ours.Material, fraction: float, device: str) -> None:
        self._ready, self._fraction, self._device = ready, fraction, device
        self.accuracies: list[float] = []

    def train(self) -> float:
        """Return the seconds of the cell, with the next seed."""
        cell = our_cell(self._fraction, len(self.accuracies))
        with tempfile.TemporaryDirectory() as folder:
            return stopwatch(lambda: self._run(cell, Path(folder)), self._device)

    def _run(self, cell: ours.PlannedCell, folder: Path) -> None:
        self.accuracies.append(ours.run([cell], self._ready, folder=folder, device=self._device)[0].score)


def our_cell(fraction: float, seed: int) -> ours.PlannedCell:
    """Return the cell of full fine-tuning at this fraction, with the peer's recipe."""
    cells = ours.plan(tasks=["lexicon"], strategies=["full"], fractions=[fraction], seeds=seed + 1)
    return ours.with_recipe(cells[seed], **RECIPE)
