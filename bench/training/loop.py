"""The one gradient loop: every fine-tuning, every training from scratch and every pretraining runs here."""

import hashlib
import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import tee
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn

from bench.backbone import Batch, Features
from bench.column import Indices
from bench.errors import BenchError, FreezeError
from bench.readout import Readout
from bench.runtime.arithmetic import Precision
from bench.runtime.precision import autocast
from bench.strategy import LoopRecipe
from bench.training.inputs import Inputs

POOL: Final = 8
STRETCHES: Final = 20  # of steps, whose mean losses are kept

BATCH_NORMS: Final = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)

Forward = Callable[[Batch, Readout], Features]
"""From a batch as it is below the network to features, as the network makes them at this step."""


class DivergedError(BenchError):
    """The loss is no number any more."""


@dataclass(frozen=True, slots=True, eq=False)
class Term:
    """A loss, and the stream of examples that it is paid on.

    `loss` returns the mean loss of a batch of `inputs`, given with its rows on the CPU; its generator is on the device
    of the inputs. `modules` learn along with it: a head, a critic. `weight` is its share of the sum by progress, from 0
    to 1. A term without inputs is dropped: no labels, no step.
    """

    inputs: Inputs
    loss: Callable[[Forward, Batch, Tensor, torch.Generator], Tensor]
    modules: Sequence[nn.Module] = ()
    weight: Callable[[float], float] = lambda progress: 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Rate:
    """Parameters with their peak learning rate; of these, vectors (biases, norms) are not decayed."""

    parameters: Sequence[nn.Parameter]
    learning_rate: float


@dataclass(frozen=True, slots=True, eq=False)
class Adaptation:
    """What a strategy makes of a backbone: data for the loop.

    `network` is run at every step, and `forward` runs it. What it holds and is in none of the `rates` must not move:
    parameters, and the buffers of modules that do not learn. A module learns if one of its own parameters does; one
    that has none goes by its stage.
    """

    network: nn.ModuleList
    forward: Forward
    rates: Sequence[Rate]
    terms: Sequence[Term]

    @property
    def learning(self) -> frozenset[int]:
        """The ids of the parameters that learn."""
        return frozenset(id(parameter) for rate in self.rates for parameter in rate.parameters)


