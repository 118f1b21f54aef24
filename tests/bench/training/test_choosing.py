"""Rates are chosen on labels of the budget that are held out, the probe among the candidates, and all of it is told."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from bench.backbone import Batch
from bench.budget import ALL, NONE, Budget, Count
from bench.column import Column, dense
from bench.domain import Raw
from bench.domains.series.raw import Windows, scaled
from bench.strategies.finetune import Finetune
from bench.strategies.lora import Lora
from bench.strategy import Seeds, Strategy
from bench.targets.forecast import Forecast
from bench.task import Examples, Split
from bench.training import choosing
from bench.training.adapted import AdaptedNetwork
from bench.training.context import NetworkContext
from bench.training.fitting import NetworkPlan, fit_network
from bench.training.loop import DivergedError
from tests.fitting import drawn, fit, toy_context
from tests.toys import FULL, PARTIAL, PROBE, QUICK, SCRATCH, ToyBackbone, classes_of, toy_split

MANY_TOYS = toy_split(600)
CHOSEN = {"rates": "chosen"}
Tried = list[tuple[float, Budget[Column]]]


class OnWindows(ToyBackbone):
    """The toy network on windows of 16 steps."""

    def prepare(self, raw: Raw) -> Batch:
        assert isinstance(raw, Windows)
        values, scale = scaled(raw)
        return Batch(torch.from_numpy(values), geometry=scale)


def chosen(strategy: Strategy, **settings: object) -> Strategy:
    return strategy.model_copy(update={**CHOSEN, **settings})


def context_of(folder: Path, split: Split = MANY_TOYS) -> NetworkContext:
    return toy_context(folder, split=split, boundaries=(0, 2, 4))


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> Tried:
    """Return the factors and budgets of all networks that are fitted from now on."""
    found: Tried = []

    def recorded(context: NetworkContext, budget: Budget[Column], seeds: Seeds, plan: NetworkPlan) -> AdaptedNetwork:
        found.append((plan.factor, budget))
        return fit_network(context, budget, seeds, plan)

    monkeypatch.setattr(choosing, "fit_network", recorded)
    return found


@pytest.mark.parametrize(("rate", "kept"), [(1e-4, 3e-4), (3.0, 1.0)])
def test_the_rate_is_kept_that_does_best_on_what_is_held_out(rate: float, kept: float, tmp_path: Path) -> None:
    model = fit(chosen(SCRATCH, learning_rate=rate), context_of(tmp_path), drawn(split=MANY_TOYS))
    assert model.cost.learning_rate == pytest.approx(kept)
    assert (model.cost.rates, model.cost.kept) == ("chosen", None)


def test_three_rates_are_tried_on_four_fifths_and_one_is_fitted_on_all(tried: Tried, tmp_path: Path) -> None:
    budget = drawn(Count(100), split=MANY_TOYS)
    fit(chosen(SCRATCH), context_of(tmp_path), budget)
    *trials, last = tried
    assert [factor for factor, _ in trials] == pytest.approx([1, 1 / 3, 3])
    assert last[0] in (1, 1 / 3, 3)
    assert np.array_equal(last[1].rows, budget.rows)
    for _, part in trials:
        assert len(part.rows) == 80
        assert set(part.rows) < set(budget.rows)
        assert np.array_equal(part.labels["class"], classes_of(MANY_TOYS.train)[part.rows])


@pytest.mark.parametrize("n_labels", [40, 5])
def test_where_too_few_labels_can_be_held_out_the_rate_is_the_shipped_one_and_that_is_told(
    n_labels: int, tried: Tried, tmp_path: Path
) -> None:
    cost = fit(chosen(SCRATCH), context_of(tmp_path), drawn(Count(n_labels), split=MANY_TOYS)).cost
    assert (cost.rates, cost.kept, cost.learning_rate) == ("too few labels", None, SCRATCH.learning_rate)
    assert [factor for factor, _ in tried] == [1.0]


def test_without_being_asked_the_shipped_rate_is_taken_and_without_steps_there_is_none(tmp_path: Path) -> None:
    context = context_of(tmp_path)
    cost = fit(SCRATCH, context, drawn(split=MANY_TOYS)).cost
    assert (cost.rates, cost.kept, cost.learning_rate) == ("shipped", None, SCRATCH.learning_rate)
    for strategy in (PROBE, chosen(FULL)):
        asked = ALL if strategy is PROBE else NONE
        cost = fit(strategy, context, drawn(asked, split=MANY_TOYS)).cost
        assert (cost.rates, cost.kept, cost.learning_rate) == (None, None, None)


@pytest.mark.parametrize(("n_labels", "chooses"), [(999, True), (1000, False)])
def test_auto_chooses_below_a_thousand_labels(n_labels: int, chooses: bool) -> None:  # noqa: FBT001 (a parameter)
    assert Finetune(rates="auto").chooses(n_labels) == chooses
    assert Finetune(rates="chosen").chooses(n_labels)
    assert not Finetune().chooses(n_labels)


@pytest.mark.parametrize("strategy", [FULL, PARTIAL, Lora(name="lora", rank=2, **QUICK)], ids=lambda one: one.name)
def test_the_probe_is_kept_where_training_only_harms(strategy: Strategy, tmp_path: Path) -> None:
    context, budget = context_of(tmp_path), drawn(split=MANY_TOYS)
    harmful = chosen(strategy, learning_rate=30.0, head_learning_rate=30.0)
    kept, probe = (fit(one, context, budget) for one in (harmful, PROBE))
    assert (kept.cost.kept, kept.cost.rates, kept.cost.learning_rate) == ("probe", "chosen", None)
    assert (kept.cost.steps, kept.cost.losses) == (0, ())
    assert kept.cost.trainable_parameters == probe.cost.trainable_parameters
    found, expected = (one.predict(context.tested)["logit"] for one in (kept, probe))
    assert np.array_equal(found, expected)


def test_the_network_is_kept_where_training_helps_and_small_budgets_do_not_ask_the_probe(tmp_path: Path) -> None:
    context = context_of(tmp_path)
    helped = chosen(FULL, head="zero", learning_rate=0.03, epochs=30)
    assert fit(helped, context, drawn(split=MANY_TOYS)).cost.kept == "finetuned"
    assert fit(helped, context, drawn(Count(100), split=MANY_TOYS)).cost.kept is None


def test_what_was_tried_is_part_of_the_cost(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def priced(context: NetworkContext, budget: Budget[Column], seeds: Seeds, plan: NetworkPlan) -> AdaptedNetwork:
        model = fit_network(context, budget, seeds, plan)
        return replace(model, cost=replace(model.cost, training_seconds=10.0, seconds=20.0))

    monkeypatch.setattr(choosing, "fit_network", priced)
    cost = fit(chosen(SCRATCH), context_of(tmp_path), drawn(split=MANY_TOYS)).cost
    assert cost.training_seconds == 40.0
    assert cost.seconds >= 80.0


def test_a_rate_that_diverges_is_not_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def brittle(context: NetworkContext, budget: Budget[Column], seeds: Seeds, plan: NetworkPlan) -> AdaptedNetwork:
        if plan.factor > 0.5:
            raise DivergedError("the loss became nan")
        return fit_network(context, budget, seeds, plan)

    monkeypatch.setattr(choosing, "fit_network", brittle)
    model = fit(chosen(SCRATCH), context_of(tmp_path), drawn(split=MANY_TOYS))
    assert model.cost.learning_rate == pytest.approx(SCRATCH.learning_rate / 3)


def test_no_group_is_learnt_from_and_held_out(tried: Tried, tmp_path: Path) -> None:
    train = MANY_TOYS.train
    groups = np.array([f"g{number}" for number in np.random.default_rng(0).integers(0, 20, len(train))])
    split = Split(replace(train, groups=groups), MANY_TOYS.test)
    budget = drawn(split=split)
    fit(chosen(SCRATCH), context_of(tmp_path, split), budget)
    learnt = tried[0][1].rows
    out = np.setdiff1d(budget.rows, learnt)
    assert len(out) >= choosing.FEWEST
    assert not set(groups[learnt]) & set(groups[out])


def test_windows_that_overlap_what_is_held_out_are_not_learnt_from(tried: Tried, tmp_path: Path) -> None:
    steps = 4
    windows = np.lib.stride_tricks.sliding_window_view(np.sin(np.arange(150) / 3), 16 + steps)
    raw = Windows(windows[:, :16].copy(), season=4, unit=np.ones(len(windows)))
    train = Examples(
        raw,
        {"future": dense(future=windows[:, 16:].copy())},
        dense(unit=raw.unit, moment=np.arange(len(windows)), series=np.zeros(len(windows))),
    )
    split, target = Split(train, train.take(np.arange(5))), Forecast(steps)
    context = toy_context(tmp_path, backbone=OnWindows(), target=target, split=split, boundaries=(0, 4))
    budget = drawn(target=target, split=split)
    fit(chosen(SCRATCH), context, budget)
    first_held_out = 4 * len(windows) // 5 + 1
    assert np.array_equal(tried[0][1].rows, np.arange(first_held_out - steps + 1)), "those before its futures"
