"""LogME is the evidence that an independent implementation finds, and prefers features that say more."""

import numpy as np
import pytest
from sklearn.linear_model import BayesianRidge

from bench.ranking.logme import Floats, logme

GENERATOR = np.random.default_rng(0)


def evidence(features: Floats, target: Floats) -> float:
    """Return the log evidence per example as scikit-learn maximises it, without its priors on precisions."""
    model = BayesianRidge(
        fit_intercept=False, compute_score=True, alpha_1=0, alpha_2=0, lambda_1=0, lambda_2=0, max_iter=1000, tol=1e-8
    )
    return float(model.fit(features, target).scores_[-1]) / len(target)


@pytest.mark.parametrize(("n", "width"), [(200, 20), (60, 100), (300, 64)])
def test_it_is_the_evidence_that_scikit_learn_finds(n: int, width: int) -> None:
    features = GENERATOR.normal(size=(n, width))
    numbers = features @ GENERATOR.normal(size=(width, 2)) * 0.3 + GENERATOR.normal(size=(n, 2))
    classes = np.eye(3)[GENERATOR.integers(3, size=n)]
    for targets in (numbers, classes):
        expected = np.mean([evidence(features, column) for column in targets.T])
        assert logme(features, targets) == pytest.approx(expected, abs=1e-4)


def test_features_that_tell_the_classes_apart_score_higher_than_noise() -> None:
    labels = GENERATOR.integers(4, size=300)
    noise = GENERATOR.normal(size=(300, 16))
    telling = noise + 2 * np.eye(16)[labels]
    assert logme(telling, np.eye(4)[labels]) > logme(noise, np.eye(4)[labels]) + 0.1


def test_features_that_are_all_the_same_or_fit_perfectly_give_a_number() -> None:
    labels = np.eye(2)[np.arange(40) % 2]
    assert np.isfinite(logme(np.ones((40, 3)), labels))
    assert np.isfinite(logme(np.zeros((40, 3)), labels))
    assert np.isfinite(logme(labels, labels))
