"""What is left to learn where fine-tuning starts from a solved head, and the rate that follows it.

AdamW divides a gradient by its own size: where the head already fits, steps are as long as ever, but point nowhere.
Plain gradient descent would hardly move there, since its steps shrink with the loss. This gives that back.
"""

import torch

from bench.backbone import Reader
from bench.budget import Budget
from bench.column import Column
from bench.probing.encoded import as_tensors
from bench.training.context import NetworkContext


def rate_share(remaining: float) -> float:
    """Return the share of its learning rate that a network gets with this share of the loss `remaining`."""
    return min(1.0, remaining)


def remaining_loss(context: NetworkContext, budget: Budget[Column], reader: Reader) -> float:
    """Return the loss of a reader on its budget before the first step, over that of a head that puts out zeros.

    Features are those of the frozen backbone, which are there already: the head was solved on them.
    """
    read = context.features(budget.rows, reader.readout)
    encoded = as_tensors(reader.codec.encode(budget.labels, read.geometry), context.device)
    with torch.inference_mode():
        outputs = reader.head(read.features)
        nothing = tuple(torch.zeros_like(one) for one in outputs)
        begun, prior = (float(reader.objective.loss(one, encoded, read.geometry)) for one in (outputs, nothing))
    return begun / prior if prior > 0 else 0.0
