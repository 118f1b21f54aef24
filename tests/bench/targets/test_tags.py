"""The target `tags`: words are learnt and predicted at their first tokens, as scikit-learn and torch do with rows."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch.nn.functional import cross_entropy

from bench.answers import Rows
from bench.column import Ragged, ragged
from bench.domains.text.raw import Texts
from bench.errors import DataError
from bench.probing.probe import solve_heads
from bench.subsets.seeds import stream
from bench.targets.tags import Tags

NAMES = ("O", "B-LOC", "B-PER", "I-PER")
TARGET = Tags(NAMES)

TAGS = ragged(tag=[np.array(one) for one in ([2, 3, 0], [0], [1, 0])])
GEOMETRY = ragged(token=[np.array(one) for one in ([1, 3, -1], [1], [2, 3])])
RAW = Texts(("Ann Lee ran", "so", "Rome now"), (("Ann", "Lee", "ran"), ("so",), ("Rome", "now")))


def encoded() -> dict[str, torch.Tensor]:
    column = TARGET.codec.fit(TAGS).encode(TAGS, GEOMETRY)
    return {name: torch.from_numpy(array) for name, array in column.arrays().items()}


def outputs(seed: int = 0) -> torch.Tensor:
    """Return outputs of three texts, padded to five tokens."""
    return torch.randn(3, 5, len(NAMES), generator=torch.Generator().manual_seed(seed))


def at_words(values: torch.Tensor) -> torch.Tensor:
    """Return what stands at the first tokens of the words that have one."""
    return torch.stack([values[0, 1], values[0, 3], values[1, 1], values[2, 2], values[2, 3]])


def test_rows_are_the_first_tokens_of_words_with_the_text_that_each_is_of() -> None:
    features = torch.randn(3, 5, 8, generator=torch.Generator().manual_seed(1))
    rows = TARGET.objective.rows((features,), encoded(), GEOMETRY)
    assert torch.equal(rows.features, at_words(features))
    assert rows.labels.tolist() == [2, 3, 0, 1, 0]
    assert rows.owners is not None
    assert rows.owners.tolist() == [0, 0, 1, 2, 2]


def test_the_loss_is_torchs_cross_entropy_over_words_that_are_seen() -> None:
    values = outputs()
    loss = TARGET.objective.loss((values,), encoded(), GEOMETRY)
    torch.testing.assert_close(loss, cross_entropy(at_words(values), torch.tensor([2, 3, 0, 1, 0])))


def test_a_batch_whose_words_were_all_cut_off_has_no_loss_and_a_gradient_of_zero() -> None:
    values = outputs().requires_grad_()
    lost = Ragged({"token": np.full(6, -1)}, GEOMETRY.offsets)
    loss = TARGET.objective.loss((values,), encoded(), lost)
    loss.backward()
    assert loss.item() == 0
    assert values.grad is not None
    assert not values.grad.any()


def test_predictions_are_the_likeliest_tags_and_o_for_what_was_cut_off() -> None:
    values = outputs()
    values[..., 0] -= 100  # nothing is "O" by its own
    found = TARGET.objective.predict((values,), GEOMETRY)
    assert isinstance(found, Ragged)
    assert found.offsets.tolist() == TAGS.offsets.tolist()
    likeliest = at_words(values).argmax(-1).tolist()
    assert found["tag"].tolist() == [*likeliest[:2], 0, *likeliest[2:]]


def test_a_head_is_scikit_learns_logistic_regression_over_words() -> None:
    generator = np.random.default_rng(0)
    lengths = generator.integers(1, 6, 40)
    features = torch.from_numpy(generator.normal(1, 2, (40, 6, 8)).astype(np.float32))
    tokens = ragged(token=[np.arange(length) for length in lengths])
    tags = ragged(tag=[generator.integers(0, 4, length) for length in lengths])
    columns = {name: torch.from_numpy(array) for name, array in tags.arrays().items()}
    rows = TARGET.objective.rows((features,), columns, tokens)
    problem = TARGET.objective.problem()
    assert problem is not None
    [solved] = solve_heads(problem, rows.features[None], rows.labels[None], None, penalties=(1.0,), default=0.01)
    x = rows.features.double().numpy()
    x = (x - x.mean(0)) / np.sqrt(np.square(x - x.mean(0)).mean())
    reference = LogisticRegression(C=1 / (len(x) * 0.01), tol=1e-10, max_iter=10_000).fit(x, rows.labels.numpy())
    ours = (rows.features @ solved.head.weight + solved.head.bias).softmax(-1).numpy()
    np.testing.assert_allclose(ours, reference.predict_proba(x), atol=1e-4)


def test_small_budgets_hold_every_tag() -> None:
    tags = ragged(tag=[np.zeros(4, dtype=np.int64)] * 95 + [np.array([2, 3])] * 3 + [np.array([0, 1])] * 2)
    order = TARGET.sampling.order(tags, None, stream(0, "subset"))
    held = tags.take(order[:3])
    assert set(held["tag"].tolist()) == {0, 1, 2, 3}


def test_documents_are_not_in_two_folds() -> None:
    tags = ragged(tag=[np.array([number % 4]) for number in range(60)])
    documents = np.array([f"document {number // 5}" for number in range(60)])
    folds = TARGET.sampling.folds(tags, None, documents, stream(0, "folds"))
    assert folds is not None
    assert len(set(zip(documents.tolist(), folds.tolist(), strict=True))) == 12
    assert len(set(folds.tolist())) == 5


def test_what_has_no_skill_finds_no_entity() -> None:
    found = TARGET.baselines[0].predict(TAGS, RAW, None)
    scores = {metric.card.name: metric.compute(found, TAGS, None) for metric in TARGET.metrics}
    assert scores == {"entity_f1": 0.0, "token_accuracy": 0.5}


def test_answers_are_words_with_their_tags() -> None:
    answers = TARGET.answers(TAGS, RAW, 1)
    assert isinstance(answers, Rows)
    assert answers.lines[0] == [("Ann", "B-PER"), ("Lee", "I-PER"), ("ran", "O")]
    assert answers.records[2] == {"words": ["Rome", "now"], "tags": ["B-LOC", "O"]}


def test_tags_of_another_scheme_are_refused() -> None:
    with pytest.raises(DataError, match="BIO"):
        assert Tags(("O", "S-PER")).metrics
