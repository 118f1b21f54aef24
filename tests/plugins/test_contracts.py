"""Plug-ins of packages of their own keep the contracts, as `bench.testing` checks them."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from bench_tasks import load_family

from bench.backbone import Backbone
from bench.backbones.loading import load_backbone
from bench.runtime.cache import Cache
from bench.testing import (
    BACKBONE_CHECKS,
    STRATEGY_CHECKS,
    TARGET_CHECKS,
    TASK_CHECKS,
    BackboneCheck,
    StrategyCase,
    StrategyCheck,
    TargetCase,
    TargetCheck,
    TaskCheck,
)
from tests.plugins.pairs import TASKS, Pair, fitting, strategy_named

loaded = cache(load_backbone)


def task_and_backbone(name: str) -> Backbone:
    return loaded(TASKS[name])


@pytest.mark.parametrize("check", TASK_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", TASKS)
def test_every_task_keeps_the_contract(check: TaskCheck, name: str, tmp_path: Path) -> None:
    check(load_family(name), Cache(tmp_path))


@pytest.mark.parametrize("check", BACKBONE_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", ["lights", "melodies", "shapes", "paint"])
def test_every_backbone_keeps_the_contract(check: BackboneCheck, name: str, tmp_path: Path) -> None:
    raw = load_family(name).split(0, Cache(tmp_path)).test.raw
    check(loaded(TASKS[name]), raw.take(np.arange(6)))


@pytest.mark.parametrize("check", TARGET_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", TASKS)
def test_every_target_keeps_the_contract(check: TargetCheck, name: str, tmp_path: Path) -> None:
    task = load_family(name)
    check(TargetCase(task.target, task.split(0, Cache(tmp_path)), loaded(TASKS[name])))


@pytest.mark.parametrize("check", STRATEGY_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("pair", list(fitting()), ids="-".join)
def test_every_pair_keeps_the_contract(check: StrategyCheck, pair: Pair, tmp_path: Path) -> None:
    task, strategy = load_family(pair.task), strategy_named(pair.strategy)
    check(StrategyCase(strategy, task, loaded(TASKS[pair.task]), tmp_path))