def train(
    adaptation: Adaptation,
    recipe: LoopRecipe,
    *,
    steps: int,
    order: np.random.Generator,
    precision: Precision = "float32",
    fits: float = 0.0,
) -> tuple[float, ...]:
    """Train in place for `steps` steps what learns; return the mean losses of up to 20 stretches.

    Where the loss of a step is below `fits`, its rates are halved as often as the loss is. The first term draws its
    batches from `order` itself, each further one from a generator spawned from it. Raises `DivergedError` if the loss
    becomes infinite or no number, `FreezeError` if something moved that does not learn.
    """
    terms = [term for term in adaptation.terms if len(term.inputs)]
    if not terms or not steps:
        return ()
    device = terms[0].inputs.device
    groups = parameter_groups(adaptation.rates, recipe)
    reordered = in_memory_order(groups)
    still = _still(adaptation)
    before = _content(still)
    optimizer = torch.optim.AdamW(groups, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate_share(step, steps, recipe.warmup))
    views = torch.Generator(device).manual_seed(int(order.integers(2**63)))
    stretches = min(STRETCHES, steps)
    totals = torch.zeros(stretches, device=device)
    set_training(adaptation.network, recipe, adaptation.learning)
    streams = [_Stream(term, recipe, steps, one) for term, one in zip(terms, _orders(order, len(terms)), strict=True)]
    for step, drawn in enumerate(zip(*streams, strict=True)):
        loss = torch.zeros((), device=device)
        for term, (rows, batch) in zip(terms, drawn, strict=True):
            with autocast(device, precision):
                paid = term.loss(adaptation.forward, batch, rows, views)
            loss = loss + term.weight(step / steps) * paid
        loss.backward()
        if fits:
            follow(optimizer, schedule, share_left(loss.detach() / fits))
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
    _refuse_moved(still, before)
    sizes = np.bincount(np.arange(steps) * stretches // steps)
    return tuple(round(total / size, 6) for total, size in zip(totals.tolist(), sizes.tolist(), strict=True))


class _Stream:
    """The batches of a term with their rows, step by step."""

    def __init__(self, term: Term, recipe: LoopRecipe, steps: int, order: np.random.Generator) -> None:
        inputs = term.inputs
        lengths = None if inputs.lengths is None else inputs.lengths.numpy()
        rows = map(torch.from_numpy, batches(len(inputs), recipe.batch_size, steps, order, lengths=lengths))
        drawn, read = tee(rows)
        self._pairs = zip(drawn, inputs.batches(read), strict=True)

    def __iter__(self) -> Iterator[tuple[Tensor, Batch]]:
        return self._pairs


def _orders(order: np.random.Generator, count: int) -> list[np.random.Generator]:
    return [order, *(order.spawn(count - 1) if count > 1 else [])]


def _still(adaptation: Adaptation) -> Mapping[str, Tensor]:
    """Return what a network holds and must not move, by name."""
    learning = adaptation.learning
    found: dict[str, Tensor] = {}
    for place, stage in enumerate(adaptation.network):
        for path, module in stage.named_modules(prefix=str(place)):
            own = module.named_parameters(recurse=False)
            found |= {f"{path}.{name}": values for name, values in own if id(values) not in learning}
            if not _learns(module, stage, learning):
                found |= {f"{path}.{name}": values for name, values in module.named_buffers(recurse=False)}
    return found


def _learns(module: nn.Module, stage: nn.Module, learning: Collection[int]) -> bool:
    """Return whether a module learns; one without parameters of its own goes by its stage."""
    own = list(module.parameters(recurse=False)) or list(stage.parameters())
    return any(id(parameter) in learning for parameter in own)


def _content(tensors: Mapping[str, Tensor]) -> dict[str, str]:
    """Return the sha256 of each tensor."""
    plain = {name: values.detach().cpu().contiguous().reshape(-1) for name, values in tensors.items()}
    return {
        name: hashlib.sha256(values.view(torch.uint8).numpy().tobytes()).hexdigest() for name, values in plain.items()
    }


def _refuse_moved(still: Mapping[str, Tensor], before: Mapping[str, str]) -> None:
    moved = [name for name, content in _content(still).items() if content != before[name]]
    if moved:
        raise FreezeError(f"{moved[0]} was to stay frozen, but it moved while others were trained")


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


def parameter_groups(rates: Sequence[Rate], recipe: LoopRecipe) -> list[dict[str, Any]]:
    """Return the optimiser's groups: two for each rate, since biases and norms are not decayed."""
    groups: list[dict[str, Any]] = []
    for rate in rates:
        matrices = [parameter for parameter in rate.parameters if parameter.ndim > 1]
        vectors = [parameter for parameter in rate.parameters if parameter.ndim <= 1]
        groups.append({"params": matrices, "lr": rate.learning_rate, "weight_decay": recipe.weight_decay})
        groups.append({"params": vectors, "lr": rate.learning_rate, "weight_decay": 0.0})
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


def set_training(stages: nn.ModuleList, recipe: LoopRecipe, learning: Collection[int]) -> None:
    """Put stages into training mode, but for batch norms that are to keep the statistics they were pretrained with.

    Those that do not learn keep them in any case; `learning` are the ids of all parameters that do.
    """
    stages.train()
    for stage in stages:
        for module in stage.modules():
            if not isinstance(module, BATCH_NORMS):
                continue
            if recipe.batch_norm == "pretrained" or not _learns(module, stage, learning):
                module.eval()


@contextmanager
def leaving_no_trace(parts: Sequence[nn.Module]) -> Iterator[None]:
    """Leave no gradient, statistic of a batch norm or random draw behind in the parts of a network."""
    kept = [(buffer, buffer.clone()) for part in parts for buffer in part.buffers()]
    with torch.random.fork_rng(devices=[]):
        yield
    for part in parts:
        part.zero_grad(set_to_none=True)
    for buffer, before in kept:
        buffer.copy_(before)


def follow(optimizer: torch.optim.Optimizer, schedule: torch.optim.lr_scheduler.LRScheduler, share: Tensor) -> None:
    """Multiply the rates of the next step by a share, on its device: a GPU is not waited for."""
    for group, rate in zip(optimizer.param_groups, schedule.get_last_lr(), strict=True):
        group["lr"] = rate * share


def share_left(loss: Tensor) -> Tensor:
    """Return the share of its rate that a step has at a loss [] in units of one that fits: at most 1, a power of 2.

    The last bits of a loss depend on where its batch lies in memory, which no model may depend on.
    """
    _, exponent = torch.frexp(loss.clamp(max=1.0))
    return torch.where(loss > 0, torch.ldexp(torch.ones_like(loss), exponent - 1), loss)


def rate_share(step: int, steps: int, warmup: float) -> float:
    """Return the share of the peak learning rate at `step`: linear warm-up, then a cosine to zero."""
    rising = warmup * steps
    if step < rising:
        return (step + 1) / (rising + 1)
    return 0.5 * (1 + math.cos(math.pi * (step - rising) / max(1.0, steps - rising)))
