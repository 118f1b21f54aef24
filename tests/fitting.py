"""Contexts of toys, and strategies fitted in them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from bench.backbone import Backbone
from bench.budget import ALL, Asked, Budget
from bench.column import Column
from bench.execution.engine import Engine
from bench.execution.output import CellOutput
from bench.planning.budgets import Budgets
from bench.planning.plan import PlannedCell, group_into_jobs
from bench.runtime.cache import Cache
from bench.runtime.limits import DEFAULT_MEMORY_BYTES
from bench.strategy import Model, Seeds, Strategy
from bench.target import Target
from bench.task import Split
from bench.training.context import NetworkContext
from tests.toys import STAGES, ToyBackbone, ToyTask, toy_split

CPU = torch.device("cpu")


def toy_context(
    folder: Path,
    *,
    backbone: Backbone | None = None,
    target: Target = ToyTask.target,
    split: Split | None = None,
    memory_bytes: int = DEFAULT_MEMORY_BYTES,
    boundaries: Sequence[int] = (2, len(STAGES)),
) -> NetworkContext:
    """Return the context of a task and a backbone, those of the toys if none are given."""
    data = split or toy_split()
    return NetworkContext(
        "toy",
        target,
        data,
        backbone or ToyBackbone(),
        needed=np.arange(len(data.train)),
        boundaries=frozenset(boundaries),
        content="toy",
        cache=Cache(folder),
        device=CPU,
        memory_bytes=memory_bytes,
        decoders=2,
    )


def drawn(
    asked: Asked = ALL, *, seed: int = 0, target: Target = ToyTask.target, split: Split | None = None
) -> Budget[Column]:
    """Return a budget of a task, the toy one if none is given."""
    train = (split or toy_split()).train
    return Budgets(target, train.labels[target.reads], train.facts).draw(asked, seed)


def fit(strategy: Strategy, context: NetworkContext, budget: Budget[Column] | None = None, *, seed: int = 0) -> Model:
    """Return the model of one budget, all labels of the toys if none is given."""
    (model,) = strategy.fit(context, [budget or drawn(seed=seed)], [Seeds(seed, seed)])
    return model


def run_toy(folder: Path, *cells: PlannedCell, memory_bytes: int = DEFAULT_MEMORY_BYTES) -> list[CellOutput]:
    """Return the outcome of cells of the toy task and backbone, all of one job."""
    engine = Engine(
        lambda *_: ToyTask(),
        lambda _name: ToyBackbone(),
        cache=Cache(folder),
        device="cpu",
        memory_bytes=memory_bytes,
        decoders=2,
    )
    (job,) = group_into_jobs(cells)
    return list(engine.run(job))
