"""Fitting models: heads that are solved, and networks that the loop trains."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from torch import nn

from bench.backbone import Reader, TokenStage
from bench.budget import Budget
from bench.cell import Work
from bench.column import Column
from bench.errors import DataError
from bench.probing.heads import CachedHead, Penalties
from bench.probing.linear import put
from bench.runtime.memory import forget_peak
from bench.runtime.precision import frozen_precision
from bench.strategy import Cost, LoopRecipe, Seeds
from bench.subsets.seeds import stream
from bench.training.adapted import (
    AdaptedNetwork,
    count_parameters,
    forward_through,
    fresh_reader,
    supervised,
)
from bench.training.context import NetworkContext
from bench.training.loop import Adaptation, Rate, Term, train
from bench.training.pace import Chosen, Trial
from bench.training.remaining import loss_of_a_fit


@dataclass(frozen=True, slots=True, eq=False)
class NetworkPlan:
    """How a network is to be trained.

    Stages below `frozen` are the backbone's and cached. `begin` returns the others as they start, the same ones each
    time. `learns` returns what learns of them, `along` further terms that are paid beside the labels, `finish` what the
    trained stages become, `penalties` hold the head that is solved to start from. Where none is, it starts from zero,
    or from what is `brought` by the backbone; a whole reader learns by its own loss. All rates of the recipe are
    multiplied by `factor`; where a head is solved, they follow what is left to learn (see `bench.training.remaining`).
    """

    frozen: int
    recipe: LoopRecipe
    begin: Callable[[], nn.ModuleList]
    learns: Callable[[nn.ModuleList], list[Rate]]
    along: Callable[[nn.ModuleList, Reader], list[Term]] = lambda network, reader: []
    finish: Callable[[nn.ModuleList], nn.ModuleList] = lambda network: network
    penalties: Penalties | None = None
    brought: bool = False
    factor: float = 1.0


def fit_heads(
    context: NetworkContext, budgets: Sequence[Budget[Column]], penalties: Penalties
) -> Iterator[AdaptedNetwork]:
    """Yield linear heads on frozen features, all solved together; without a label it is the head that was brought.

    Raises `DataError` where there is neither a label nor a head.
    """
    frozen, readout = context.n_stages, context.target.readout
    works, whole = context.frozen_work(frozen, readout), count_parameters(context.backbone)
    solved = context.heads.solve([budget for budget in budgets if len(budget.rows)], penalties)
    for budget in budgets:
        kept = next(solved) if len(budget.rows) else None
        refuse_nothing(context, budget)
        forget_peak(context.device)
        start = time.perf_counter()
        reader = fresh_reader(context, budget.labels, brought=True)
        if kept is not None:
            put(kept.solved.head, reader.head)
        parameters = count_parameters(reader.head)
        cost = Cost(
            seconds=time.perf_counter() - start,
            precision=frozen_precision(context.device),
            penalty=kept.solved.penalty if kept else None,
            trainable_parameters=parameters,
            total_parameters=whole + parameters,
            work=(*works, *([kept.work] if kept else [])),
        )
        yield AdaptedNetwork(context, frozen, nn.ModuleList(), reader, cost, frozen_precision(context.device))


def refuse_nothing(context: NetworkContext, budget: Budget[Column]) -> None:
    """Raise `DataError` where there is neither a label nor anything that came with the backbone."""
    if not len(budget.rows) and context.brought is None:
        raise DataError(f"{context.backbone.card.name} brings no head for this target: it needs labels")


def fit_network(context: NetworkContext, budget: Budget[Column], seeds: Seeds, plan: NetworkPlan) -> AdaptedNetwork:
    """Return a network trained on a budget.

    Raises `DivergedError`, and `FreezeError` if anything moved that does not learn.
    """
    works, solved = _shared_work(context, budget, plan)
    forget_peak(context.device)
    start = time.perf_counter()
    reader = fresh_reader(context, budget.labels, brought=plan.brought or solved is not None)
    if solved is not None:
        put(solved.solved.head, reader.head)
    begun = _begin(context, budget, reader, plan)
    network, steps = begun.adaptation.network, plan.recipe.steps(begun.n_examples)
    fits = 0.0 if solved is None else loss_of_a_fit(context, budget, reader, network, plan.recipe)
    choosing = time.perf_counter()
    chosen = _choose_precision(context, begun, plan) if steps else Chosen(frozen_precision(context.device))
    training = time.perf_counter()
    losses = train(
        begun.adaptation,
        plan.recipe,
        steps=steps,
        order=stream(seeds.order, "order"),
        precision=chosen.precision,
        fits=fits,
    )
    trained = time.perf_counter()
    context.check_frozen(plan.frozen)
    context.restore(plan.frozen, network, plan.begin)
    network = plan.finish(network)
    cost = Cost(
        seconds=time.perf_counter() - start - (training - choosing),  # the choice outlives this network
        training_seconds=trained - training,
        steps=steps,
        losses=losses,
        learning_rate=plan.recipe.learning_rate * plan.factor if steps else None,
        precision=chosen.precision,
        choice=chosen.choice,
        penalty=solved.solved.penalty if solved else None,
        trainable_parameters=begun.trainable,
        total_parameters=count_parameters(context.backbone) + count_parameters(reader.head),
        work=works,
    )
    return AdaptedNetwork(context, plan.frozen, network, reader, cost, chosen.precision)


class _Begun(NamedTuple):
    """A network before the first step, and the number of its trained parameters, with unused rows of token tables.

    `n_examples` are those that epochs are counted over: of the budget, or without labels of the largest other term.
    """

    adaptation: Adaptation
    trainable: int
    n_examples: int


def _begin(context: NetworkContext, budget: Budget[Column], reader: Reader, plan: NetworkPlan) -> _Begun:
    """Return what the loop is to train, on the device."""
    network = plan.begin()
    whole = count_parameters(network)
    context.prune(plan.frozen, network)
    unused = whole - count_parameters(network)  # rows of a token table that no example of the task looks up
    network.to(context.device)
    rates = plan.learns(network)
    terms = [supervised(context, budget, reader, plan.frozen), *plan.along(network, reader)]
    modules = [module for term in terms for module in term.modules]
    trainable = sum(one.numel() for rate in rates for one in rate.parameters)
    trainable += sum(one.numel() for one in reader.head.parameters() if one.requires_grad)
    trainable += unused if _table_learns(network, rates) else 0
    rates += [Rate(list(module.parameters()), plan.recipe.head_learning_rate) for module in modules]
    rates = [replace(rate, learning_rate=rate.learning_rate * plan.factor) for rate in rates]
    n_examples = len(budget.rows) or max(len(term.inputs) for term in terms)
    return _Begun(Adaptation(network, forward_through(context, network), rates, terms), trainable, n_examples)


def _choose_precision(context: NetworkContext, begun: _Begun, plan: NetworkPlan) -> Chosen:
    """Return the precision to train in."""
    card = context.backbone.card
    trial = Trial(
        task=context.task,
        backbone=card.name,
        depth=1 - plan.frozen / context.n_stages,
        name=f"{card.sha256} {context.content}",
        adaptation=begun.adaptation,
        recipe=plan.recipe,
    )
    return context.precisions.choose(trial, begun.trainable)


def _shared_work(
    context: NetworkContext, budget: Budget[Column], plan: NetworkPlan
) -> tuple[tuple[Work, ...], CachedHead | None]:
    """Return the work that a network shares with others, and the head to start from; makes what is missing."""
    readout = context.readout(brought=plan.brought)
    works = context.frozen_work(plan.frozen, readout)
    if plan.penalties is None or not context.solves or not len(budget.rows):
        return tuple(works), None
    solved = next(context.heads.solve([budget], plan.penalties))
    return tuple(dict.fromkeys([*works, *context.frozen_work(context.n_stages, readout), solved.work])), solved


def _table_learns(network: nn.ModuleList, rates: Sequence[Rate]) -> bool:
    """Return whether the lowest stage has a token table that learns."""
    learning = {id(parameter) for rate in rates for parameter in rate.parameters}
    return any(isinstance(stage, TokenStage) and id(stage.table.weight) in learning for stage in network[:1])


def stage_rates(network: nn.ModuleList, recipe: LoopRecipe) -> list[Rate]:
    """Return a rate for every stage, the uppermost learning fastest."""
    return [
        Rate(list(stage.parameters()), recipe.learning_rate * recipe.layer_decay**height)
        for height, stage in enumerate(reversed(network))
    ]
