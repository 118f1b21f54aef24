"""Fine-tuning stays at a solved head that already fits, unless its network does not begin where that was solved."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from bench.backbone import Stage
from bench.budget import Count
from bench.strategies.finetune import Finetune
from bench.strategy import Strategy
from bench.training.context import NetworkContext
from tests.fitting import drawn, fit, toy_context
from tests.toys import PROBE, SIDE, ToyBackbone, toy_split

SPLIT = toy_split(240)
LONG = {"learning_rate": 0.03, "head_learning_rate": 0.03, "epochs": 40, "batch_size": 8, "penalties": (1e-6,)}
FULL = Finetune(name="full", batch_norm="pretrained", **LONG)


class Plain(Stage):
    """A linear layer without a batch norm."""

    def __init__(self, width_in: int, width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width_in, width)

    def forward(self, values: Tensor, mask: Tensor | None = None) -> Tensor:
        out: Tensor = self.linear(values).relu()
        return out


class Wide(ToyBackbone):
    """A network whose features are so many that a head on few labels fits them all."""

    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.stages = nn.ModuleList([Plain(SIDE * SIDE, 64), *(Plain(64, 64) for _ in range(3))])

    def widths(self, readout: object) -> tuple[int, ...]:
        return (64,)


def context_of(folder: Path, backbone: ToyBackbone) -> NetworkContext:
    return toy_context(folder, backbone=backbone, split=SPLIT, boundaries=(0, 4))


def moved(strategy: Strategy, context: NetworkContext, n_labels: int = 9) -> float:
    """Return how far the predictions of a network end from those of the probe that it starts from, in their spread."""
    budget = drawn(Count(n_labels), split=SPLIT)
    probe = PROBE.model_copy(update={"penalties": strategy.recipe()["penalties"]})
    found, begun = (fit(one, context, budget).predict(context.tested)["logit"] for one in (strategy, probe))
    return float(np.abs(found - begun).mean() / begun.std())


def test_a_network_whose_head_fits_stays_near_the_probe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context = context_of(tmp_path, Wide())
    following = moved(FULL, context)
    monkeypatch.setattr("bench.training.fitting.loss_of_a_fit", lambda *_: 0.0)
    assert following < 0.25 * moved(FULL, context)


def test_a_network_whose_head_does_not_fit_learns_as_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context = context_of(tmp_path, ToyBackbone())
    once = FULL.model_copy(update={"epochs": 1.0, "penalties": (10.0,), "default_penalty": 10.0})
    following = moved(once, context, n_labels=90)
    monkeypatch.setattr("bench.training.fitting.loss_of_a_fit", lambda *_: 0.0)
    assert following == moved(once, context, n_labels=90)


def test_one_that_goes_by_the_statistics_of_each_batch_keeps_its_rate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = context_of(tmp_path, ToyBackbone())
    by_batch = FULL.model_copy(update={"batch_norm": "batch"})
    following = moved(by_batch, context)
    monkeypatch.setattr("bench.training.fitting.loss_of_a_fit", lambda *_: 0.0)
    assert following == moved(by_batch, context)
