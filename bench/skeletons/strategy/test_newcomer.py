"""The strategy keeps the contract, on the first examples of a bundled task."""

from pathlib import Path

import pytest
from bench_tasks import load_family

from bench.backbones.loading import load_backbone
from bench.registry import STRATEGIES, load_class
from bench.strategy import Strategy
from bench.testing import STRATEGY_CHECKS, FirstExamples, StrategyCase, StrategyCheck


@pytest.mark.parametrize("check", STRATEGY_CHECKS, ids=lambda check: check.__name__)
def test_the_contract_is_kept(check: StrategyCheck, tmp_path: Path) -> None:
    kind = load_class(STRATEGIES, "newcomer", Strategy)  # type: ignore[type-abstract]  # it is not
    strategy = kind.model_validate({"name": "newcomer", "epochs": 1, "batch_size": 16})
    task = FirstExamples(load_family("digits"), 60)
    check(StrategyCase(strategy, task, load_backbone("bundled:glyphs"), tmp_path))
