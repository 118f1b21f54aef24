"""Owns the row `trainer`: full fine-tuning of MiniLM by transformers' `Trainer`, over the same cell of ours.

The peer's model is MiniLM with mean pooling and a linear head, from the same files. `Trainer` gets what its
documentation recommends: `DataCollatorWithPadding`, its default optimiser (fused AdamW), the cosine schedule with a
tenth of warm-up, no evaluation, saving, logging or reporting while it trains, and float32, its default. Steps, batch
size and label budget are those of our cell, and our cell has the peer's recipe: a head of zeros and one learning rate
for all layers, which is the best of 5e-5, 1e-4, 2e-4 and 4e-4 for the peer on this task. Both sides start from weights
read and texts tokenised, and end with the test split predicted.
"""

import copy
import tempfile
from collections.abc import Iterator
from pathlib import Path
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
    """Yield a row for `Trainer` as it is, and one for it in bfloat16."""
    ready = ours.material("lexicon")
    fraction = QUICK_FRACTION if settings.quick else FRACTION
    peers = {"trainer": Peer(ready, fraction, settings.device, bf16=False)}
    if has_bfloat16(settings.device):
        peers["trainer, bf16"] = Peer(ready, fraction, settings.device, bf16=True)
    cell = OurCell(ready, fraction, settings.device)
    sides: dict[str, Side] = {name: peer.train for name, peer in peers.items()}
    seconds = side_by_side({**sides, "ours": cell.train}, repetitions=settings.repetitions(REPETITIONS))
    for name, peer in peers.items():
        scores = Accuracies(peer.accuracy, cell.accuracy, len(ready.splits.test))
        yield Row(
            name=name,
            compares="Trainer / ours",
            value=ratio(seconds, name, "ours"),
            target=TARGET if name == "trainer" else None,
            agree=scores.agree,
            note=f"{scores}; {medians(seconds)}.",
        )


class Peer:
    """`Trainer` on the label budget of our cell."""

    def __init__(self, ready: ours.Material, fraction: float, device: str, *, bf16: bool) -> None:
        tokens, (train, test) = Tokens(), ready.strings()
        rows = ready.budget(fraction=fraction, seed=0)
        examples = tokens.examples(train, ready.splits.train.labels.tolist())
        self._train = [examples[row] for row in rows]
        self._test = tokens.examples(test, ready.splits.test.labels.tolist())
        self._collate, self._device, self._bf16 = tokens.collate, device, bf16
        self._start = Classifier(ready.task.target.width)
        recipe = our_cell(fraction).strategy.recipe
        self._steps, self._batch_size = recipe.steps(len(rows)), recipe.batch_size
        self.accuracy = float("nan")

    def train(self) -> float:
        """Return the seconds of training and predicting the test split; `accuracy` is what it scored."""
        model = copy.deepcopy(self._start)
        with tempfile.TemporaryDirectory() as folder:
            return stopwatch(lambda: self._work(model, folder), self._device)

    def _work(self, model: nn.Module, folder: str) -> None:
        trainer = quiet_trainer(
            model,
            self._train,
            self._collate,
            output_dir=folder,
            use_cpu=self._device == "cpu",
            bf16=self._bf16,
            max_steps=self._steps,
            per_device_train_batch_size=self._batch_size,
            per_device_eval_batch_size=EVALUATION_BATCH,
            learning_rate=LEARNING_RATE,
        )
        trainer.train()
        found = trainer.predict(self._test)
        self.accuracy = accuracy(torch.as_tensor(found.predictions), found.label_ids)


class OurCell:
    """The product's cell, from an empty cache."""

    def __init__(self, ready: ours.Material, fraction: float, device: str) -> None:
        self._ready, self._cell, self._device = ready, our_cell(fraction), device
        self.accuracy = float("nan")

    def train(self) -> float:
        """Return the seconds of the cell; `accuracy` is what it scored."""
        with tempfile.TemporaryDirectory() as folder:
            return stopwatch(lambda: self._run(Path(folder)), self._device)

    def _run(self, folder: Path) -> None:
        self.accuracy = ours.run([self._cell], self._ready, folder=folder, device=self._device)[0].score


def our_cell(fraction: float) -> ours.PlannedCell:
    """Return the cell of full fine-tuning at this fraction, with the peer's recipe."""
    [planned] = ours.plan(tasks=["lexicon"], strategies=["full"], fractions=[fraction], seeds=1)
    return ours.with_recipe(planned, **RECIPE)
