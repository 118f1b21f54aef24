"""Rates that are chosen inside a label budget: part of it is held out, and what does best there is fitted on all of it.

The probe that a network starts from is one of the candidates where enough labels are held out to tell them apart.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np
import torch

from bench.budget import Budget
from bench.column import Array, Column, Indices
from bench.probing.encoded import as_tensors
from bench.probing.heads import Penalties
from bench.strategy import CHOSEN, FINETUNED, PROBE, SHIPPED, TOO_FEW, Cost, RateRecipe, Seeds
from bench.subsets.seeds import stream
from bench.target import Sampling
from bench.training.adapted import AdaptedNetwork
from bench.training.context import NetworkContext
from bench.training.fitting import NetworkPlan, fit_heads, fit_network
from bench.training.loop import DivergedError

FACTORS: Final = (1.0, 1 / 3, 3.0)
"""What the rates of a recipe are multiplied by; of equal ones the first is kept."""

FEWEST_FOLDS: Final = 3
"""Of fewer, a fold is half of the budget: what is chosen there says little of a network that learns from all of it."""

FEWEST: Final = 10
"""Labels to hold out for a choice between rates."""

FEWEST_FOR_PROBE: Final = 50
"""Labels to hold out for a choice between the probe and the fine-tuned network."""


class _Held(NamedTuple):
    """A budget in two parts."""

    learnt: Budget[Column]
    tested: Budget[Column]


@dataclass(frozen=True, slots=True)
class _Trial:
    """What a candidate scored on what is held out: larger is better, `loss` breaks ties. `factor` 0 is the probe."""

    factor: float
    score: float
    loss: float
    cost: Cost

    @property
    def rank(self) -> tuple[float, float]:
        """Its place among others, in rising order."""
        return self.score, -self.loss


def fit_at_rate(
    context: NetworkContext,
    budget: Budget[Column],
    seeds: Seeds,
    plan: NetworkPlan,
    *,
    choice: RateRecipe,
    probe: Penalties | None,
) -> AdaptedNetwork:
    """Return a network trained on a budget at the rate of its recipe, or at one that is chosen inside the budget.

    With `probe` the linear probe of these penalties may take its place where it is chosen. Its cost says which it was.
    Raises `DivergedError` if no rate leads anywhere.
    """
    if not choice.chooses(len(budget.rows)):
        return _told(fit_network(context, budget, seeds, plan), SHIPPED)
    held = _hold_out(context, budget)
    if held is None:
        return _told(fit_network(context, budget, seeds, plan), TOO_FEW)
    return _fit_chosen(context, budget, seeds, plan, held, probe=probe)


def _told(model: AdaptedNetwork, rates: str) -> AdaptedNetwork:
    """Return a network whose cost says where its rate is from, if it has one."""
    return replace(model, cost=replace(model.cost, rates=rates)) if model.cost.steps else model


def _fit_chosen(
    context: NetworkContext,
    budget: Budget[Column],
    seeds: Seeds,
    plan: NetworkPlan,
    held: _Held,
    *,
    probe: Penalties | None,
) -> AdaptedNetwork:
    """Return what did best on the labels that are held out, fitted on all of them."""
    several = [_try(context, held, seeds, plan, factor) for factor in FACTORS]
    trials = [trial for trial in several if trial is not None]
    kept = None
    if probe is not None and context.solves and len(held.tested.rows) >= FEWEST_FOR_PROBE:
        trials.append(_try_probe(context, held, probe))
        kept = FINETUNED
    best = max(trials, key=lambda trial: trial.rank, default=None)
    if probe is not None and best is not None and best.factor == 0:
        model, kept = next(fit_heads(context, [budget], probe)), PROBE
    else:
        factor = plan.factor * (best.factor if best else 1.0)
        model = fit_network(context, budget, seeds, replace(plan, factor=factor))
    return replace(model, cost=_added(model.cost, [trial.cost for trial in trials], kept))


def divide(
    sampling: Sampling, labels: Column, facts: Column | None, groups: Array | None
) -> tuple[Indices, Indices] | None:
    """Return which of some labelled examples to learn from and which to hold out, None where there are too few.

    The parts are those of a fold of a cross-validation: classes are in both, groups in one. It is the last fold, which
    of windows in order of time is the latest. What shares labels with it is in neither part.
    """
    folds = sampling.folds(labels, facts, groups, stream(0, "folds")) if len(labels) else None
    if folds is None or folds.max() + 1 < FEWEST_FOLDS:
        return None
    out = folds == folds.max()
    reach = sampling.overlap(facts)
    near = np.convolve(out, np.ones(2 * reach + 1), mode="same") > 0 if reach else out
    return None if near.all() else (np.flatnonzero(~near), np.flatnonzero(out))


def _hold_out(context: NetworkContext, budget: Budget[Column]) -> _Held | None:
    """Return a budget in two parts, or None where what could be held out is too little to choose by."""
    groups = None if context.train.groups is None else context.train.groups[budget.rows]
    facts = None if context.train.facts is None else context.train.facts.take(budget.rows)
    divided = divide(context.target.sampling, budget.labels, facts, groups)
    if divided is None or len(divided[1]) < FEWEST:
        return None
    learnt, tested = divided
    return _Held(_part(budget, learnt), _part(budget, tested))


def _part(budget: Budget[Column], places: Indices) -> Budget[Column]:
    amount = budget.amount * len(places) / len(budget.rows)
    return Budget(budget.asked, budget.rows[places], amount, budget.labels.take(places))


def _try(context: NetworkContext, held: _Held, seeds: Seeds, plan: NetworkPlan, factor: float) -> _Trial | None:
    """Return what a network scores at some of the recipe's rate; None if it diverges."""
    try:
        model = fit_network(context, held.learnt, seeds, replace(plan, factor=plan.factor * factor))
    except DivergedError:
        return None
    return _scored(context, model, held.tested, factor)


def _try_probe(context: NetworkContext, held: _Held, probe: Penalties) -> _Trial:
    return _scored(context, next(fit_heads(context, [held.learnt], probe)), held.tested, 0.0)


def _scored(context: NetworkContext, model: AdaptedNetwork, tested: Budget[Column], factor: float) -> _Trial:
    """Return score and loss of a model on labels of the budget that it did not learn from.

    A metric that these few do not define says nothing: the loss decides then.
    """
    start = time.perf_counter()
    reader, rows = model.reader, tested.rows
    if len(model.network):
        read = model.read(context.seen(rows, model.frozen, reader.readout))
    else:
        read = context.features(rows, reader.readout)
    encoded = as_tensors(reader.codec.encode(tested.labels, read.geometry), context.device)
    predictions = reader.predict(read.features, read.geometry)
    with torch.inference_mode():
        loss = float(reader.objective.loss(reader.head(read.features), encoded, read.geometry))
    facts = context.train.facts
    metric = context.target.metrics[0]
    found = metric.compute(predictions, tested.labels, None if facts is None else facts.take(rows))
    score = 0.0 if found is None else found if metric.card.higher_is_better else -found
    seconds = model.cost.seconds + time.perf_counter() - start
    return _Trial(factor, score, loss, replace(model.cost, seconds=seconds))


def _added(cost: Cost, tried: Sequence[Cost], kept: str | None) -> Cost:
    """Return the cost of a model with those of what was tried before."""
    return replace(
        cost,
        seconds=cost.seconds + sum(one.seconds for one in tried),
        training_seconds=cost.training_seconds + sum(one.training_seconds for one in tried),
        work=tuple(dict.fromkeys(work for one in (cost, *tried) for work in one.work)),
        rates=CHOSEN,
        kept=kept,
    )
