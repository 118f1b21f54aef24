"""Owns one cell: a strategy applied to a backbone on a label budget, scored once on the test split."""

import copy
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from bench.cell import Result, Work
from bench.domain import Indices, Raw
from bench.execution.scored import Measured
from bench.planning.plan import PlannedCell
from bench.planning.seeds import seed_of, stream, torch_seed
from bench.probing.heads import KeptHead
from bench.runtime.arithmetic import Precision, PrecisionChoice
from bench.runtime.memory import forget_peak, peak_mib
from bench.runtime.precision import frozen_precision
from bench.runtime.provenance import describe_run
from bench.shifts.scoring import UNSHIFTED, Shifted, UnderShifts, score_shifts
from bench.target import Outputs
from bench.training.fit import fit
from bench.training.group import Group
from bench.training.inference import forward_all
from bench.training.inputs import Inputs
from bench.training.pace import Chosen, Trial

Keep = Callable[[nn.ModuleList, nn.Linear, Result], None]
"""What is done with an adapted model: all its stages from input to features, and its head."""


@dataclass(frozen=True, slots=True, eq=False)
class Adapted:
    """A backbone's trained stages and its head. `parameters` counts both, unused rows of token tables included."""

    stages: nn.ModuleList
    head: nn.Linear
    parameters: int


@dataclass(frozen=True, slots=True)
class Spent:
    """What a cell cost alone, in seconds and MiB, and the number of its steps, their losses and their precision.

    `choice` is how the precision was chosen, if it was timed. What that took is no cost of the cell: it outlives it.
    """

    seconds: float
    training_seconds: float
    evaluation_seconds: float
    steps: int
    losses: tuple[float, ...]
    precision: Precision
    choice: PrecisionChoice | None
    peak_mib: float


def run_cell(
    planned: PlannedCell,
    group: Group,
    *,
    loading: Work | None = None,
    companions: Iterable[PlannedCell] = (),
    keep: Keep | None = None,
) -> Measured:
    """Return what came of a cell.

    `loading` is what it took to make the group. `companions` are cells to come: heads on budgets as large as this one's
    are solved together with its own. `keep` is handed the adapted model once it is scored. Raises `DataError` for a
    budget that is too small, `DivergedError`, and `FreezeError` if anything below the boundary moved.
    """
    cell = planned.cell
    rows = group.budget(cell.fraction, seed_of(cell, "subset"))
    probe = _probe(planned, group, rows, companions)
    shared = _shared_work(planned, group, probe, loading)
    adapted, predictions, spent = _adapt(planned, group, rows, probe)
    if planned.shifts or keep:
        group.widen(planned.strategy.boundary(group.n_stages), adapted.stages, lambda: _untrained(planned, group))
    shifted = _score_shifts(planned, group, adapted, spent.precision) if planned.shifts else UNSHIFTED
    result = Result(
        cell=cell,
        key=planned.key,
        n_labels=len(rows),
        n_test=len(group.splits.test),
        score=group.target.score(predictions, group.splits.test.labels, group.splits.test.raw),
        chance=group.chance,
        penalty=probe.solved.penalty if probe else None,
        seconds=round(spent.seconds, 4),
        training_seconds=round(spent.training_seconds, 4),
        evaluation_seconds=round(spent.evaluation_seconds, 4),
        shared=shared,
        shifted=shifted.scores,
        losses=spent.losses,
        steps=spent.steps,
        trainable_parameters=adapted.parameters,
        total_parameters=_count(group.backbone) + _count(adapted.head),
        peak_mib=round(spent.peak_mib, 1),
        device=group.device.type,
        precision=spent.precision,
        data_sha256=group.content,
        provenance=describe_run(group.device),
    )
    if keep:
        keep(_whole(planned, group, adapted), adapted.head, result)
    return Measured(result, predictions, shifted.predictions, spent.choice)


def _adapt(planned: PlannedCell, group: Group, rows: Indices, probe: KeptHead | None) -> tuple[Adapted, Outputs, Spent]:
    """Train what is to be trained and predict the test split."""
    forget_peak(group.device)
    start = time.perf_counter()
    cell, recipe = planned.cell, planned.strategy.recipe
    boundary = planned.strategy.boundary(group.n_stages)
    adapted = _starting_point(planned, group, probe)
    inputs, encoded = group.train(boundary, rows), group.encoded(rows)
    steps = recipe.steps(len(rows)) if len(adapted.stages) else 0
    losses: tuple[float, ...] = ()
    choosing = time.perf_counter()
    precision, choice = (
        _choose_precision(planned, group, adapted, inputs, encoded) if steps else Chosen(frozen_precision(group.device))
    )
    begun = time.perf_counter()
    if steps:
        losses = fit(
            adapted.stages,
            adapted.head,
            inputs,
            encoded,
            target=group.target,
            recipe=recipe,
            steps=steps,
            order=stream(seed_of(cell, "order"), "order"),
            precision=precision,
        )
    trained = time.perf_counter()
    predictions = _predict(adapted, group, boundary, precision)
    predicted = time.perf_counter()
    if steps:
        group.check_frozen(boundary)
    end = time.perf_counter()
    peak = peak_mib(group.device)
    seconds = end - start - (begun - choosing)
    spent = Spent(seconds, trained - begun, predicted - trained, steps, losses, precision, choice, peak)
    return adapted, predictions, spent


