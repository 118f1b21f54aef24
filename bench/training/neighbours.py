"""Nearest neighbours on frozen features: how many vote is chosen inside the label budget."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import max_pool1d, normalize

from bench.budget import Budget
from bench.column import Column
from bench.domain import Raw
from bench.errors import DataError
from bench.probing.encoded import as_tensors
from bench.probing.problem import Problem
from bench.runtime.precision import frozen_precision
from bench.strategy import Cost, Parts
from bench.subsets.seeds import stream
from bench.target import Codec
from bench.training.adapted import count_parameters
from bench.training.context import NetworkContext

CHUNK: Final = 1_024  # examples compared at a time


class Grid(NamedTuple):
    """The numbers of neighbours that are tried, and the one that holds where a budget is too small for that."""

    numbers: tuple[int, ...]
    default: int


@dataclass(frozen=True, slots=True, eq=False)
class Neighbours:
    """Labelled examples: their features on the unit sphere [n, width] and their encoded labels [n] or [n, k]."""

    units: Tensor
    labels: Tensor
    problem: Problem

    def outputs(self, features: Tensor, counts: Sequence[int]) -> list[Tensor]:
        """Return for each number of neighbours the outputs of examples [m, width] that so many speak for, [m, k].

        Nearest is what has the largest cosine.
        """
        found: list[list[Tensor]] = [[] for _ in counts]
        for rows in features.split(CHUNK):
            nearest = (normalize(rows) @ self.units.mT).topk(max(counts)).indices  # [rows, neighbours], nearest first
            for pieces, count in zip(found, counts, strict=True):
                pieces.append(self.problem.average(self.labels[nearest[:, :count]]))
        return [torch.cat(pieces) for pieces in found]


@dataclass(frozen=True, slots=True, eq=False)
class NearestModel:
    """The labels of the `count` nearest examples of a budget, averaged."""

    context: NetworkContext
    neighbours: Neighbours
    count: int
    codec: Codec
    cost: Cost

    def predict(self, raw: Raw) -> Column:
        """Return predictions on the scale of the labels."""
        target = self.context.target
        read = self.context.features_of(raw, target.readout)
        [outputs] = self.neighbours.outputs(read.features[0], [self.count])
        return self.codec.decode(target.objective.predict((outputs.cpu(),), read.geometry), read.geometry)

    def parts(self) -> Parts | None:
        """Return None: it is no network with a head."""
        return None


def fit_nearest(context: NetworkContext, budget: Budget[Column], grid: Grid) -> NearestModel:
    """Return the model of a budget, whose labels can be averaged. Raises `DataError` if it has none."""
    target = context.target
    problem = target.objective.problem()
    assert problem is not None, "targets whose labels cannot be averaged were refused"
    if not len(budget.rows):
        raise DataError(f"a budget of {budget.asked} has no labels, and nearest neighbours are labelled examples")
    work = tuple(context.frozen_work(context.n_stages, target.readout))
    start = time.perf_counter()
    read = context.features(budget.rows, target.readout)
    codec = target.codec.fit(budget.labels)
    encoded = as_tensors(codec.encode(budget.labels, read.geometry), context.device)
    rows = target.objective.rows(read.features, encoded, read.geometry)
    neighbours = Neighbours(normalize(rows.features), rows.labels, problem)
    count = _choose(context, budget, neighbours, codec, read.geometry, grid)
    cost = Cost(
        seconds=time.perf_counter() - start,
        precision=frozen_precision(context.device),
        total_parameters=count_parameters(context.backbone),
        work=work,
    )
    return NearestModel(context, neighbours, count, codec, cost)


def _choose(
    context: NetworkContext,
    budget: Budget[Column],
    neighbours: Neighbours,
    codec: Codec,
    geometry: Column | None,
    grid: Grid,
) -> int:
    """Return the number of neighbours whose held-out predictions have the best score, of several the smallest.

    It goes by the target's own metric, whichever ranks: models do not depend on how they are ranked, nor do their keys.
    """
    target, train = context.target, context.train
    groups = None if train.groups is None else train.groups[budget.rows]
    facts = None if train.facts is None else train.facts.take(budget.rows)
    dealt = target.sampling.folds(budget.labels, facts, groups, stream(0, "folds"))
    default = min(grid.default, len(budget.rows))
    if dealt is None:
        return default
    folds = torch.from_numpy(dealt)
    overlap = target.sampling.overlap(facts)
    learnt_from = [~_with_overlap(folds == fold, overlap) for fold in range(int(folds.max()) + 1)]
    counts = sorted(number for number in set(grid.numbers) if number <= min(int(one.sum()) for one in learnt_from))
    if not counts:
        return default
    held_out = _held_out(neighbours, folds, learnt_from, counts)
    metric = replace(target, ranked_by="").metrics[0]
    best, chosen = -float("inf"), default
    for count, outputs in zip(counts, held_out, strict=True):
        predictions = codec.decode(target.objective.predict((outputs.cpu(),), geometry), geometry)
        value = metric.compute(predictions, budget.labels, facts)
        if value is not None and metric.card.direction * value > best:
            best, chosen = metric.card.direction * value, count
    return chosen


def _held_out(
    neighbours: Neighbours, folds: Tensor, learnt_from: Sequence[Tensor], counts: Sequence[int]
) -> list[Tensor]:
    """Return for each number of neighbours the outputs of all examples, those of each fold from the others' labels."""
    device = neighbours.units.device
    order, pieces = [], []
    for fold, learnt in enumerate(learnt_from):
        held, kept = (folds == fold).nonzero()[:, 0], learnt.nonzero()[:, 0].to(device)
        others = Neighbours(neighbours.units[kept], neighbours.labels[kept], neighbours.problem)
        pieces.append(others.outputs(neighbours.units[held.to(device)], counts))
        order.append(held)
    back = torch.cat(order).argsort().to(device)
    return [torch.cat(several)[back] for several in zip(*pieces, strict=True)]


def _with_overlap(rows: Tensor, reach: int) -> Tensor:
    """Return flags [n] with `reach` more to either side of each that is set: their labels overlap."""
    return max_pool1d(rows.float()[None], 2 * reach + 1, stride=1, padding=reach)[0] > 0
