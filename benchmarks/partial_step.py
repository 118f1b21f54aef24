"""The row `partial_step`: a step of partial fine-tuning over nothing but forward, backward and optimiser.

Ours: the product's loop, with drawing the batch, gathering it, the schedule and the loss's bookkeeping, divided by its
steps. Floor: the same batches lying ready, through the same stages and head in the same precision, and one fused AdamW
over all parameters at one rate.
"""

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

import torch
from torch.nn.functional import cross_entropy

from benchmarks import ours
from benchmarks.harness import Settings, medians, ratio, side_by_side, stopwatch
from benchmarks.table import Row, Target

STEPS: Final = {"lexicon": 60, "digits": 200}
QUICK_STEPS: Final = 10
REPETITIONS: Final = 7
TARGET: Final = Target(1.2, at_most=True)


def measure(settings: Settings) -> Iterator[Row]:
    """Yield a row for each task."""
    for task, usual in STEPS.items():
        steps = QUICK_STEPS if settings.quick else usual
        with tempfile.TemporaryDirectory() as folder:
            start = ours.trainable(ours.material(task), "partial", folder=Path(folder), device=settings.device)
        sides = {
            "floor": partial(bare_steps, start, steps, settings.device),
            "ours": partial(our_steps, start, steps, settings.device),
        }
        seconds = side_by_side(sides, repetitions=settings.repetitions(REPETITIONS), warm_up=True)
        yield Row(
            name=f"partial_step {task}",
            compares="ours / bare step",
            value=ratio(seconds, "ours", "floor"),
            target=TARGET,
            note=f"{steps} steps of {start.recipe.batch_size} examples a turn; {medians(seconds)}.",
        )


def our_steps(start: ours.Trainable, steps: int, device: str) -> float:
    """Return the seconds of so many steps of the product's loop."""
    copied = start.copy()
    return stopwatch(lambda: copied.fit(steps), device)


def bare_steps(start: ours.Trainable, steps: int, device: str) -> float:
    """Return the seconds of the same steps with nothing around them."""
    copied = start.copy()
    copied.stages.train()
    ready = copied.batches(steps)
    parameters = [*copied.stages.parameters(), *copied.head.parameters()]

    def work() -> None:
        optimizer = torch.optim.AdamW(parameters, lr=1e-4, fused=True)
        for batch, labels in ready:
            cross_entropy(copied.outputs(batch).float(), labels).backward()
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)

    return stopwatch(work, device)
