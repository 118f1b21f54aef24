"""Heads are solved side by side as they would be alone, once for equal budgets, and kept."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from bench.domain import Indices
from bench.probing import heads
from bench.probing.heads import Heads
from bench.probing.probe import Solved, solve_heads
from bench.runtime.cache import Cache
from bench.strategy import Recipe
from bench.target import Classes
from tests.bench.probing.test_probe import digit_features

RECIPE = Recipe(penalties=(1e-3, 1e-2, 1e-1, 1.0))
FEATURES, LABELS = digit_features(400)
BUDGETS = [np.sort(np.random.default_rng(seed).permutation(400)[:150]) for seed in range(5)]


def made(folder: Path) -> Heads:
    def features(rows: Indices) -> Tensor:
        return FEATURES[torch.from_numpy(rows)]

    return Heads(
        Classes(tuple("0123456789")),
        LABELS.numpy(),
        LABELS,
        features,
        content="digits",
        prior=None,
        cache=Cache(folder),
    )


def assert_same(left: Solved, right: Solved) -> None:
    """Two heads have the same bits."""
    assert left.penalty == right.penalty
    assert torch.equal(left.head.weight, right.head.weight)
    assert torch.equal(left.head.bias, right.head.bias)


def test_a_head_is_the_same_whatever_it_is_solved_with(tmp_path: Path) -> None:
    together = made(tmp_path / "together")
    for rows in BUDGETS:
        alone = made(tmp_path / "alone").solve(rows, recipe=RECIPE).solved
        assert_same(together.solve(rows, recipe=RECIPE, companions=BUDGETS).solved, alone)


def test_companions_are_solved_in_one_go_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    solved: list[int] = []

    def count(target: object, features: Tensor, *rest: object, **settings: object) -> object:
        solved.append(len(features))
        return solve_heads(target, features, *rest, **settings)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr(heads, "solve_heads", count)
    kept = made(tmp_path)
    works = {kept.solve(rows, recipe=RECIPE, companions=BUDGETS).work for rows in BUDGETS}
    assert solved == [5]
    assert len({work.key for work in works}) == 5
    assert len({work.seconds for work in works}) == 1
    made(tmp_path).solve(BUDGETS[0], recipe=RECIPE)
    assert solved == [5]


def test_equal_budgets_are_one_problem(tmp_path: Path) -> None:
    kept = made(tmp_path)
    everything = np.arange(400)
    assert kept.solve(everything, recipe=RECIPE).work == kept.solve(everything.copy(), recipe=RECIPE).work


def test_other_penalties_make_another_head(tmp_path: Path) -> None:
    kept = made(tmp_path)
    firm = RECIPE.model_copy(update={"penalties": (10.0,)})
    assert kept.solve(BUDGETS[0], recipe=firm).work.key != kept.solve(BUDGETS[0], recipe=RECIPE).work.key
    assert kept.solve(BUDGETS[0], recipe=firm).solved.penalty == 10.0


def test_a_head_is_the_same_if_a_companion_has_another_number_of_folds(tmp_path: Path) -> None:
    labels = LABELS.numpy()
    of_class = [np.flatnonzero(labels == digit) for digit in range(10)]
    budgets = [
        np.sort(np.concatenate([of_class[0][:few], of_class[1][: 11 - few], *(rows[:6] for rows in of_class[2:])]))
        for few in (1, 2, 3, 5)  # as many labels as the rarest class has, so many are the folds: none of one
    ]
    together = made(tmp_path / "together")
    for rows in budgets:
        alone = made(tmp_path / "alone").solve(rows, recipe=RECIPE).solved
        assert_same(together.solve(rows, recipe=RECIPE, companions=budgets).solved, alone)
        assert (alone.penalty == RECIPE.default_penalty) == (rows is budgets[0])
