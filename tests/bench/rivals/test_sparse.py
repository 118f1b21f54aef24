"""N-grams of words and characters, and a regression that is held as linear probes are."""

import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix
from scipy.special import log_softmax

from bench.probing.probe import solve_heads
from bench.probing.problem import OneVsRest, Ridge, Softmax
from bench.rivals.sparse import OneVsRestRegression, RidgeRegression, SoftmaxRegression, Vocabulary, choose_penalty

TEXTS = ("a good film", "a bad film", "good good", "bad", "a film", "Good day", "bad day", "the day")


def problem(classes: int, n: int = 90) -> tuple[np.ndarray, np.ndarray]:
    """Return features [n, 12] and labels of classes that overlap."""
    generator = np.random.default_rng(classes)
    labels = np.arange(n) % classes
    features = generator.normal(size=(n, 12)) + 0.7 * np.eye(12)[labels]
    return features.astype(np.float32), labels.astype(np.int64)


def test_words_pairs_of_words_and_characters_within_words_are_counted() -> None:
    vocabulary = Vocabulary(["I am"])
    words, characters = (set(part.vocabulary_) for part in vocabulary._parts)
    assert words == {"i", "am", "i am"}
    assert characters == {" i", "i ", " i ", " a", "am", "m ", " am", "am ", " am "}


def test_a_rare_word_weighs_more_than_a_common_one_and_case_does_not_count() -> None:
    vocabulary = Vocabulary(TEXTS)
    weights = vocabulary.count(["the film", "THE FILM", "unheard"]).toarray()
    places = vocabulary._parts[0].vocabulary_
    assert weights[0, places["the"]] > weights[0, places["film"]] > 0
    np.testing.assert_array_equal(weights[0], weights[1])
    assert not weights[2, : len(places)].any()


@pytest.mark.parametrize("texts", [["", "  ", ""], ["!!", "?", ""]])
def test_texts_without_words_can_be_learnt_from(texts: list[str]) -> None:
    counts = Vocabulary(texts).count(texts)
    labels = np.array([0, 1, 1])
    outputs = SoftmaxRegression().fit(counts, labels, 0.1).outputs(counts)
    assert outputs.shape == (3, 2)
    assert np.isfinite(outputs).all()
    assert outputs[2].argmax() == 1, "what is most frequent"


@pytest.mark.parametrize("classes", [2, 3, 5])
@pytest.mark.parametrize("penalty", [0.01, 1.0])
def test_the_regression_is_the_linear_probe_under_the_same_penalty(classes: int, penalty: float) -> None:
    features, labels = problem(classes)
    ours = SoftmaxRegression().fit(csr_matrix(features), labels, penalty).outputs(csr_matrix(features))
    centred = features - features.mean(0)  # whose mean square is the unit of penalties there
    as_there = penalty * np.square(features).mean() / np.square(centred).mean()
    [solved] = solve_heads(
        Softmax(classes),
        torch.from_numpy(features)[None],
        torch.from_numpy(labels)[None],
        None,
        penalties=(1.0,),
        default=float(as_there),
    )
    theirs = features @ solved.head.weight.numpy() + solved.head.bias.numpy()
    np.testing.assert_allclose(log_softmax(ours, axis=1), log_softmax(theirs, axis=1), atol=2e-3)


@pytest.mark.parametrize("classes", [2, 4])
def test_the_penalty_is_the_one_of_least_held_out_loss(classes: int) -> None:
    features, labels = problem(classes)
    counts, folds = csr_matrix(features), np.arange(len(labels)) // classes % 5
    grid = (0.001, 0.01, 0.1, 1.0, 10.0)
    losses = {}
    for penalty in grid:
        held_out = [folds == fold for fold in range(5)]
        models = [SoftmaxRegression().fit(counts[~rows], labels[~rows], penalty) for rows in held_out]
        logs = [log_softmax(m.outputs(counts[rows]), axis=1) for m, rows in zip(models, held_out, strict=True)]
        losses[penalty] = -sum(
            part[np.arange(len(part)), labels[rows]].sum() for part, rows in zip(logs, held_out, strict=True)
        )
    best = min(losses, key=lambda penalty: losses[penalty])
    assert grid[0] < best < grid[-1], "in the middle, so that the search has something to find"
    assert choose_penalty(SoftmaxRegression(), counts, labels, folds, grid) == best


@pytest.mark.parametrize("penalty", [0.01, 1.0])
def test_the_ridge_regression_is_the_linear_probe_under_the_same_penalty(penalty: float) -> None:
    features, classes = problem(3)
    values = (features[:, :2] + 0.3 * classes[:, None]).astype(np.float32)  # [n, 2]
    ours = RidgeRegression().fit(csr_matrix(features), values, penalty).outputs(csr_matrix(features))
    centred = features - features.mean(0)
    [solved] = solve_heads(
        Ridge(),
        torch.from_numpy(features)[None],
        torch.from_numpy(values)[None],
        None,
        penalties=(1.0,),
        default=float(penalty * np.square(features).mean() / np.square(centred).mean()),
    )
    theirs = features @ solved.head.weight.numpy() + solved.head.bias.numpy()
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_yes_or_no_questions_are_the_linear_probe_under_the_same_penalty() -> None:
    features, classes = problem(3)
    answers = np.stack([classes == 0, classes != 2], axis=1).astype(np.float32)  # [n, 2]
    ours = OneVsRestRegression().fit(csr_matrix(features), answers, 0.1).outputs(csr_matrix(features))
    centred = features - features.mean(0)
    [solved] = solve_heads(
        OneVsRest(2),
        torch.from_numpy(features)[None],
        torch.from_numpy(answers)[None],
        None,
        penalties=(1.0,),
        default=float(0.1 * np.square(features).mean() / np.square(centred).mean()),
    )
    theirs = features @ solved.head.weight.numpy() + solved.head.bias.numpy()
    np.testing.assert_allclose(ours, theirs, atol=2e-3)


def test_a_question_with_one_answer_has_its_smoothed_share() -> None:
    features, classes = problem(3, n=9)
    answers = np.stack([classes == 0, np.ones(9)], axis=1).astype(np.float32)
    fitted = OneVsRestRegression().fit(csr_matrix(features), answers, 0.1)
    np.testing.assert_allclose(fitted.outputs(csr_matrix(features))[:, 1], np.log(9.5 / 0.5))
    assert fitted.coefficients == 12 + 1 + 1
    assert (fitted.losses(csr_matrix(features), answers) > 0).all()
