"""The row `trainer_throughput`: MiniLM fully fine-tuned on sentences on a GPU, `Trainer` over ours.

Both train on the same drawn sentences in batches of 32 and in bfloat16 (`bf16=True`), for as many steps; ours by the
product's loop. Seconds per step are compared: their ratio is that of the throughputs. Tokenising is outside both.
"""

import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

import numpy as np
import torch

from benchmarks import ours
from benchmarks.harness import Settings, medians, ratio, side_by_side, stopwatch
from benchmarks.peers import Example, Tokens
from benchmarks.quiet_trainer import Classifier, quiet_trainer
from benchmarks.table import Row, Target

SENTENCES: Final = 8192
LENGTHS: Final = (8, 32)  # words in a sentence
STEPS: Final = 200
QUICK_STEPS: Final = 20
REPETITIONS: Final = 5
TARGET: Final = Target(2, at_most=False)


def measure(settings: Settings) -> Iterator[Row]:
    """Yield the row."""
    steps = QUICK_STEPS if settings.quick else STEPS
    strings, labels = sentences()
    tokens = Tokens()
    examples = tokens.examples(strings, labels.tolist())
    start = ours.text_classifier(strings, labels, classes=2, device=settings.device)
    seconds = side_by_side(
        {
            "peer": partial(peer_steps, examples, tokens, start.recipe.batch_size, steps, settings.device),
            "ours": partial(our_steps, start, steps, settings.device),
        },
        repetitions=settings.repetitions(REPETITIONS),
        warm_up=True,
    )
    yield Row(
        name="trainer_throughput",
        compares="Trainer / ours per step",
        value=ratio(seconds, "peer", "ours"),
        target=TARGET,
        note=f"{steps} steps of {start.recipe.batch_size} sentences of {LENGTHS[0]} to {LENGTHS[1]} words; "
        f"{medians(seconds)}.",
    )


def sentences() -> tuple[Sequence[str], torch.Tensor]:
    """Return drawn sentences, each of words of `lexicon`, and drawn labels."""
    words, _ = ours.material("lexicon").strings()
    generator = np.random.default_rng(0)
    lengths = generator.integers(LENGTHS[0], LENGTHS[1], size=SENTENCES, endpoint=True)
    drawn = [" ".join(words[index] for index in generator.integers(len(words), size=length)) for length in lengths]
    return drawn, torch.from_numpy(generator.integers(2, size=SENTENCES))


def our_steps(start: ours.Trainable, steps: int, device: str) -> float:
    """Return the seconds of so many steps of the product's loop."""
    copied = start.copy()
    return stopwatch(lambda: copied.fit(steps), device)


def peer_steps(examples: Sequence[Example], tokens: Tokens, batch_size: int, steps: int, device: str) -> float:
    """Return the seconds of so many steps of `Trainer`, its set-up not counted."""
    with tempfile.TemporaryDirectory() as folder:
        trainer = quiet_trainer(
            Classifier(2),
            examples,
            tokens.collate,
            output_dir=folder,
            use_cpu=device == "cpu",
            bf16=True,
            max_steps=steps,
            per_device_train_batch_size=batch_size,
            learning_rate=1e-4,
        )
        return stopwatch(trainer.train, device)
