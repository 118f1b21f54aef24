"""Training a recipe that was tested on every label there is, for a model that is to be used."""

from pathlib import Path
from typing import Final

import numpy as np
import torch

from bench.backbones.loading import load_backbone
from bench.budget import ALL
from bench.execution.engine import THREADS
from bench.execution.executors.starting import EngineSettings
from bench.planning.budgets import Budgets
from bench.planning.plan import PlannedCell
from bench.prediction.exported import Estimate, Refit
from bench.prediction.saving import save_adapted
from bench.runtime.cache import Cache, content_key
from bench.strategy import Seeds
from bench.task import Examples, Split, WholeTask
from bench.training.context import NetworkContext

SEED: Final = 0


def refit(planned: PlannedCell, task: WholeTask, estimate: Estimate, folder: Path, settings: EngineSettings) -> None:
    """Train the recipe of a cell on every label of its task, and write the model into a folder.

    Raises `BenchError` for files that changed since the run was planned, and for models that cannot be kept.
    """
    torch.set_num_threads(THREADS)  # as in the cells that were tested
    cache = Cache(settings.cache_root, limit_bytes=settings.cache_limit_bytes)
    everything, target = task.everything(cache), task.target
    budget = Budgets(target, everything.labels[target.reads], everything.facts).draw(ALL, SEED)
    backbone = load_backbone(planned.cell.backbone, trust_remote_code=settings.trust_remote_code)
    backbone = backbone.to(settings.device)
    context = NetworkContext(
        task.card.name,
        target,
        _untested(everything),
        backbone,
        needed=budget.rows,
        boundaries=planned.strategy.boundaries(len(backbone.stages)),
        content=content_key(task.card.sha256, "every label"),
        cache=cache,
        device=torch.device(settings.device),
        memory_bytes=settings.memory_bytes,
        decoders=settings.decoders,
        request=settings.request,
    )
    model = next(iter(planned.strategy.fit(context, [budget], [Seeds(SEED, SEED)])))
    made = Refit(cell=planned.cell, amount=budget.amount, precision=model.cost.precision, estimate=estimate)
    save_adapted(folder, planned, task.card, context, model.parts(), made)


def _untested(everything: Examples) -> Split:
    """Return the split that learns from every example.

    A context asks for something to be tested on: it is one of them, without the group that it is learnt from in.
    """
    first = everything.take(np.array([0]))
    return Split(everything, Examples(first.raw, first.labels, first.facts))
