"""Owns the classical model of texts: TF-IDF of words and of characters, read by a sparse logistic regression.

Vectorisers and regression are scikit-learn's; what is chosen, and how, is as for linear probes (`bench.probing.probe`):
from the largest penalty on, each smaller one is tried until the mean loss of held-out examples rises. Penalties are per
example and in units of the features' mean square here too. Everything is fitted on the budget's texts alone.
"""

from collections.abc import Iterable, Sequence
from functools import partial
from time import perf_counter
from typing import Final
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack
from scipy.special import log_softmax
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from bench.cell import HEAD, Work
from bench.classical.models import Fitted, Models, TaskData
from bench.domain import Indices, Raw, Texts
from bench.planning.seeds import stream
from bench.strategy import Recipe
from bench.target import Outputs

WORDS: Final = (1, 2)
CHARACTERS: Final = (2, 5)  # within words: their ends count as characters
ANY_WORD: Final = r"(?u)\b\w+\b"  # those of one letter too
SOLVED: Final = 1e-6
COMPARED: Final = 1e-4
"""Largest entry of the gradient of the mean loss: of the model that is used, and of those that are only compared."""

Doubles = NDArray[np.float64]


class Vocabulary:
    """TF-IDF of the word and character n-grams that occur in some texts."""

    def __init__(self, texts: Sequence[str]) -> None:
        words = TfidfVectorizer(ngram_range=WORDS, token_pattern=ANY_WORD, sublinear_tf=True)
        characters = TfidfVectorizer(analyzer="char_wb", ngram_range=CHARACTERS, sublinear_tf=True)
        # Texts without a single word, or nothing at all, have no n-grams of that kind to count.
        self._parts = [part for part in (words, characters) if any(map(part.build_analyzer(), texts))]
        for part in self._parts:
            part.fit(texts)

    def count(self, texts: Sequence[str]) -> csr_matrix:
        """Return the weights of n-grams, [n, width]; a column of zeros if there are none."""
        counted = [part.transform(texts) for part in self._parts]
        joined: csr_matrix = hstack(counted or [csr_matrix((len(texts), 1))], format="csr")
        return joined


class TextModels(Models):
    """Logistic regressions on the n-grams of texts."""

    def __init__(self, data: TaskData) -> None:
        self._data = data
        self._fitted: dict[tuple[bytes, Recipe], Fitted] = {}

    def fit(self, rows: Indices, *, recipe: Recipe, companions: Iterable[Indices] = ()) -> Fitted:
        """Return the model of a budget; equal budgets are one problem, whichever seed drew them."""
        name = rows.tobytes(), recipe
        if name not in self._fitted:
            self._fitted = {name: self._fit(rows, recipe)}  # the last one alone: vocabularies are large
        return self._fitted[name]

    def _fit(self, rows: Indices, recipe: Recipe) -> Fitted:
        start = perf_counter()
        target, examples = self._data.target, self._data.splits.train.take(rows)
        labels = examples.labels.astype(np.int64)
        vocabulary = Vocabulary(_strings(examples.raw))
        counts = vocabulary.count(_strings(examples.raw))
        folds = target.folds(labels, stream(0, "folds"))
        penalty = recipe.default_penalty if folds is None else choose_penalty(counts, labels, folds, recipe.penalties)
        model = regression(counts, labels, penalty)
        return Fitted(
            predict=partial(_predict, vocabulary, model, target.width),
            coefficients=model.coef_.size + model.intercept_.size,
            penalty=penalty,
            arithmetic="float64",
            work=(Work(HEAD, uuid4().hex, perf_counter() - start),),
        )


def models(data: TaskData) -> TextModels:
    """Return the classical models of a task on texts."""
    return TextModels(data)


def regression(
    counts: csr_matrix,
    labels: Indices,
    penalty: float,
    *,
    tolerance: float = SOLVED,
    start: LogisticRegression | None = None,
) -> LogisticRegression:
    """Return the regression that minimises the mean loss plus half the penalty times |W|^2, in units of the features.

    scikit-learn counts the penalty once against the sum of losses, and gives two classes one row of weights: half the
    difference to either side is what a softmax would have, at half the square.
    """
    mean_square = counts.multiply(counts).mean() or 1.0  # of no n-grams at all, any will do
    per_class = 2 if len(np.unique(labels)) == 2 else 1
    strength = per_class / (len(labels) * penalty * mean_square)
    # By Newton's method: a few steps where L-BFGS takes hundreds under a weak penalty.
    model = LogisticRegression(C=strength, solver="newton-cg", tol=tolerance, warm_start=start is not None)
    if start is not None:
        model.coef_, model.intercept_, model.classes_ = start.coef_, start.intercept_, start.classes_
    return model.fit(counts, labels)


def choose_penalty(counts: csr_matrix, labels: Indices, folds: Indices, grid: Sequence[float]) -> float:
    """Return the penalty of the least mean loss of held-out examples."""
    least, chosen = np.inf, max(grid)
    fitted: list[LogisticRegression | None] = [None] * (folds.max() + 1)
    for penalty in sorted(grid, reverse=True):
        total = 0.0
        for fold, before in enumerate(fitted):
            held_out = folds == fold
            model = fitted[fold] = regression(
                counts[~held_out], labels[~held_out], penalty, tolerance=COMPARED, start=before
            )
            logs = log_softmax(logits(model, counts[held_out], labels.max() + 1), axis=1)
            total -= logs[np.arange(len(logs)), labels[held_out]].sum()
        if total >= least:
            break
        least, chosen = total, penalty
    return chosen


def logits(model: LogisticRegression, counts: csr_matrix, width: int) -> Doubles:
    """Return the logits of a softmax, [n, width]."""
    margins: Doubles = model.decision_function(counts)
    if margins.ndim == 1:
        margins = np.stack((-margins / 2, margins / 2), axis=1)
    assert margins.shape[1] == width, "every class is in every budget"
    return margins


def _predict(vocabulary: Vocabulary, model: LogisticRegression, width: int, raw: Raw) -> Outputs:
    return logits(model, vocabulary.count(_strings(raw)), width).astype(np.float32)


def _strings(raw: Raw) -> tuple[str, ...]:
    assert isinstance(raw, Texts), f"n-grams are those of texts, not of {type(raw).__name__}"
    return raw.strings
