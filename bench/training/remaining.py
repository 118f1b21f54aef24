"""What is left to learn where fine-tuning starts from a solved head.

AdamW divides a gradient by its own size: where a head already fits, steps are as long as ever, but point nowhere, and
the network drifts away from its start. Plain gradient descent would hardly move there, since its steps shrink with the
loss. Below a hundredth of what a head of zeros loses, this gives that back: see `fits` of `bench.training.loop.train`.

A network whose batch norms go by each batch does not begin where its head was solved, on features under the statistics
of pretraining: it has to move first, and keeps its whole rate. (On 40 digits, of the training split alone, it ended .04
and .01 below the probe when its rate followed the loss, and .01 above it when it did not.)
"""

from typing import Final

import torch
from torch import nn

from bench.backbone import Reader
from bench.budget import Budget
from bench.column import Column
from bench.probing.encoded import as_tensors
from bench.strategy import LoopRecipe
from bench.training.context import NetworkContext
from bench.training.loop import BATCH_NORMS

FITS: Final = 0.01
"""A head fits that loses less than this share of what a head of zeros does."""


def loss_of_a_fit(
    context: NetworkContext, budget: Budget[Column], reader: Reader, network: nn.ModuleList, recipe: LoopRecipe
) -> float:
    """Return the loss on a budget below which a solved head counts as one that fits; 0 if none does."""
    by_batch = recipe.batch_norm == "batch" and any(isinstance(module, BATCH_NORMS) for module in network.modules())
    if by_batch:
        return 0.0
    read = context.features(budget.rows, reader.readout)
    encoded = as_tensors(reader.codec.encode(budget.labels, read.geometry), context.device)
    with torch.inference_mode():
        zeros = tuple(torch.zeros_like(one) for one in reader.head(read.features))
        return FITS * float(reader.objective.loss(zeros, encoded, read.geometry))
