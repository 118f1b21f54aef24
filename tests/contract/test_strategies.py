"""Every strategy keeps its word: labels reach it through its budget alone, and what is frozen stays frozen."""

import copy
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import pytest
import torch
from bench_tasks import FAMILIES

from bench.backbone import state_hash
from bench.budget import ALL, Asked, Budget, Share
from bench.column import Column, dense
from bench.config.reading import read_config
from bench.context import Context
from bench.errors import DataError, FreezeError
from bench.execution.engine import Engine
from bench.planning.budgets import Budgets
from bench.planning.plan import group_into_jobs
from bench.registry import STRATEGIES as KINDS
from bench.registry import names
from bench.runtime.cache import Cache
from bench.strategies.classical import Classical
from bench.strategies.finetune import Finetune
from bench.strategies.lora import Lora
from bench.strategies.nearest import Nearest
from bench.strategies.small import Small
from bench.strategy import BACKBONE, Model, Seeds, Strategy
from bench.targets.classes import LABEL
from bench.task import Split
from bench.testing import STRATEGY_CHECKS, StrategyCase, StrategyCheck
from bench.training.adapted import AdaptedNetwork
from bench.training.context import NetworkContext
from tests.toys import FULL, PARTIAL, PROBE, QUICK, SCRATCH, STAGES, ToyBackbone, ToyTask, toy_cell, toy_split

CONFIG: Final = Path(__file__).parents[2] / "bench.toml"

OTHERS: Final[tuple[Strategy, ...]] = (
    Lora(name="lora", rank=2, **QUICK),
    Lora(name="upper lora", rank=2, trained=0.5, head="zero", **QUICK),
    Nearest(name="nearest"),
    Small(name="small", learning_rate=1e-3, head_learning_rate=1e-3, epochs=2),
)
"""Strategies of kinds that the bundled suites do not use."""

CHOOSING: Final[tuple[Strategy, ...]] = tuple(
    one.model_copy(update={"name": f"{one.name}, rates chosen", "rates": "chosen"})
    for one in (SCRATCH, FULL, OTHERS[1])
)
"""Strategies that hold labels out, where there are enough of them."""

QUICKLY: Final[Mapping[str, Strategy]] = {
    one.name: one
    for one in (SCRATCH, PROBE, PARTIAL, FULL, Classical(name="classical", penalties=(0.01, 0.1)), *OTHERS)
}
ADAPTING: Final = [one for one in QUICKLY.values() if BACKBONE in one.requires]
TRAINED: Final = [one for one in ADAPTING if isinstance(one, Finetune | Lora)]
SEEDS: Final = Seeds(0, 0)


