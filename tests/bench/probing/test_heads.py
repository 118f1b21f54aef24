"""Heads are solved side by side as they would be alone, once for equal budgets, and kept."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from bench.domain import Indices
from bench.probing import heads
from bench.probing.heads import Heads
from bench.probing.probe import solve_heads
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


def test_a_head_is_the_same_whatever_it_is_solved_with(tmp_path: Path) -> None:
    together = made(tmp_path / "together")
    for rows in BUDGETS:
        alone = made(tmp_path / "alone").solve(rows, recipe=RECIPE).solved
        packed = together.solve(rows, recipe=RECIPE, companions=BUDGETS).solved
        assert packed.penalty == alone.penalty
        torch.testing.assert_close(packed.head.weight, alone.head.weight, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(packed.head.bias, alone.head.bias, rtol=1e-4, atol=1e-4)


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


def test_a_budget_too_small_for_folds_may_be_packed_with_one_that_has_some(tmp_path: Path) -> None:
    labels = LABELS.numpy()
    ones = [np.flatnonzero(labels == digit)[:2] for digit in range(10)]
    lone = np.sort(np.concatenate([ones[0][:1], *ones[1:], np.flatnonzero(labels == 1)[2:3]]))
    paired = np.sort(np.concatenate(ones))
    kept = made(tmp_path)
    assert kept.solve(lone, recipe=RECIPE, companions=[paired]).solved.penalty == RECIPE.default_penalty
    assert (
        made(tmp_path / "alone").solve(paired, recipe=RECIPE).solved.penalty
        == kept.solve(paired, recipe=RECIPE).solved.penalty
    )
