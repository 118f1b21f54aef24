"""Solved heads are where an independent solver ends up."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from bench_tasks.bundled.digits import Digits
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.linear_model import Ridge as ReferenceRidge
from torch import Tensor

from bench.backbone import Head
from bench.domains.vision.raw import ImageArray
from bench.probing import probe
from bench.probing.probe import Solved, solve_heads
from bench.probing.problem import Problem, Ridge, Softmax
from bench.runtime.cache import Cache
from bench.targets.forecast import Forecast
from tests.toys import classes_of

PENALTIES = (1e-3, 1e-2, 1e-1, 1.0)


def solve_head(
    problem: Problem,
    features: Tensor,
    labels: Tensor,
    folds: Tensor | None,
    *,
    default: float,
    prior: Head | None = None,
) -> Solved:
    """Return the head of one budget."""
    dealt = None if folds is None else folds[None]
    return solve_heads(problem, features[None], labels[None], dealt, penalties=PENALTIES, default=default, prior=prior)[
        0
    ]


def scaled(features: Tensor) -> np.ndarray:
    """Return the features as the solver sees them: centred, mean square 1."""
    centred = features.double() - features.double().mean(0)
    return (centred / centred.square().mean().sqrt()).numpy()


def digit_features(n: int) -> tuple[Tensor, Tensor]:
    """Return real digits through a random layer: correlated, skewed, not quite separable."""
    train = Digits().split(0, Cache(Path())).train
    assert isinstance(train.raw, ImageArray)
    pixels = torch.from_numpy(train.raw.pixels).float().flatten(1) / 255
    mix = torch.randn(64, 96, generator=torch.Generator().manual_seed(0))
    return (pixels @ mix).relu()[:n], torch.from_numpy(classes_of(train))[:n]


@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("n", [50, 600])
def test_a_classifying_head_is_scikit_learns_logistic_regression(n: int, penalty: float) -> None:
    features, labels = digit_features(n)
    solved = solve_head(Softmax(10), features, labels, None, default=penalty)
    x = scaled(features)
    reference = LogisticRegression(C=1 / (n * penalty), tol=1e-8, max_iter=20_000).fit(x, labels)
    ours = (features @ solved.head.weight + solved.head.bias).numpy()
    theirs = reference.decision_function(x)
    assert (ours.argmax(1) != theirs.argmax(1)).sum() <= 1
    np.testing.assert_allclose(ours - ours.mean(1, keepdims=True), theirs, atol=0.02 * theirs.std())


def test_two_classes_are_no_special_case() -> None:
    features, labels = digit_features(200)
    binary = (labels > 4).long()
    solved = solve_head(Softmax(2), features, binary, None, default=0.1)
    x = scaled(features)
    # With two weight vectors, of opposite sign, the same penalty counts half as much as on their difference.
    reference = LogisticRegression(C=2 / (200 * 0.1), tol=1e-8, max_iter=20_000).fit(x, binary)
    ours = features @ solved.head.weight + solved.head.bias
    np.testing.assert_allclose((ours[:, 1] - ours[:, 0]).numpy(), reference.decision_function(x), atol=2e-3)


@pytest.mark.parametrize(("n", "width"), [(40, 96), (300, 96)])
def test_a_forecasting_head_is_scikit_learns_ridge(n: int, width: int) -> None:
    generator = torch.Generator().manual_seed(1)
    features = torch.randn(n, width, generator=generator)
    labels = features[:, :5] + 0.3 * torch.randn(n, 5, generator=generator) + 2
    solved = solve_head(Ridge(), features, labels, None, default=0.1)
    x = scaled(features)
    reference = ReferenceRidge(alpha=n * 0.1).fit(x, labels.numpy())
    np.testing.assert_allclose(
        (features @ solved.head.weight + solved.head.bias).numpy(), reference.predict(x), atol=1e-4
    )


def test_the_penalty_is_the_one_that_held_out_examples_like_best() -> None:
    features, labels = digit_features(150)
    folds = torch.arange(150) % 5
    solved = solve_head(Softmax(10), features, labels, folds, default=9.0)
    assert solved.penalty == best_by_reference(features, labels, folds, PENALTIES)


def best_by_reference(features: Tensor, labels: Tensor, folds: Tensor, penalties: Sequence[float]) -> float:
    x, y = scaled(features), labels.numpy()
    losses = {}
    for penalty in penalties:
        total = 0.0
        for fold in range(5):
            held = (folds == fold).numpy()
            model = LogisticRegression(C=1 / ((~held).sum() * penalty), tol=1e-6, max_iter=5000).fit(x[~held], y[~held])
            total -= model.predict_log_proba(x[held])[np.arange(held.sum()), y[held]].sum()
        losses[penalty] = total
    return min(losses, key=lambda penalty: losses[penalty])


def test_without_folds_the_default_penalty_holds() -> None:
    features, labels = digit_features(30)
    solved = solve_head(Softmax(10), features, labels, None, default=0.5)
    assert solved.penalty == 0.5


def test_constant_features_give_a_head_that_only_knows_the_classes_shares() -> None:
    labels = torch.tensor([0, 0, 0, 1])
    solved = solve_head(Softmax(2), torch.ones(4, 3), labels, None, default=0.1)
    odds = (torch.ones(3) @ solved.head.weight + solved.head.bias).softmax(0)
    assert odds[0].item() == pytest.approx(0.75, abs=1e-4)


def test_a_head_held_to_a_prior_is_ridge_on_the_priors_residuals() -> None:
    generator = torch.Generator().manual_seed(1)
    features, labels = torch.randn(60, 8, generator=generator), torch.randn(60, 3, generator=generator)
    prior = Head(torch.randn(8, 3, generator=generator), torch.randn(3, generator=generator))
    solved = solve_head(Ridge(), features, labels, None, default=0.3, prior=prior)
    x = np.concatenate([scaled(features), np.ones((60, 1))], axis=1)  # the bias is a penalised feature
    forecast = (features @ prior.weight + prior.bias).numpy()
    reference = ReferenceRidge(alpha=60 * 0.3, fit_intercept=False).fit(x, labels.numpy() - forecast)
    ours = (features @ solved.head.weight + solved.head.bias).numpy()
    np.testing.assert_allclose(ours, forecast + reference.predict(x), atol=1e-4)


def test_a_head_held_firmly_to_a_prior_is_the_prior() -> None:
    generator = torch.Generator().manual_seed(2)
    features, labels = torch.randn(5, 8, generator=generator), torch.randn(5, 3, generator=generator)
    prior = Head(torch.randn(8, 3, generator=generator), torch.randn(3, generator=generator))
    solved = solve_head(Ridge(), features, labels, None, default=1e9, prior=prior)
    torch.testing.assert_close(solved.head.weight, prior.weight)
    torch.testing.assert_close(solved.head.bias, prior.bias)


def test_what_overlaps_a_held_out_window_is_not_learnt_from() -> None:
    first = (torch.arange(40) // 8 == 0)[None]
    third = (torch.arange(40) // 8 == 2)[None]
    assert probe._with_neighbours(first, Forecast(4).sampling.overlap(None))[0].tolist() == [True] * 11 + [False] * 29
    assert (
        probe._with_neighbours(third, Forecast(4).sampling.overlap(None))[0].tolist()
        == [False] * 13 + [True] * 14 + [False] * 13
    )
    assert torch.equal(probe._with_neighbours(third, 0), third)


@dataclass(frozen=True, slots=True)
class Family:
    """Problems of one size: `s` budgets of n examples with features [n, d], all of one problem of `k` outputs."""

    problem: Problem
    k: int
    n: int
    d: int
    s: int
    seed: int
    held_to_a_prior: bool

    def solve(self, budgets: Sequence[int]) -> list[Solved]:
        """Return the heads of some of the budgets, solved together."""
        generator = torch.Generator().manual_seed(self.seed)
        k = self.k
        mix = torch.randn(self.d, self.d, generator=generator) * 0.7 ** torch.arange(self.d)[:, None]
        features = torch.randn(self.s, self.n, self.d, generator=generator) @ mix  # correlated, as those of networks
        outputs = features @ torch.randn(self.d, k, generator=generator)
        outputs += torch.randn(outputs.shape, generator=generator) * outputs.std()
        labels = outputs.argmax(2) if isinstance(self.problem, Softmax) else outputs
        prior = Head(torch.randn(self.d, k, generator=generator), torch.randn(k, generator=generator))
        return solve_heads(
            self.problem,
            features[budgets],
            labels[budgets],
            (torch.arange(self.n) * 5 // self.n).expand(len(budgets), -1),
            penalties=PENALTIES,
            default=0.1,
            prior=prior if self.held_to_a_prior else None,
        )


def of_classes(k: int, **size: int) -> Family:
    return Family(Softmax(k), k, held_to_a_prior=False, **size)


few, many = st.integers(10, 130), st.integers(30, 130)  # windows that overlap leave nothing of fewer to learn from
sizes = {"d": st.integers(1, 90), "s": st.integers(2, 12), "seed": st.integers(0, 99)}
families = st.one_of(
    st.builds(of_classes, st.integers(2, 12), n=few, **sizes),
    st.builds(Family, st.just(Ridge()), st.just(1), n=many, held_to_a_prior=st.booleans(), **sizes),
    st.builds(Family, st.just(Ridge()), st.integers(2, 6), n=many, held_to_a_prior=st.booleans(), **sizes),
)


@settings(deadline=None, max_examples=40)
@given(families, st.data())
def test_a_head_has_the_same_bits_whatever_it_is_solved_with(family: Family, data: st.DataObject) -> None:
    everyone = range(family.s)
    budget = data.draw(st.sampled_from(everyone))
    others = data.draw(st.permutations(everyone).map(lambda order: order[: family.s // 2 + 1]))
    [alone] = family.solve([budget])
    for company in (list(everyone), [*others, budget]):
        solved = family.solve(company)[company.index(budget)]
        assert solved.penalty == alone.penalty
        assert torch.equal(solved.head.weight, alone.head.weight)
        assert torch.equal(solved.head.bias, alone.head.bias)


def test_weights_of_classes_add_up_to_nothing() -> None:
    features, labels = digit_features(37)
    solved = solve_head(Softmax(10), features, labels, torch.arange(37) % 5, default=0.1)
    torch.testing.assert_close(solved.head.bias.sum(), torch.tensor(0.0), rtol=0, atol=1e-4)
    torch.testing.assert_close(solved.head.weight.sum(1), torch.zeros(features.shape[1]), rtol=0, atol=1e-4)


def test_a_head_that_came_is_left_only_where_every_fold_says_so() -> None:
    nan = float("nan")
    tried = [
        (100.0, torch.tensor([[1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0]], dtype=torch.float64)),
        (10.0, torch.tensor([[0.5, 0.6, 0.4, 0.5], [0.1, 1.2, 1.1, 1.1], [nan] * 4], dtype=torch.float64)),
        (1.0, torch.tensor([[0.5, 0.6, 0.4, 0.49], [nan] * 4, [nan] * 4], dtype=torch.float64)),
    ]
    found = probe._most_cautious(torch.tensor([1.0, 10.0, 100.0], dtype=torch.float64), tried)
    assert found.tolist() == [10.0, 100.0, 100.0], "clear, one fold alone, and never better"
