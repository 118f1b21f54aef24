"""Solved heads are where an independent solver ends up."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression, Ridge
from torch import Tensor

from bench.probe import solve_head
from bench.target import Classes, Horizon
from tasks.digits import Digits

PENALTIES = (1e-3, 1e-2, 1e-1, 1.0)


def scaled(features: Tensor) -> np.ndarray:
    """Return the features as the solver sees them: centred, mean square 1."""
    centred = features.double() - features.double().mean(0)
    return (centred / centred.square().mean().sqrt()).numpy()


def digit_features(n: int) -> tuple[Tensor, Tensor]:
    """Return real digits through a random layer: correlated, skewed, not quite separable."""
    splits = Digits().load(root=None)  # type: ignore[arg-type]  # nothing is generated
    pixels = torch.from_numpy(splits.train.raw.pixels).float().flatten(1) / 255  # type: ignore[union-attr]
    mix = torch.randn(64, 96, generator=torch.Generator().manual_seed(0))
    return (pixels @ mix).relu()[:n], torch.from_numpy(splits.train.labels)[:n]


@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("n", [50, 600])
def test_a_classifying_head_is_scikit_learns_logistic_regression(n: int, penalty: float) -> None:
    features, labels = digit_features(n)
    head = solve_head(Classes(tuple("0123456789")), features, labels, None, penalties=PENALTIES, default=penalty)
    x = scaled(features)
    reference = LogisticRegression(C=1 / (n * penalty), tol=1e-8, max_iter=20_000).fit(x, labels)
    ours = (features @ head.weight + head.bias).numpy()
    theirs = reference.decision_function(x)
    assert (ours.argmax(1) != theirs.argmax(1)).sum() <= 1
    np.testing.assert_allclose(ours - ours.mean(1, keepdims=True), theirs, atol=0.02 * theirs.std())


def test_two_classes_are_no_special_case() -> None:
    features, labels = digit_features(200)
    binary = (labels > 4).long()
    head = solve_head(Classes(("low", "high")), features, binary, None, penalties=PENALTIES, default=0.1)
    x = scaled(features)
    # With two weight vectors, of opposite sign, the same penalty counts half as much as on their difference.
    reference = LogisticRegression(C=2 / (200 * 0.1), tol=1e-8, max_iter=20_000).fit(x, binary)
    ours = features @ head.weight + head.bias
    np.testing.assert_allclose((ours[:, 1] - ours[:, 0]).numpy(), reference.decision_function(x), atol=2e-3)


@pytest.mark.parametrize(("n", "width"), [(40, 96), (300, 96)])
def test_a_forecasting_head_is_scikit_learns_ridge(n: int, width: int) -> None:
    generator = torch.Generator().manual_seed(1)
    features = torch.randn(n, width, generator=generator)
    labels = features[:, :5] + 0.3 * torch.randn(n, 5, generator=generator) + 2
    head = solve_head(Horizon(5), features, labels, None, penalties=PENALTIES, default=0.1)
    x = scaled(features)
    reference = Ridge(alpha=n * 0.1).fit(x, labels.numpy())
    np.testing.assert_allclose((features @ head.weight + head.bias).numpy(), reference.predict(x), atol=1e-4)


def test_the_penalty_is_the_one_that_held_out_examples_like_best() -> None:
    features, labels = digit_features(150)
    folds = torch.arange(150) % 5
    head = solve_head(Classes(tuple("0123456789")), features, labels, folds, penalties=PENALTIES, default=9.0)
    assert head.penalty == best_by_reference(features, labels, folds, PENALTIES)


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
    head = solve_head(Classes(tuple("0123456789")), features, labels, None, penalties=PENALTIES, default=0.5)
    assert head.penalty == 0.5


def test_constant_features_give_a_head_that_only_knows_the_classes_shares() -> None:
    labels = torch.tensor([0, 0, 0, 1])
    head = solve_head(Classes(("a", "b")), torch.ones(4, 3), labels, None, penalties=PENALTIES, default=0.1)
    odds = (torch.ones(3) @ head.weight + head.bias).softmax(0)
    assert odds[0].item() == pytest.approx(0.75, abs=1e-4)
