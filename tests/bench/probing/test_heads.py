"""Heads are solved side by side as they would be alone, once for equal budgets, and kept."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from bench.backbone import Features, Head
from bench.budget import ALL, Budget
from bench.column import Array, Column, Indices, dense
from bench.probing import heads
from bench.probing.heads import CachedHead, Heads, Penalties
from bench.probing.probe import Solved, solve_heads
from bench.runtime.cache import Cache
from bench.target import Codec, Target, rank_by
from bench.targets.classes import Classes
from bench.targets.forecast import Forecast
from bench.targets.value import Standardised, Value
from tests.bench.probing.test_probe import digit_features

PENALTIES = Penalties((1e-3, 1e-2, 1e-1, 1.0), 0.1)
FEATURES, LABELS = digit_features(400)
BUDGETS = [np.sort(np.random.default_rng(seed).permutation(400)[:150]) for seed in range(5)]


@dataclass(frozen=True, slots=True, eq=False)
class Taken:
    """Features of some examples, with their geometry."""

    features: Features
    geometry: Column | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """Features [n, d] of all examples."""

    values: Tensor
    geometry: Column | None = None

    def read(self, rows: Indices) -> Taken:
        geometry = None if self.geometry is None else self.geometry.take(rows)
        return Taken((self.values[torch.from_numpy(rows)],), geometry)


def made(
    folder: Path,
    *,
    target: Target | None = None,
    source: Kept | None = None,
    groups: Array | None = None,
    prior: Head | None = None,
) -> Heads:
    return Heads(
        target or Classes(tuple("0123456789")),
        source or Kept(FEATURES),
        facts=None,
        groups=groups,
        content="digits",
        prior=prior,
        cache=Cache(folder),
    )


def budget(rows: Indices) -> Budget[Column]:
    return Budget(ALL, rows, float(len(rows)), dense(**{"class": LABELS.numpy()[rows]}))


def solve(heads: Heads, *several: Indices, penalties: Penalties = PENALTIES) -> list[CachedHead]:
    return list(heads.solve([budget(rows) for rows in several], penalties))


def assert_same(left: Solved, right: Solved) -> None:
    """Two heads have the same bits."""
    assert left.penalty == right.penalty
    assert torch.equal(left.head.weight, right.head.weight)
    assert torch.equal(left.head.bias, right.head.bias)


def test_a_head_is_the_same_whatever_it_is_solved_with(tmp_path: Path) -> None:
    together = solve(made(tmp_path / "together"), *BUDGETS)
    for rows, kept in zip(BUDGETS, together, strict=True):
        [alone] = solve(made(tmp_path / "alone"), rows)
        assert_same(kept.solved, alone.solved)


def test_heads_come_in_the_order_of_their_budgets(tmp_path: Path) -> None:
    [first] = solve(made(tmp_path), BUDGETS[3])
    backwards = solve(made(tmp_path), *BUDGETS[::-1])
    assert_same(backwards[1].solved, first.solved)


def test_budgets_are_solved_in_one_go_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    solved: list[int] = []

    def count(problem: object, features: Tensor, *rest: object, **settings: object) -> object:
        solved.append(len(features))
        return solve_heads(problem, features, *rest, **settings)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr(heads, "solve_heads", count)
    works = {kept.work for kept in solve(made(tmp_path), *BUDGETS)}
    assert solved == [5]
    assert len({work.key for work in works}) == 5
    assert len({work.seconds for work in works}) == 1
    solve(made(tmp_path), BUDGETS[0])
    assert solved == [5]


def test_equal_budgets_are_one_problem(tmp_path: Path) -> None:
    everything = np.arange(400)
    one, other = solve(made(tmp_path), everything, everything.copy())
    assert one.work == other.work


def test_other_penalties_labels_or_folds_make_another_head(tmp_path: Path) -> None:
    [usual] = solve(made(tmp_path), BUDGETS[0])
    [firm] = solve(made(tmp_path), BUDGETS[0], penalties=Penalties((10.0,), 0.1))
    relabelled: Budget[Column] = Budget(
        ALL, BUDGETS[0], 150.0, dense(**{"class": (LABELS.numpy()[BUDGETS[0]] + 1) % 10})
    )
    [other] = made(tmp_path).solve([relabelled], PENALTIES)
    assert firm.solved.penalty == 10.0
    assert len({usual.work.key, firm.work.key, other.work.key}) == 3
    assert not torch.equal(other.solved.head.weight, usual.solved.head.weight)


@dataclass(frozen=True, slots=True)
class Doubled(Standardised):
    """Values that are learnt as twice of what they are."""

    def encode(self, labels: Column, geometry: Column | None) -> Column:
        return dense(value=2 * labels["value"].astype(np.float32))


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubledValue(Value):
    """A target that reads the labels of another one, and learns them otherwise."""

    @property
    def codec(self) -> Codec:
        return Doubled()


def test_targets_that_read_the_same_labels_have_heads_of_their_own(tmp_path: Path) -> None:
    rows = BUDGETS[0]
    values: Column = dense(value=LABELS.numpy()[rows].astype(np.float64))
    asked = [Budget(ALL, rows, float(len(rows)), values)]
    [alone] = made(tmp_path / "alone", target=DoubledValue()).solve(asked, PENALTIES)
    [plain] = made(tmp_path / "both", target=Value()).solve(asked, PENALTIES)
    [other] = made(tmp_path / "both", target=DoubledValue()).solve(asked, PENALTIES)
    assert_same(other.solved, alone.solved)
    assert other.work.key != plain.work.key
    [ranked] = made(tmp_path / "both", target=rank_by(Value(), "mae")).solve(asked, PENALTIES)
    assert ranked.work.key == plain.work.key, "how errors are counted changes no head"


def test_a_head_is_the_same_if_another_has_another_number_of_folds(tmp_path: Path) -> None:
    labels = LABELS.numpy()
    of_class = [np.flatnonzero(labels == digit) for digit in range(10)]
    budgets = [
        np.sort(np.concatenate([of_class[0][:few], of_class[1][: 11 - few], *(rows[:6] for rows in of_class[2:])]))
        for few in (1, 2, 3, 5)  # as many labels as the rarest class has, so many are the folds: none of one
    ]
    for rows, kept in zip(budgets, solve(made(tmp_path / "together"), *budgets), strict=True):
        [alone] = solve(made(tmp_path / "alone"), rows)
        assert_same(kept.solved, alone.solved)
        assert (alone.solved.penalty == PENALTIES.default) == (rows is budgets[0])


def test_folds_hold_whole_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dealt: list[Tensor] = []

    def keep(problem: object, features: Tensor, labels: Tensor, folds: Tensor, **settings: object) -> object:
        dealt.append(folds)
        return solve_heads(problem, features, labels, folds, **settings)  # type: ignore[arg-type]  # as they came

    monkeypatch.setattr(heads, "solve_heads", keep)
    groups = np.array([f"voice {row // 7}" for row in range(400)])
    solve(made(tmp_path, groups=groups), BUDGETS[0])
    [folds] = dealt[0].tolist()
    pairs = set(zip(groups[BUDGETS[0]].tolist(), folds, strict=True))
    assert len(pairs) == len(set(groups[BUDGETS[0]].tolist()))
    assert len(set(folds)) == 5


def test_windows_are_solved_in_the_geometry_of_each(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    features = torch.from_numpy(generator.standard_normal((50, 4)).astype(np.float32))
    scale = dense(centre=generator.normal(1e6, 1e3, (50, 1)), spread=generator.uniform(1, 9, (50, 1)))
    outputs = features.double().numpy() @ generator.standard_normal((4, 2)) + 0.5
    future = dense(future=outputs * scale["spread"] + scale["centre"])
    rows = np.arange(10, 50)
    heads = made(tmp_path, target=Forecast(2), source=Kept(features, scale))
    [kept] = heads.solve([Budget(ALL, rows, 40.0, future.take(rows))], Penalties((1e-9,), 1e-9))
    head = kept.solved.head
    np.testing.assert_allclose((features @ head.weight + head.bias).numpy(), outputs, atol=1e-3)


def test_a_prior_holds_forecasts_and_is_ignored_where_the_problem_corrects_none(tmp_path: Path) -> None:
    prior = Head(torch.ones(FEATURES.shape[1], 10), torch.ones(10))
    assert_same(
        solve(made(tmp_path / "with", prior=prior), BUDGETS[0])[0].solved,
        solve(made(tmp_path / "without"), BUDGETS[0])[0].solved,
    )
    features = FEATURES[:20]
    scale = dense(centre=np.zeros((20, 1)), spread=np.ones((20, 1)))
    rows, future = np.arange(20), dense(future=np.zeros((20, 2)))
    held = Head(torch.ones(features.shape[1], 2), torch.ones(2))
    heads = made(tmp_path / "held", target=Forecast(2), source=Kept(features, scale), prior=held)
    [kept] = heads.solve([Budget(ALL, rows, 20.0, future)], Penalties((1e9,), 1e9))
    torch.testing.assert_close(kept.solved.head.weight, held.weight)