def _choose_precision(planned: PlannedCell, group: Group, adapted: Adapted, inputs: Inputs, encoded: Tensor) -> Chosen:
    """Return the precision to train in."""
    card = group.backbone.card
    trial = Trial(
        task=planned.cell.task,
        backbone=card.name,
        depth=planned.strategy.depth,
        name=f"{card.sha256} {group.content}",
        stages=adapted.stages,
        head=adapted.head,
        inputs=inputs,
        encoded=encoded,
        target=group.target,
        recipe=planned.strategy.recipe,
    )
    return group.precisions.choose(trial, adapted.parameters)


def _shared_work(planned: PlannedCell, group: Group, probe: KeptHead | None, loading: Work | None) -> tuple[Work, ...]:
    """Return the work that a cell uses and others may use too, each piece once; what is missing of it is done."""
    shared = group.frozen_work(planned.strategy.boundary(group.n_stages))
    if probe:
        shared += [*group.frozen_work(group.n_stages), probe.work]
    if loading:
        shared.append(loading)
    return tuple(Work(work.phase, work.key, round(work.seconds, 4)) for work in dict.fromkeys(shared))


def _probe(planned: PlannedCell, group: Group, rows: Indices, companions: Iterable[PlannedCell]) -> KeptHead | None:
    """Return the linear probe that a cell is or begins with, if it does."""
    strategy, fraction = planned.strategy, planned.cell.fraction
    if not strategy.pretrained or (strategy.recipe.head == "zero" and strategy.depth > 0):
        return None
    like = [other for other in companions if (other.strategy, other.cell.fraction) == (strategy, fraction)]
    budgets = (group.budget(fraction, seed_of(other.cell, "subset")) for other in like)
    return group.heads.solve(rows, recipe=strategy.recipe, companions=budgets)


def _starting_point(planned: PlannedCell, group: Group, probe: KeptHead | None) -> Adapted:
    """Return a copy of the stages to train and the head, as they are before the first step."""
    boundary = planned.strategy.boundary(group.n_stages)
    stages = _untrained(planned, group)
    head = nn.Linear(group.backbone.card.width, group.target.width)
    nn.init.zeros_(head.weight)
    nn.init.zeros_(head.bias)
    if probe:
        solved = probe.solved.head
        head.load_state_dict({"weight": solved.weight.T, "bias": solved.bias})
    parameters = _count(stages) + _count(head)
    group.narrow(boundary, stages)
    return Adapted(stages.to(group.device), head.to(group.device), parameters)


def _untrained(planned: PlannedCell, group: Group) -> nn.ModuleList:
    """Return a copy of the stages to train, whole: pretrained or drawn."""
    cell, strategy = planned.cell, planned.strategy
    boundary = strategy.boundary(group.n_stages)
    if strategy.pretrained:
        return copy.deepcopy(group.backbone.stages[boundary:])
    drawn = copy.deepcopy(group.backbone)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(torch_seed(seed_of(cell, "initialisation"), "initialisation"))
        drawn.initialise()
    return drawn.stages[boundary:]


def _whole(planned: PlannedCell, group: Group, adapted: Adapted) -> nn.ModuleList:
    """Return all stages of an adapted model whose table of tokens, if it has one, has all rows again."""
    boundary = planned.strategy.boundary(group.n_stages)
    return nn.ModuleList([*group.backbone.stages[:boundary], *adapted.stages])


def _score_shifts(planned: PlannedCell, group: Group, adapted: Adapted, precision: Precision) -> UnderShifts:
    """Return the scores of an adapted model under shifts; it has to know all tokens, as those of typos are new."""
    boundary = planned.strategy.boundary(group.n_stages)

    def predict(test: Shifted) -> Outputs:
        return _outputs(adapted, group, group.shifted_test(test, boundary), test.examples.raw, precision)

    return score_shifts(group.target, group.shifted, predict)


def _predict(adapted: Adapted, group: Group, boundary: int, precision: Precision) -> Outputs:
    """Return predictions of the test split."""
    return _outputs(adapted, group, group.test(boundary), group.splits.test.raw, precision)


def _outputs(adapted: Adapted, group: Group, inputs: Inputs, raw: Raw, precision: Precision) -> Outputs:
    """Return predictions of examples, `inputs` being what the stages below the trained ones make of `raw`."""
    features = forward_all(adapted.stages, inputs, precision=precision).values
    with torch.inference_mode():
        outputs = adapted.head(features).cpu().numpy()
    return group.target.decode(outputs, raw).astype(np.float32)


def _count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())
