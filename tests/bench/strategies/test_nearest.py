"""Nearest neighbours: whose labels are averaged, and how their number is chosen."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pytest
import torch
from torch import Tensor

from bench.budget import ALL, Budget, Count, Share
from bench.column import Column, dense
from bench.errors import DataError
from bench.metric import Metric
from bench.metrics.classes import ACCURACY, LOG_LOSS
from bench.planning.budgets import Budgets
from bench.probing.problem import Problem, Ridge, Softmax
from bench.runtime.cache import Cache
from bench.strategies.nearest import Nearest
from bench.strategy import Seeds
from bench.subsets.seeds import stream
from bench.target import Objective, first, rank_by
from bench.targets.classes import LABEL, Classes
from bench.training.context import NetworkContext
from bench.training.neighbours import Grid, NearestModel, Neighbours, fit_nearest
from tests.toys import ToyBackbone, ToyTask, toy_split

GRID: Final = Grid((1, 3, 5, 10), 1)
COMPASS: Final = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.8, 0.6]])


def test_the_nearest_are_those_of_the_largest_cosine_however_long_their_features_are() -> None:
    neighbours = Neighbours(COMPASS, torch.tensor([[1.0], [10.0], [100.0], [1000.0]]), Ridge())
    one, two = neighbours.outputs(torch.tensor([[50.0, 1.0], [-0.1, 0.01]]), [1, 2])
    assert one.tolist() == [[1.0], [100.0]]
    assert two.tolist() == [[500.5], [55.0]]


def test_votes_are_shares_with_one_more_vote_for_all_classes() -> None:
    neighbours = Neighbours(COMPASS, torch.tensor([0, 1, 1, 0]), Softmax(2))
    [logits] = neighbours.outputs(COMPASS[:1], [3])  # east, then the one beside it, then north
    np.testing.assert_allclose(logits.exp().numpy(), [[2.5 / 4, 1.5 / 4]], rtol=1e-6)


def context_of(folder: Path, target: Classes = ToyTask.target) -> NetworkContext:
    split = toy_split()
    return NetworkContext(
        "toy",
        target,
        split,
        ToyBackbone(),
        needed=np.arange(len(split.train)),
        boundaries=frozenset({4}),
        content="toy",
        cache=Cache(folder),
        device=torch.device("cpu"),
    )


def draw(asked: Share | Count = ALL) -> Budget[Column]:
    return Budgets(ToyTask.target, toy_split().train.labels[LABEL], None).draw(asked, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Probable(Classes):
    """Classes whose own metric is the log loss."""

    @property
    def metrics(self) -> tuple[Metric, ...]:
        return first((LOG_LOSS, ACCURACY), self.ranked_by)


def held_out_score(context: NetworkContext, budget: Budget[Column], count: int, metric: Metric) -> float:
    """Return the score of predictions of each fold from the others, the long way round."""
    folds = ToyTask.target.sampling.folds(budget.labels, None, None, stream(0, "folds"))
    assert folds is not None
    features = context.features(budget.rows, context.target.readout).features[0]
    units = (features / features.norm(dim=1, keepdim=True)).numpy()
    votes = np.zeros((len(folds), 3))
    for row, fold in enumerate(folds):
        others = np.flatnonzero(folds != fold)
        nearest = others[np.argsort(-(units[others] @ units[row]), kind="stable")[:count]]
        votes[row] = np.bincount(budget.labels[LABEL][nearest], minlength=3)
    logits = np.log((votes + 1 / 3) / (count + 1))
    value = metric.compute(dense(logit=logits), budget.labels, None)
    assert value is not None
    return value * metric.card.direction


@pytest.mark.parametrize("ranked_by", ["accuracy", "log_loss"])
@pytest.mark.parametrize(
    ("target", "metric"), [(ToyTask.target, ACCURACY), (Probable(names=("a", "b", "c")), LOG_LOSS)], ids=["high", "low"]
)
def test_the_number_is_the_one_of_the_best_held_out_score_by_the_targets_own_metric(
    target: Classes, metric: Metric, ranked_by: str, tmp_path: Path
) -> None:
    context, budget = context_of(tmp_path, rank_by(target, ranked_by)), draw()
    scores = {count: held_out_score(context, budget, count, metric) for count in GRID.numbers}
    assert len(set(scores.values())) > 1, "there is something to choose"
    assert fit_nearest(context, budget, GRID).count == max(scores, key=lambda count: scores[count])


def test_numbers_that_a_fold_does_not_have_are_not_tried(tmp_path: Path) -> None:
    model = fit_nearest(context_of(tmp_path), draw(Count(9)), Grid((2, 50), 1))
    assert model.count == 2


def test_budgets_that_are_too_small_to_choose_take_the_default(tmp_path: Path) -> None:
    context = context_of(tmp_path)
    assert fit_nearest(context, draw(Count(3)), Grid((1,), 2)).count == 2
    assert fit_nearest(context, draw(Count(3)), Grid((1,), 50)).count == 3, "which are all there are"


def test_an_example_of_the_budget_is_its_own_nearest(tmp_path: Path) -> None:
    context, budget = context_of(tmp_path), draw()
    model = fit_nearest(context, budget, Grid((1,), 1))
    assert isinstance(model, NearestModel)
    found = model.predict(context.train.raw)["logit"].argmax(axis=1)
    assert (found == budget.labels[LABEL]).mean() > 0.95, "but for features that are equal"
    assert model.parts() is None
    assert model.cost.trainable_parameters == 0


def test_without_labels_there_are_no_neighbours(tmp_path: Path) -> None:
    none = Budget(Count(0), np.empty(0, dtype=np.int64), 0.0, draw().labels.take([]))
    with pytest.raises(DataError, match="a budget of 0 has no labels"):
        fit_nearest(context_of(tmp_path), none, GRID)


@dataclass(frozen=True)
class Unsolved(Classes):
    """Classes whose heads are not solved."""

    @property
    def objective(self) -> Objective:
        return _Unsolved()


class _Unsolved(Objective):
    def head(self, widths: object) -> torch.nn.Module:
        raise AssertionError

    def loss(self, outputs: object, encoded: object, geometry: object) -> Tensor:
        raise AssertionError

    def predict(self, outputs: object, geometry: object) -> Column:
        raise AssertionError

    def problem(self) -> Problem | None:
        return None


def test_a_target_whose_labels_cannot_be_averaged_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match="labels of classes cannot be averaged: leave out strategies of the kind nearest"
    ):
        next(Nearest().fit(context_of(tmp_path, Unsolved(("a", "b", "c"))), [draw()], [Seeds(0, 0)]))
