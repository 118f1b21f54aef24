"""Owns the row `trainer`: full fine-tuning of MiniLM by transformers' `Trainer`, over the same cell of ours.

The peer's model is MiniLM with mean pooling and a linear head, from the same files. `Trainer` gets what its
documentation recommends: `DataCollatorWithPadding`, its default optimiser (fused AdamW), the cosine schedule with a
tenth of warm-up, no evaluation, saving, logging or reporting while it trains, and float32, its default. Steps, batch
size and label budget are those of our cell. Its learning rate is the best of 5e-5, 1e-4, 2e-4 and 4e-4 on this task.
Both sides start from weights read and texts tokenised, and end with the test split predicted.
"""

import copy
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import torch
from torch import nn

from benchmarks import ours
from benchmarks.agreement import Accuracies
from benchmarks.harness import Seconds, Settings, Side, has_bfloat16, medians, ratio, side_by_side, stopwatch
from benchmarks.peers import Tokens, accuracy
from benchmarks.quiet_trainer import Classifier, quiet_trainer
from benchmarks.table import Row, Target

FRACTION: Final = 0.3
QUICK_FRACTION: Final = 0.03
LEARNING_RATE: Final = 1e-4
EVALUATION_BATCH: Final = 64
REPETITIONS: Final = 3
TARGET: Final = Target(1.6, at_most=False)


def measure(settings: Settings) -> Iterator[Row]:
    """Yield a row for our cell alone, one for the same cell in a sweep, and one for `Trainer` in bfloat16."""
    ready = ours.material("lexicon")
    fraction = QUICK_FRACTION if settings.quick else FRACTION
    peers = {"peer": Peer(ready, fraction, settings.device, bf16=False)}
    if has_bfloat16(settings.device):
        peers["peer in bf16"] = Peer(ready, fraction, settings.device, bf16=True)
    cells = {
        "ours": OurCell(ready, fraction, settings.device, kept=False),
        "ours in a sweep": OurCell(ready, fraction, settings.device, kept=True),
    }
    sides: dict[str, Side] = {name: side.train for name, side in (peers | cells).items()}
    seconds = side_by_side(sides, repetitions=settings.repetitions(REPETITIONS))
    scores = {
        name: Accuracies(peer.accuracy, cells["ours"].accuracy, len(ready.splits.test)) for name, peer in peers.items()
    }
    yield from _rows(seconds, scores)


def _rows(seconds: Seconds, scores: Mapping[str, Accuracies]) -> Iterator[Row]:
    notes = {
        "trainer": ("peer", "ours", f"our cell alone, cold cache; {scores['peer']}; {medians(seconds)}."),
        "trainer, in a sweep": (
            "peer",
            "ours in a sweep",
            "our cell after the linear probe of the same budget, as in every suite: activations and head are kept.",
        ),
        "trainer, bf16": ("peer in bf16", "ours", f"`bf16=True`; {scores.get('peer in bf16', '')}."),
    }
    for name, (peer, our, note) in notes.items():
        if peer in seconds:
            target = TARGET if peer == "peer" else None
            value = ratio(seconds, peer, our)
            agree = scores[peer].agree
            yield Row(name=name, compares="Trainer / ours", value=value, target=target, agree=agree, note=note)


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
        recipe = our_cells(fraction, "full")[0].strategy.recipe
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
    """The product's cell; with `kept`, the probe of its budget has run before."""

    def __init__(self, ready: ours.Material, fraction: float, device: str, *, kept: bool) -> None:
        self._ready, self._fraction, self._device, self._kept = ready, fraction, device, kept
        self.accuracy = float("nan")

    def train(self) -> float:
        """Return the seconds of the cell; `accuracy` is what it scored."""
        with tempfile.TemporaryDirectory() as folder:
            if self._kept:
                self._run("linear_probe", Path(folder))
            return stopwatch(lambda: self._run("full", Path(folder)), self._device)

    def _run(self, strategy: str, folder: Path) -> None:
        cells = our_cells(self._fraction, strategy)
        self.accuracy = ours.run(cells, self._ready, folder=folder, device=self._device)[0].score


def our_cells(fraction: float, strategy: str) -> Sequence[ours.PlannedCell]:
    """Return the one cell of a strategy at this fraction."""
    return ours.plan(tasks=["lexicon"], strategies=[strategy], fractions=[fraction], seeds=1)
