"""The target `labels`: yes-or-no questions, solved together to where scikit-learn's one-vs-rest ends up."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from torch import Tensor

from bench.answers import Rows
from bench.column import Dense, dense
from bench.domains.text.raw import Texts
from bench.probing import problem as problems
from bench.probing.probe import Solved, solve_heads
from bench.subsets.seeds import stream
from bench.targets.labels import Labels

NAMES = ("dog", "cat", "owl")
TARGET = Labels(NAMES)


def animals(n: int = 90, seed: int = 0) -> tuple[NDArray[np.float32], Dense]:
    """Return features [n, 8] that tell of three labels, the last of which is rare."""
    generator = np.random.default_rng(seed)
    features = generator.normal(1, 2, (n, 8)).astype(np.float32)
    scores = features[:, :3] + generator.normal(0, 1, (n, 3))
    return features, dense(present=scores > np.array([1.0, 0.0, 3.5]))


def solved_head(
    features: NDArray[np.float32], labels: Dense, penalty: float, folds: Tensor | None = None
) -> tuple[Solved, NDArray[np.float32]]:
    """Return the head of one budget and its logits."""
    solver = TARGET.objective.problem()
    assert solver is not None
    encoded = torch.from_numpy(TARGET.codec.encode(labels, None)["present"])
    inputs = torch.from_numpy(features)
    [solved] = solve_heads(
        solver, inputs[None], encoded[None], folds, penalties=(1e-3, 1e-2, 1e-1, 1.0), default=penalty
    )
    return solved, (inputs @ solved.head.weight + solved.head.bias).numpy()


def scaled(features: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return features as the solver sees them: centred, mean square 1."""
    centred = features.astype(np.float64) - features.mean(0, dtype=np.float64)
    found: NDArray[np.float64] = centred / np.sqrt(np.square(centred).mean())
    return found


@pytest.mark.parametrize("penalty", [1e-3, 1e-2, 1.0])
def test_a_head_is_scikit_learns_one_vs_rest(penalty: float) -> None:
    features, labels = animals()
    _, ours = solved_head(features, labels, penalty)
    reference = OneVsRestClassifier(LogisticRegression(C=1 / (len(features) * penalty), tol=1e-10, max_iter=10_000))
    theirs = reference.fit(scaled(features), labels["present"]).decision_function(scaled(features))
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_questions_share_the_penalty_of_the_least_mean_loss() -> None:
    features, labels = animals(60)
    folds = TARGET.sampling.folds(labels, None, None, stream(0, "folds"))
    assert folds is not None
    solved, _ = solved_head(features, labels, 0.5, torch.from_numpy(folds)[None])
    inputs, means = scaled(features), {}
    for penalty in (1e-3, 1e-2, 1e-1, 1.0):
        total = 0.0
        for fold in np.unique(folds):
            learnt = folds != fold
            for answers in labels["present"].T:
                model = LogisticRegression(C=1 / (learnt.sum() * penalty), tol=1e-8, max_iter=10_000)
                logits = model.fit(inputs[learnt], answers[learnt]).decision_function(inputs[~learnt])
                total += float((np.logaddexp(0, logits) - answers[~learnt] * logits).sum())
        means[penalty] = total
    assert solved.penalty == min(means, key=lambda penalty: means[penalty])


def test_a_head_is_the_same_whatever_it_is_solved_with() -> None:
    drawn = [animals(50, seed) for seed in range(4)]
    encoded = [torch.from_numpy(TARGET.codec.encode(labels, None)["present"]) for _, labels in drawn]
    inputs = [torch.from_numpy(features) for features, _ in drawn]
    together = solve_heads(
        problems.OneVsRest(3), torch.stack(inputs), torch.stack(encoded), None, penalties=(1.0,), default=0.01
    )
    for own, (features, labels) in zip(together, drawn, strict=True):
        alone, _ = solved_head(features, labels, 0.01)
        assert torch.equal(own.head.weight, alone.head.weight)
        assert torch.equal(own.head.bias, alone.head.bias)


def test_a_label_that_a_budget_never_has_is_as_unlikely_as_half_an_example() -> None:
    features, labels = animals(30)
    present = labels["present"].copy()
    present[:, 1], present[:, 2] = False, True
    _, logits = solved_head(features, dense(present=present), 0.01)
    np.testing.assert_allclose(logits[:, 1], np.log(0.5 / 30.5), atol=1e-4)
    np.testing.assert_allclose(logits[:, 2], np.log(30.5 / 0.5), atol=1e-4)


def test_the_loss_is_that_of_torch() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = 20 * torch.randn(5, 3, generator=generator)
    present = (torch.rand(5, 3, generator=generator) > 0.5).float()
    loss = TARGET.objective.loss((logits,), {"present": present}, None)
    torch.testing.assert_close(loss, torch.nn.functional.binary_cross_entropy_with_logits(logits, present))


def test_small_budgets_hold_the_rare_label_and_those_without_any() -> None:
    present = np.zeros((100, 3), dtype=np.bool_)
    present[:60, 0] = True
    present[:20, 1] = True
    present[:2, 2] = True
    order = TARGET.sampling.order(dense(present=present), None, stream(0, "subset"))
    first = present[order[:4]]
    assert first.any(axis=0).all()
    assert not first.any(axis=1).all()


def test_a_label_of_a_single_example_does_not_keep_folds_from_being_dealt() -> None:
    present = np.zeros((40, 3), dtype=np.bool_)
    present[:20, 0] = True
    present[0, 2] = True
    folds = TARGET.sampling.folds(dense(present=present), None, None, stream(0, "folds"))
    assert folds is not None
    assert np.bincount(folds).tolist() == [8] * 5
    groups = np.array([f"farm {number % 3}" for number in range(40)])
    together = TARGET.sampling.folds(dense(present=present), None, groups, stream(0, "folds"))
    assert together is not None
    assert len(set(zip(groups.tolist(), together.tolist(), strict=True))) == 3


def test_what_has_no_skill_gets_the_shares_of_the_labels() -> None:
    _, labels = animals()
    predictions = TARGET.baselines[0].predict(labels, Texts(("x",) * 90), None)
    scores = {metric.card.name: metric.compute(predictions, labels, None) for metric in TARGET.metrics}
    assert scores["macro_average_precision"] == pytest.approx(labels["present"].mean())


def test_answers_are_the_labels_that_are_predicted_or_the_likeliest() -> None:
    predictions = dense(logit=np.array([[2.0, -1.0, 3.0], [-800.0, -1.0, -2.0]], dtype=np.float32))
    answers, two = TARGET.answers(predictions, Texts(("x",) * 2), 1), TARGET.answers(predictions, Texts(("x",) * 2), 2)
    assert isinstance(answers, Rows)
    assert isinstance(two, Rows)
    assert [[name for name, _ in lines] for lines in answers.lines] == [["owl", "dog"], ["none"]]
    assert [record["labels"] for record in answers.records] == [["owl", "dog"], []]
    assert [[name for name, _ in lines] for lines in two.lines] == [["owl", "dog"], ["cat", "owl"]]
    assert two.records[1]["likeliest"][0] == {"label": "cat", "probability": 0.268941}