def by_name(strategies: Iterable[Strategy]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("strategy", strategies, ids=lambda strategy: strategy.name)


every_strategy = by_name(QUICKLY.values())
every_adapting_one = by_name(ADAPTING)
every_trained_one = by_name(TRAINED)


def context_of(folder: Path, split: Split | None = None, *, restless: bool = False) -> NetworkContext:
    split = split or toy_split()
    return NetworkContext(
        "toy",
        ToyTask.target,
        split,
        ToyBackbone(restless=restless),
        needed=np.arange(len(split.train)),
        boundaries=frozenset({2, 4}),
        content="toy",
        cache=Cache(folder),
        device=torch.device("cpu"),
    )


def budgets_of(split: Split) -> Budgets:
    return Budgets(ToyTask.target, split.train.labels[LABEL], split.train.facts)


def draw(asked: Asked = ALL, seed: int = 0, split: Split | None = None) -> Budget[Column]:
    return budgets_of(split or toy_split()).draw(asked, seed)


def fit(strategy: Strategy, context: Context, budget: Budget[Column], seeds: Seeds = SEEDS) -> Model:
    [model] = strategy.fit(context, [budget], [seeds])
    return model


def logits(model: Model, context: Context) -> np.ndarray:
    found: np.ndarray = model.predict(context.tested)["logit"]
    return found


def network_of(model: Model) -> AdaptedNetwork:
    assert isinstance(model, AdaptedNetwork)
    return model


def test_there_is_a_strategy_of_every_kind_here_and_all_of_the_config() -> None:
    assert {one.kind for one in QUICKLY.values()} == set(names(KINDS))
    assert {one.name for one in read_config(CONFIG, FAMILIES).suite("all").entries[0].strategies} <= QUICKLY.keys()


@pytest.mark.parametrize("check", STRATEGY_CHECKS, ids=lambda check: check.__name__)
@every_strategy
def test_the_contract_is_kept(strategy: Strategy, check: StrategyCheck, tmp_path: Path) -> None:
    check(StrategyCase(strategy, ToyTask(), ToyBackbone(), tmp_path))


class ManyToys(ToyTask):
    """The toys, with enough of them to hold out labels for a choice between rates, and between probe and network."""

    def split(self, fold: int, cache: Cache) -> Split:
        return toy_split(1200)


@pytest.mark.parametrize("check", STRATEGY_CHECKS, ids=lambda check: check.__name__)
@by_name(CHOOSING)
def test_the_contract_is_kept_where_rates_are_chosen(strategy: Strategy, check: StrategyCheck, tmp_path: Path) -> None:
    check(StrategyCase(strategy, ManyToys(), ToyBackbone(), tmp_path))


@by_name(CHOOSING)
def test_rates_are_chosen_on_the_budgets_of_the_contract(strategy: Strategy, tmp_path: Path) -> None:
    case = StrategyCase(strategy, ManyToys(), ToyBackbone(), tmp_path)
    cost = case.fit(case.context("any"), case.draw(Share(0.5), 1)).cost
    assert cost.rates == "chosen"
    assert (cost.kept is None) == (strategy.start == "random")


@every_strategy
def test_a_context_holds_no_labels_and_one_that_is_in_the_budget_counts(strategy: Strategy, tmp_path: Path) -> None:
    context, budget = context_of(tmp_path), draw()
    assert not context.train.labels
    turned = np.roll(budget.labels[LABEL], 1)
    other: Budget[Column] = Budget(budget.asked, budget.rows, budget.amount, dense(**{LABEL: turned}))
    assert not np.array_equal(
        logits(fit(strategy, context, budget), context), logits(fit(strategy, context, other), context)
    )


@every_strategy
def test_a_model_is_the_same_after_others_and_whatever_was_drawn(strategy: Strategy, tmp_path: Path) -> None:
    budget, seeds = draw(Share(0.5), 1), Seeds(1, 1)
    alone = context_of(tmp_path / "alone")
    first = logits(fit(strategy, alone, budget, seeds), alone)
    context = context_of(tmp_path / "shared")
    torch.manual_seed(99)
    for other in (PROBE, FULL, SCRATCH, PARTIAL):
        fit(other, context, draw(Share(0.3)))
    assert np.array_equal(logits(fit(strategy, context, budget, seeds), context), first)


@every_trained_one
def test_exactly_the_stages_above_the_boundary_are_trained(strategy: Strategy, tmp_path: Path) -> None:
    context = context_of(tmp_path)
    model = network_of(fit(strategy, context, draw()))
    before = [state_hash(stage) for stage in context.backbone.stages]
    trained = round(strategy.trained_fraction * len(STAGES))
    assert model.frozen == len(STAGES) - trained
    after = [state_hash(stage) for stage in model.network]
    assert len(after) == trained
    assert all(now != was for now, was in zip(after, before[model.frozen :], strict=True))


@by_name([one for one in TRAINED if isinstance(one, Finetune)])
def test_what_learns_is_counted(strategy: Strategy, tmp_path: Path) -> None:
    context = context_of(tmp_path)
    model = network_of(fit(strategy, context, draw()))
    head = 3 * (context.backbone.card.width + 1)
    in_stages = sum(p.numel() for stage in context.backbone.stages[model.frozen :] for p in stage.parameters())
    assert model.cost.trainable_parameters == in_stages + head


@every_trained_one
def test_another_seed_is_another_model(strategy: Strategy, tmp_path: Path) -> None:
    context = context_of(tmp_path)
    one, other = (logits(fit(strategy, context, draw(), Seeds(seed, seed)), context) for seed in (0, 1))
    assert (one != other).any()


@by_name([PROBE, PARTIAL, QUICKLY["nearest"], QUICKLY["upper lora"]])
def test_a_frozen_stage_that_moves_a_buffer_fails(strategy: Strategy, tmp_path: Path) -> None:
    context = context_of(tmp_path, restless=True)
    with pytest.raises(FreezeError, match="stage 'first' of toy:dense was to stay frozen"):
        fit(strategy, context, draw())


def test_a_stage_that_is_trained_may_move_its_buffers(tmp_path: Path) -> None:
    full = FULL.model_copy(update={"head": "zero"})
    assert fit(full, context_of(tmp_path, restless=True), draw()).cost.steps > 0


def test_batch_norm_below_the_boundary_keeps_its_statistics(tmp_path: Path) -> None:
    context = context_of(tmp_path)
    before = copy.deepcopy(context.backbone.stages[0].state_dict())
    fit(PARTIAL, context, draw())
    for name, tensor in context.backbone.stages[0].state_dict().items():
        assert torch.equal(tensor, before[name]), name


def test_fine_tuning_from_the_solved_head_starts_where_the_probe_ends(tmp_path: Path) -> None:
    context = context_of(tmp_path)
    still = FULL.model_copy(update={"learning_rate": 1e-12, "head_learning_rate": 1e-12, "batch_norm": "pretrained"})
    begun, solved = (logits(fit(one, context, draw()), context) for one in (still, PROBE))
    np.testing.assert_allclose(begun, solved, atol=1e-4)


def test_a_budget_without_room_for_every_class_says_how_many_labels_would_do() -> None:
    with pytest.raises(
        DataError,
        match=r"0\.04 is 1 of 30 labelled examples, too few for one example of each of 3 classes: ask for 3 or",
    ):
        draw(Share(0.04))


def test_a_cell_that_varies_one_stream_differs_by_that_stream_alone(tmp_path: Path) -> None:
    task = ToyTask()
    engine = Engine(lambda *_: task, lambda _: ToyBackbone(), cache=Cache(tmp_path), device="cpu")

    def predictions(strategy: Strategy, seed: int, varied: str, budget: Asked = ALL) -> np.ndarray:
        planned = toy_cell(strategy, budget=budget, seed=seed)
        [job] = group_into_jobs([replace(planned, cell=replace(planned.cell, varied=varied))])
        [output] = engine.run(job)
        assert output.predictions is not None, output.outcome
        found: np.ndarray = output.predictions["logit"]
        return found

    first, second = (predictions(SCRATCH, seed, "all") for seed in (0, 1))
    order, weights = (predictions(SCRATCH, 1, varied) for varied in ("order", "initialisation"))
    assert np.array_equal(predictions(SCRATCH, 1, "subset"), first), "with all labels the subset is the same"
    assert not any(np.array_equal(one, other) for one in (order, weights) for other in (first, second))
    assert not np.array_equal(order, weights)
    half = [
        predictions(PROBE, seed, varied, Share(0.5))
        for seed, varied in ((0, "all"), (1, "all"), (1, "order"), (1, "subset"))
    ]
    assert np.array_equal(half[2], half[0]), "the labels of seed 0"
    assert np.array_equal(half[3], half[1]), "the labels of seed 1"
    assert not np.array_equal(half[0], half[1])
