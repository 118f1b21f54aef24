"""Ranking backbones for a task before anything is trained: LogME of their frozen features."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch

from bench.backbone import Backbone
from bench.budget import Asked
from bench.column import Column
from bench.planning.budgets import Budgets
from bench.ranking.logme import Floats, logme
from bench.readout import Readout
from bench.runtime.cache import Cache
from bench.runtime.memory import release
from bench.target import dense_only
from bench.task import Task, verify
from bench.training.context import NetworkContext


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
    """Yield each backbone with its LogME on the budget of seed 0; the test split is not looked at.

    Frozen features are kept where a run finds them. Raises `BenchError` for a backbone or data that cannot be used.
    """
    split = task.split(0, cache)
    content = verify(task, split)
    train = split.train
    budgets = Budgets(task.target, train.labels[task.target.reads], train.facts)
    drawn = budgets.draw(budget, seed=0)
    readout = Readout()
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
        read = context.features(drawn.rows, readout)
        features = read.features[0].double().cpu().numpy()
        score = logme(features, _columns(task.target.codec.encode(drawn.labels, read.geometry)))
        yield Ranked(name, score, drawn.amount, backbone.card.parameters, time.perf_counter() - start)
        del context, backbone, features
        release()


def _columns(encoded: Column) -> Floats:
    """Return what a head learns as columns of numbers [n, width]: whole numbers are classes, one-hot."""
    (values,) = dense_only(encoded).values.values()
    if values.ndim == 1 and np.issubdtype(values.dtype, np.integer):
        values = np.eye(values.max() + 1)[values]
    columns: Floats = values.reshape(len(values), -1).astype(np.float64)
    return columns
