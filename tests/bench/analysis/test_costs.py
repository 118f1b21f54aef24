"""Shared work counts once in what was spent, and for every cell in what it would have cost alone."""

from dataclasses import replace

from bench.analysis.costs import add_up
from bench.budget import ALL
from bench.cell import FROZEN, HEAD, Cell, Work
from tests.bench.analysis.example import result

CELL = Cell("pictures", "bundled:eyes", "linear_probe", ALL, 0)


def test_shared_work_is_spent_once_and_saved_by_the_others() -> None:
    features, head = Work(FROZEN, "features", 10.0), Work(HEAD, "head", 2.0)
    plain = replace(result(CELL, "k", 0.5), seconds=1.0, training_seconds=0.5, evaluation_seconds=0.25, shared=())
    costs = add_up([replace(plain, shared=(features, head)), replace(plain, shared=(features,)), plain])
    assert costs.spent["frozen"] == 10.0
    assert costs.spent["head"] == 2.0
    assert costs.spent["training"] == 1.5
    assert costs.spent["evaluation"] == 0.75
    assert costs.spent["overhead"] == 0.75
    assert costs.total == 15.0
    assert costs.alone == 25.0
