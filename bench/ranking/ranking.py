"""Owns ranking backbones for a task before anything is trained: LogME of their frozen features."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import torch

from bench.backbone import Backbone
from bench.domain import Indices
from bench.planning.plan import Needs
from bench.ranking.logme import Floats, logme
from bench.runtime.cache import Cache
from bench.runtime.memory import release
from bench.target import Classes
from bench.task import Task, verify
from bench.training.group import Group


@dataclass(frozen=True, slots=True)
class Ranked:
    """A backbone with its LogME on `n_labels` training examples, and what that took, loading included."""

    backbone: str
    logme: float
    n_labels: int
    parameters: int
    seconds: float


def rank_backbones(
    task: Task,
    names: Iterable[str],
    load_backbone: Callable[[str], Backbone],
    *,
    fraction: float,
    cache: Cache,
    device: str,
    memory_bytes: int,
    decoders: int,
) -> Iterator[Ranked]:
    """Yield each backbone with its LogME on the first budget of `fraction`; the test split is not looked at.

    Frozen features are kept where a run finds them. Raises `BenchError` for a backbone or data that cannot be used.
    """
    splits = task.load(cache)
    content = verify(task, splits)
    for name in names:
        start = time.perf_counter()
        backbone = load_backbone(name).to(device)
        group = Group(
            task.target,
            splits,
            backbone,
            needs=Needs(frozenset({0.0}), frozenset({(fraction, 0)})),
            content=content,
            cache=cache,
            device=torch.device(device),
            memory_bytes=memory_bytes,
            decoders=decoders,
        )
        rows = group.budget(fraction, seed=0)
        features = group.features(rows).double().cpu().numpy()
        score = logme(features, _targets(group, rows))
        yield Ranked(name, score, len(rows), backbone.card.parameters, time.perf_counter() - start)
        del group, backbone, features
        release()


def _targets(group: Group, rows: Indices) -> Floats:
    """Return what a head learns as columns of numbers [n, width]: classes one-hot."""
    encoded = group.encoded(rows).cpu()
    if isinstance(group.target, Classes):
        encoded = torch.nn.functional.one_hot(encoded, group.target.width)
    columns: Floats = encoded.double().numpy()
    return columns
