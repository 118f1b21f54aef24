"""What every strategy is held to: checks of one strategy on a task and, unless it needs none, a backbone."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
import torch

from bench.backbone import Backbone, Reader, state_hash
from bench.budget import ALL, NONE, Asked, Budget, Share
from bench.column import Column, digest
from bench.context import Context
from bench.errors import DataError
from bench.planning.budgets import Budgets
from bench.runtime.cache import Cache
from bench.scoring import score
from bench.strategy import BACKBONE, BROUGHT_HEAD, LABELS, LABELS_OR_HEAD, Model, Seeds, Strategy
from bench.target import Target
from bench.task import Examples, Split, Task, fingerprint
from bench.testing.tasks import labels_of
from bench.training.context import NetworkContext

FEW: Final = 5
SEEDS: Final = Seeds(1, 1)
HALF: Final = Share(0.5)


@dataclass(frozen=True, eq=False)
class StrategyCase:
    """A strategy with the task and the backbone that it is checked on; what is computed is kept below `folder`."""

    strategy: Strategy
    task: Task
    backbone: Backbone
    folder: Path

    @cached_property
    def split(self) -> Split:
        """The split that tests fold 0."""
        return self.task.split(0, Cache(self.folder / "data"))

    def context(self, name: str, split: Split | None = None) -> Context:
        """Return what the strategy may see of the split, with a cache of its own under this name."""
        data, cache, content = split or self.split, Cache(self.folder / name), "the same for all"
        name, needed = self.task.card.name, np.arange(len(data.train))
        if BACKBONE not in self.strategy.requires:
            return Context(name, self.task.target, data, needed=needed, content=content, cache=cache)
        return NetworkContext(
            name,
            self.task.target,
            data,
            self.backbone,
            needed=needed,
            boundaries=self.strategy.boundaries(len(self.backbone.stages)),
            content=content,
            cache=cache,
            device=torch.device("cpu"),
        )

    def draw(self, asked: Asked, seed: int, split: Split | None = None) -> Budget[Column]:
        """Return a budget of the split."""
        train = (split or self.split).train
        return Budgets(self.task.target, labels_of(self.task.target, train), train.facts).draw(asked, seed)

    def fit(self, context: Context, budget: Budget[Column], seeds: Seeds = SEEDS) -> Model:
        """Return the one model of a budget."""
        [model] = self.strategy.fit(context, [budget], [seeds])
        return model

    def predicted(self, context: Context, budget: Budget[Column], seeds: Seeds = SEEDS) -> Column:
        """Return the predictions of the test split by the model of a budget."""
        return self.fit(context, budget, seeds).predict(context.tested)


StrategyCheck = Callable[[StrategyCase], None]


def check_strategy(strategy: Strategy, task: Task, backbone: Backbone, folder: Path) -> None:
    """Assert all that a strategy is held to, on a task of tiny data and a backbone of its domain."""
    for place, check in enumerate(STRATEGY_CHECKS):
        check(StrategyCase(strategy, task, backbone, folder / str(place)))


def its_settings_make_it_again(case: StrategyCase) -> None:
    recipe = json.loads(json.dumps(case.strategy.recipe()))
    assert recipe.pop("kind") == case.strategy.kind, "the recipe begins with the kind"
    again = type(case.strategy).model_validate({**recipe, "name": case.strategy.name})
    assert again == case.strategy, f"its settings make another one, {again!r}"
    assert hash(again) == hash(case.strategy), "strategies are told apart by their settings"


def labels_reach_it_through_its_budget_alone(case: StrategyCase) -> None:
    """All labels outside the budget and all test labels are noise, and the predictions are the same bit for bit."""
    budget = case.draw(HALF, 1)
    noisy = blinded(case.split, case.task.target, budget.rows)
    own = Budget(budget.asked, budget.rows, budget.amount, labels_of(case.task.target, noisy.train).take(budget.rows))
    assert digest(own.labels) == digest(budget.labels), "the labels of the budget are what they were"
    true = case.predicted(case.context("true"), budget)
    noise = case.predicted(case.context("noisy", noisy), own)
    assert digest(true) == digest(noise), "labels outside the budget reached the strategy"


def a_context_holds_no_labels(case: StrategyCase) -> None:
    train = case.context("any").train
    assert not train.labels, "labels are in budgets alone"
    assert train.names is None, "names of examples may say their labels, as paths do"


def budgets_that_are_fitted_together_have_the_models_that_they_have_alone(case: StrategyCase) -> None:
    asked: Sequence[tuple[Asked, int]] = [(HALF, 0), (HALF, 1), (ALL, 0)]
    budgets, seeds = [case.draw(*one) for one in asked], [Seeds(seed, seed) for _, seed in asked]
    context = case.context("together")
    models = case.strategy.fit(context, budgets, seeds)
    together = [digest(model.predict(context.tested)) for model in models]
    assert len(together) == len(budgets), "a model for each budget"
    for place, (budget, seed) in enumerate(zip(budgets, seeds, strict=True)):
        alone = digest(case.predicted(case.context(f"alone {place}"), budget, seed))
        assert alone == together[place], f"the budget {asked[place]} has another model beside others"


def a_model_is_the_same_whatever_was_drawn_before(case: StrategyCase) -> None:
    budget = case.draw(HALF, 1)
    first = digest(case.predicted(case.context("first"), budget))
    state = torch.get_rng_state()
    torch.manual_seed(99)
    second = digest(case.predicted(case.context("second"), budget))
    torch.set_rng_state(state)
    assert first == second, "a model depends on its seeds alone"


def the_shared_backbone_stays_as_it_was(case: StrategyCase) -> None:
    before, brought = state_hash(case.backbone), case.backbone.brings(case.task.target)
    head = state_hash(brought.head) if isinstance(brought, Reader) else ""
    case.predicted(case.context("any"), case.draw(HALF, 0))
    assert state_hash(case.backbone) == before, "strategies train copies"
    if isinstance(brought, Reader):
        assert state_hash(brought.head) == head, "strategies train a copy of what is brought"


def predictions_are_scored_and_do_not_depend_on_who_asks(case: StrategyCase) -> None:
    context, target, test = case.context("any"), case.task.target, case.split.test
    model = case.fit(context, case.draw(HALF, 0))
    predictions = model.predict(context.tested)
    assert len(predictions) == len(test), "a prediction for each test example"
    labels = labels_of(target, test)
    blocks = target.sampling.blocks(labels, test.facts, test.groups, fingerprint(case.split))
    values = score(target.metrics, predictions, labels, test.facts, blocks).values
    assert values[target.metrics[0].card.name] is not None, "the score of a model is defined: it ranks"
    again = model.predict(context.tested.take(np.arange(len(test))))  # equal, but not known to be the test split
    for name, array in predictions.arrays().items():
        _close(name, again.arrays()[name], array)


def its_cost_is_told(case: StrategyCase) -> None:
    cost = case.fit(case.context("any"), case.draw(HALF, 0)).cost
    assert 0 <= cost.training_seconds <= cost.seconds, "what trains is a part of all that was done"
    assert cost.trainable_parameters >= 0, "parameters are counted"
    assert (cost.steps > 0) == bool(cost.losses), "there are losses where there are steps"


def without_labels_it_says_what_it_can_do(case: StrategyCase) -> None:
    """One that requires labels is not asked; any other predicts, or says what it lacks.

    With all labels noise the predictions are the same bit for bit. One that asks for what a backbone brings predicts.
    """
    requires = case.strategy.requires
    if LABELS in requires:
        return
    context, nothing = case.context("any"), case.draw(NONE, 0)
    try:
        predictions = case.predicted(context, nothing)
    except DataError:
        asks = bool({LABELS_OR_HEAD, BROUGHT_HEAD} & requires)
        assert not asks or case.backbone.brings(case.task.target) is None, "what is brought is enough"
        return
    assert len(predictions) == len(context.tested), "a prediction for each test example"
    noisy = blinded(case.split, case.task.target, nothing.rows)
    blind = case.predicted(case.context("noisy", noisy), case.draw(NONE, 0, noisy))
    assert digest(predictions) == digest(blind), "labels reached the strategy at a budget that has none"


STRATEGY_CHECKS: Final[tuple[StrategyCheck, ...]] = (
    its_settings_make_it_again,
    labels_reach_it_through_its_budget_alone,
    a_context_holds_no_labels,
    budgets_that_are_fitted_together_have_the_models_that_they_have_alone,
    a_model_is_the_same_whatever_was_drawn_before,
    the_shared_backbone_stays_as_it_was,
    predictions_are_scored_and_do_not_depend_on_who_asks,
    its_cost_is_told,
    without_labels_it_says_what_it_can_do,
)
"""Each asserts one thing of a strategy."""


def blinded(split: Split, target: Target, kept: np.ndarray) -> Split:
    """Return a split whose labels and names are noise, but for those of the training rows `kept`.

    Each other label is replaced by that of one of a few others: not even their frequencies stay. Names, which may say
    labels, are replaced alike; paths inside raw examples in files stay, since they are how these are read.
    """
    nothing = np.empty(0, dtype=np.int64)
    train, test = _noisy(split.train, target, kept), _noisy(split.test, target, nothing)
    return replace(split, train=train, test=test)


def _noisy(examples: Examples, target: Target, kept: np.ndarray) -> Examples:
    order = np.arange(len(examples))
    hidden = np.setdiff1d(order, kept)
    order[hidden] = np.random.default_rng(0).choice(hidden[:FEW], len(hidden))
    labels = {name: column.take(order) for name, column in examples.labels.items()}
    before, after = examples.labels[target.reads], labels[target.reads]
    assert digest(before) != digest(after), "the data are too few or too much alike for this check"
    return replace(examples, labels=labels, names=None if examples.names is None else examples.names[order])


def _close(name: str, found: np.ndarray, expected: np.ndarray) -> None:
    if expected.dtype.kind == "f":
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5, err_msg=name)
    else:
        np.testing.assert_array_equal(found, expected, err_msg=name)
