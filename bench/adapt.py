"""Owns one cell: a strategy applied to a backbone on a label budget, scored once on the test split."""

import copy
import resource
import sys
import time
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import nn

from bench.cell import Result
from bench.domain import Indices
from bench.fit import fit
from bench.group import Group
from bench.inference import forward_all, precision_on
from bench.plan import PlannedCell
from bench.provenance import describe_run
from bench.seeds import stream, torch_seed
from bench.target import Outputs

MIB: Final = 2**20


@dataclass(frozen=True, slots=True, eq=False)
class Adapted:
    """A backbone's trained stages and its head; `penalty` is the probe's, if the head began as one."""

    stages: nn.ModuleList
    head: nn.Linear
    penalty: float | None


def run_cell(planned: PlannedCell, group: Group) -> tuple[Result, Outputs]:
    """Return the result of a cell and its predictions, float32 [n_test, width] on the scale of the labels.

    Raises `DataError` for a budget that is too small, `DivergedError`, and `FreezeError` if anything below the boundary
    moved.
    """
    cell, strategy = planned.cell, planned.strategy
    rows = group.budget(cell.fraction, cell.seed)
    boundary = strategy.boundary(group.n_stages)
    trains = boundary < group.n_stages
    solved = strategy.pretrained and (strategy.recipe.head == "solved" or not trains)
    shared_seconds = group.shared_seconds({boundary, group.n_stages} if solved else {boundary})

    start = time.perf_counter()
    if group.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(group.device)
    adapted = _starting_point(planned, group, rows, solved=solved)
    steps = strategy.recipe.steps(len(rows)) if trains else 0
    if trains:
        fit(
            adapted.stages,
            adapted.head,
            group.train(boundary, rows),
            group.encoded(rows),
            target=group.target,
            recipe=strategy.recipe,
            steps=steps,
            order=stream(cell.seed, "order"),
        )
    predictions = _predict(adapted, group, boundary)
    seconds = time.perf_counter() - start
    group.check_frozen(boundary)
    result = Result(
        cell=cell,
        key=planned.key,
        n_labels=len(rows),
        n_test=len(group.splits.test),
        score=group.target.score(predictions, group.splits.test.labels, group.splits.test.raw),
        chance=group.chance,
        penalty=adapted.penalty,
        seconds=round(seconds, 3),
        shared_seconds=round(shared_seconds, 3),
        steps=steps,
        trainable_parameters=_count(adapted.stages) + _count(adapted.head),
        total_parameters=_count(group.backbone) + _count(adapted.head),
        peak_mib=round(_peak_mib(group.device), 1),
        device=group.device.type,
        precision=precision_on(group.device),
        data_sha256=group.content,
        provenance=describe_run(group.device),
    )
    return result, predictions


def _starting_point(planned: PlannedCell, group: Group, rows: Indices, *, solved: bool) -> Adapted:
    """Return a copy of the stages to train and the head, as they are before the first step."""
    cell, strategy = planned.cell, planned.strategy
    boundary = strategy.boundary(group.n_stages)
    if strategy.pretrained:
        stages = copy.deepcopy(group.backbone.stages[boundary:])
    else:
        drawn = copy.deepcopy(group.backbone)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(torch_seed(cell.seed, "initialisation"))
            drawn.initialise()
        stages = drawn.stages[boundary:]
    head = nn.Linear(group.backbone.card.width, group.target.width)
    nn.init.zeros_(head.weight)
    nn.init.zeros_(head.bias)
    penalty = None
    if solved:
        probe = group.solved_head(rows, seed=cell.seed, recipe=strategy.recipe)
        penalty = probe.penalty
        head.load_state_dict({"weight": probe.head.weight.T, "bias": probe.head.bias})
    return Adapted(stages.to(group.device), head.to(group.device), penalty)


def _predict(adapted: Adapted, group: Group, boundary: int) -> Outputs:
    features = forward_all(adapted.stages, group.test(boundary)).values
    with torch.inference_mode():
        outputs = adapted.head(features).cpu().numpy()
    return group.target.decode(outputs, group.splits.test.raw).astype(np.float32)


def _count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def _peak_mib(device: torch.device) -> float:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / MIB
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return resident / (MIB if sys.platform == "darwin" else 1024)  # bytes on macOS, kibibytes elsewhere
