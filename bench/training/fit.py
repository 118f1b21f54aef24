"""Owns the one gradient loop: every fine-tuning, every training from scratch and every pretraining runs here."""

import math
from collections.abc import Callable, Iterator
from itertools import tee
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn

from bench.backbone import Batch, run_stages
from bench.domain import Indices
from bench.errors import BenchError
from bench.runtime.arithmetic import Precision
from bench.runtime.precision import autocast
from bench.strategy import Recipe
from bench.target import Target
from bench.training.inputs import Inputs

POOL: Final = 8
STRETCHES: Final = 20  # of steps, whose mean losses are kept

Augment = Callable[[Tensor, torch.Generator], Tensor]
"""From values [n, …] to values of the same shape, seen anew."""


class DivergedError(BenchError):
    """The loss is no number any more."""


def fit(
    stages: nn.ModuleList,
    head: nn.Linear,
    inputs: Inputs,
    encoded: Tensor,
    *,
    target: Target,
    recipe: Recipe,
    steps: int,
    order: np.random.Generator,
    precision: Precision = "float32",
    augment: Augment | None = None,
) -> tuple[float, ...]:
    """Train `stages` and `head` in place on `inputs`, for `steps` steps; return the mean losses of up to 20 stretches.

    Batches are slices of tensors on the device, or are read as they come; `encoded` are the targets [n] or [n, width].
    `augment` sees the values of the lowest stage only. Raises `DivergedError` if the loss becomes infinite or no
    number.
    """
    device = inputs.device
    groups = parameter_groups(stages, head, recipe)
    reordered = in_memory_order(groups)
    optimizer = torch.optim.AdamW(groups, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate_share(step, steps, recipe.warmup))
    views = torch.Generator(device).manual_seed(int(order.integers(2**63)))
    stretches = min(STRETCHES, steps)
    totals = torch.zeros(stretches, device=device)
    set_training(stages, recipe)
    lengths = None if inputs.lengths is None else inputs.lengths.numpy()
    rows = map(torch.from_numpy, batches(len(inputs), recipe.batch_size, steps, order, lengths=lengths))
    drawn, read = tee(rows)
    for step, (indices, batch) in enumerate(zip(drawn, inputs.batches(read), strict=True)):
        if augment is not None:
            batch = Batch(augment(batch.values, views), batch.lengths)  # noqa: PLW2901 (the batch as it is seen)
        wanted = encoded[indices.to(device, non_blocking=True)]
        loss = loss_of(stages, head, batch, wanted, target=target, precision=precision)
        loss.backward()
        for kernel, view in reordered:
            if kernel.grad is not None:
                view.grad, kernel.grad = kernel.grad.permute(0, 2, 3, 1), None
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        schedule.step()
        totals[step * stretches // steps] += loss.detach()
    if not torch.isfinite(totals).all():
        raise DivergedError(
            f"the loss became {float(totals.sum())} within {steps} steps: lower learning_rate or head_learning_rate"
        )
    sizes = np.bincount(np.arange(steps) * stretches // steps)
    return tuple(round(total / size, 6) for total, size in zip(totals.tolist(), sizes.tolist(), strict=True))


def loss_of(
    stages: nn.ModuleList, head: nn.Linear, batch: Batch, encoded: Tensor, *, target: Target, precision: Precision
) -> Tensor:
    """Return the loss of a batch, whose targets are `encoded` [n] or [n, width]; products are in `precision`."""
    with autocast(encoded.device, precision):
        outputs = head(run_stages(stages, batch).values)
    return target.loss(outputs, encoded)


def batches(
    n: int, size: int, steps: int, order: np.random.Generator, *, lengths: Indices | None = None
) -> Iterator[Indices]:
    """Yield `steps` batches of indices below `n`: one shuffled pass after the other, each batch full.

    With the `lengths` [n] of sequences, those of a batch are about equal: every `POOL` batches that follow each other
    in the shuffled pass are sorted by length, and go out in a shuffled order.
    """
    size = min(size, n)
    queue = np.empty(0, dtype=np.int64)
    left = steps
    while left:
        pool = min(left, POOL, n // size) if lengths is not None else 1
        while len(queue) < size * pool:
            queue = np.concatenate([queue, order.permutation(n)])
        drawn, queue = queue[: size * pool], queue[size * pool :]
        if lengths is not None:
            drawn = drawn[np.argsort(lengths[drawn], kind="stable")]
        yield from drawn.reshape(pool, size)[order.permutation(pool) if pool > 1 else slice(None)]
        left -= pool


def parameter_groups(stages: nn.ModuleList, head: nn.Linear, recipe: Recipe) -> list[dict[str, Any]]:
    """Return the optimiser's groups: a rate for every stage and the head; biases and norms are not decayed."""
    groups: list[dict[str, Any]] = []
    rates = [
        (stage, recipe.learning_rate * recipe.layer_decay**height) for height, stage in enumerate(reversed(stages))
    ]
    for module, rate in [*rates, (head, recipe.head_learning_rate)]:
        matrices = [parameter for parameter in module.parameters() if parameter.ndim > 1]
        vectors = [parameter for parameter in module.parameters() if parameter.ndim <= 1]
        groups.append({"params": matrices, "lr": rate, "weight_decay": recipe.weight_decay})
        groups.append({"params": vectors, "lr": rate, "weight_decay": 0.0})
    return [group for group in groups if group["params"]]


def in_memory_order(groups: list[dict[str, Any]]) -> list[tuple[nn.Parameter, nn.Parameter]]:
    """Put views in the place of convolution kernels that lie with channels last; return the kernels with their views.

    They share memory. The optimiser's kernel for CPUs copies what does not lie in the order of its axes, every step.
    """
    reordered = []
    for group in groups:
        for place, parameter in enumerate(group["params"]):
            if parameter.ndim == 4 and not parameter.is_contiguous():
                view = nn.Parameter(parameter.data.permute(0, 2, 3, 1))
                group["params"][place] = view
                reordered.append((parameter, view))
    return reordered


def set_training(stages: nn.ModuleList, recipe: Recipe) -> None:
    """Put stages into training mode, but for batch norms that are to keep the statistics they were pretrained with."""
    stages.train()
    if recipe.batch_norm == "pretrained":
        for module in stages.modules():
            if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d):
                module.eval()


def rate_share(step: int, steps: int, warmup: float) -> float:
    """Return the share of the peak learning rate at `step`: linear warm-up, then a cosine to zero."""
    rising = warmup * steps
    if step < rising:
        return (step + 1) / (rising + 1)
    return 0.5 * (1 + math.cos(math.pi * (step - rising) / max(1.0, steps - rising)))
