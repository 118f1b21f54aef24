"""Ranking backbones for a task before anything is trained: LogME of their frozen features."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch

from bench.backbone import Backbone
from bench.budget import Asked
from bench.column import Array, Column
from bench.planning.budgets import Budgets
from bench.probing.encoded import as_tensors
from bench.ranking.logme import Floats, logme
from bench.runtime.cache import Cache
from bench.runtime.memory import release
from bench.target import LabelRows, Target
from bench.task import Task, verify
from bench.training.context import NetworkContext
from bench.training.inference import ReadFeatures

CPU: Final = torch.device("cpu")


@dataclass(frozen=True, slots=True)
class Ranked:
    """A backbone with its LogME on an `amount` of labels, and what that took, loading included."""

    backbone: str
    logme: float
    amount: float
    parameters: int
    seconds: float


def rank_backbones(
    task: Task,
    names: Iterable[str],
    load_backbone: Callable[[str], Backbone],
    *,
    budget: Asked,
    cache: Cache,
    device: str,
    memory_bytes: int,
    decoders: int,
) -> Iterator[Ranked]:
    """Yield each backbone with its LogME on the budget of seed 0; what that seed is tested on is not looked at.

    Of data in folds that is one fold: other seeds are tested on what is looked at here.

    Frozen features are kept where a run finds them. Raises `BenchError` for a backbone or data that cannot be used.
    """
    split = task.split(0, cache)
    content = verify(task, split)
    train = split.train
    budgets = Budgets(task.target, train.labels[task.target.reads], train.facts)
    drawn = budgets.draw(budget, seed=0)
    for name in names:
        start = time.perf_counter()
        backbone = load_backbone(name).to(device)
        context = NetworkContext(
            task.card.name,
            task.target,
            split,
            backbone,
            needed=drawn.rows,
            boundaries=frozenset({len(backbone.stages)}),
            content=content,
            cache=cache,
            device=torch.device(device),
            memory_bytes=memory_bytes,
            decoders=decoders,
        )
        rows = _rows(task.target, context.features(drawn.rows, task.target.readout), drawn.labels)
        score = logme(rows.features.double().numpy(), _columns(rows.labels.numpy()))
        yield Ranked(name, score, drawn.amount, backbone.card.parameters, time.perf_counter() - start)
        del context, backbone, rows
        release()


def _rows(target: Target, read: ReadFeatures, labels: Column) -> LabelRows:
    """Return features as a head of the target has them, a row for each label, on the CPU."""
    encoded = as_tensors(target.codec.fit(labels).encode(labels, read.geometry), CPU)
    return target.objective.rows(tuple(values.cpu() for values in read.features), encoded, read.geometry)


def _columns(values: Array) -> Floats:
    """Return what a head learns, [n] or [n, width], as columns of numbers: whole numbers are classes, one-hot."""
    if values.ndim == 1 and np.issubdtype(values.dtype, np.integer):
        values = np.eye(values.max() + 1)[values]
    columns: Floats = values.reshape(len(values), -1).astype(np.float64)
    return columns
