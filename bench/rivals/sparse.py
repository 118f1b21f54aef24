"""Sparse features of texts, TF-IDF of words and of characters, and the regressions that read them.

Vectorisers and regressions are scikit-learn's; what is chosen, and how, is as for linear probes
(`bench.probing.probe`): from the largest penalty on, each smaller one is tried until the mean loss of held-out examples
rises. Penalties are per example and in units of the features' mean square here too.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack
from scipy.special import log_softmax

from bench.column import Array, Indices

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression, Ridge

WORDS: Final = (1, 2)  # words in a row
CHARACTERS: Final = (2, 5)  # in a row, within words: their ends count as characters
ANY_WORD: Final = r"(?u)\b\w+\b"  # those of one letter too
SOLVED: Final = 1e-6
COMPARED: Final = 1e-4
"""Largest entry of the gradient of the mean loss: of the model that is used, and of those that are only compared."""

Doubles = NDArray[np.float64]


class Vocabulary:
    """TF-IDF of the word and character n-grams that occur in some texts."""

    def __init__(self, texts: Sequence[str]) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415 (takes a second)

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


class Fitted(ABC):
    """A regression fitted on sparse features."""

    @property
    @abstractmethod
    def coefficients(self) -> int:
        """The number of coefficients, intercepts included."""

    @abstractmethod
    def outputs(self, counts: csr_matrix) -> Doubles:
        """Return what a linear head would put out, [n, outputs]."""

    @abstractmethod
    def losses(self, counts: csr_matrix, labels: Array) -> Doubles:
        """Return the loss of each example, [n]."""


class Regression(ABC):
    """How one kind of loss is minimised on sparse features. What fits another kind is a class like those here."""

    @abstractmethod
    def fit(
        self, counts: csr_matrix, labels: Array, penalty: float, *, exact: bool = True, start: Fitted | None = None
    ) -> Fitted:
        """Return what minimises the mean loss plus half the penalty times |W|^2, in units of the features.

        An iterative regression begins at `start`, and is stopped earlier where not `exact`.
        """


@dataclass(frozen=True, slots=True, eq=False)
class Softmax(Fitted):
    """A logistic regression over `width` classes."""

    model: "LogisticRegression"
    width: int

    @property
    def coefficients(self) -> int:
        return int(self.model.coef_.size + self.model.intercept_.size)

    def outputs(self, counts: csr_matrix) -> Doubles:
        """Return the logits of a softmax."""
        margins: Doubles = self.model.decision_function(counts)
        if margins.ndim == 1:
            margins = np.stack((-margins / 2, margins / 2), axis=1)
        assert margins.shape[1] == self.width, "every class is in every budget"
        return margins

    def losses(self, counts: csr_matrix, labels: Array) -> Doubles:
        logs: Doubles = log_softmax(self.outputs(counts), axis=1)
        return -logs[np.arange(len(logs)), labels]


class SoftmaxRegression(Regression):
    """Multinomial logistic regression; labels are class indices [n], of which every class is among them.

    scikit-learn counts the penalty once against the sum of losses, and gives two classes one row of weights: half the
    difference to either side is what a softmax would have, at half the square.
    """

    def fit(
        self, counts: csr_matrix, labels: Array, penalty: float, *, exact: bool = True, start: Fitted | None = None
    ) -> Softmax:
        from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 (takes a second)

        classes = len(np.unique(labels))
        strength = (2 if classes == 2 else 1) / (len(labels) * penalty * mean_square(counts))
        # By Newton's method: a few steps where L-BFGS takes hundreds under a weak penalty.
        tolerance = SOLVED if exact else COMPARED
        model = LogisticRegression(C=strength, solver="newton-cg", tol=tolerance, warm_start=start is not None)
        if isinstance(start, Softmax):
            model.coef_, model.intercept_, model.classes_ = (
                start.model.coef_,
                start.model.intercept_,
                start.model.classes_,
            )
        return Softmax(model.fit(counts, labels), classes)


@dataclass(frozen=True, slots=True, eq=False)
class Squares(Fitted):
    """A ridge regression."""

    model: "Ridge"

    @property
    def coefficients(self) -> int:
        return int(self.model.coef_.size + self.model.intercept_.size)

    def outputs(self, counts: csr_matrix) -> Doubles:
        values: Doubles = self.model.predict(counts)
        return values.reshape(counts.shape[0], -1)

    def losses(self, counts: csr_matrix, labels: Array) -> Doubles:
        errors: Doubles = self.outputs(counts) - labels.reshape(len(labels), -1)
        means: Doubles = np.square(errors).mean(axis=1)
        return means


class RidgeRegression(Regression):
    """Least squares; labels are numbers [n, outputs].

    scikit-learn counts the penalty once against the sum of squares.
    """

    def fit(
        self, counts: csr_matrix, labels: Array, penalty: float, *, exact: bool = True, start: Fitted | None = None
    ) -> Squares:
        from sklearn.linear_model import Ridge  # noqa: PLC0415 (takes a second)

        strength = len(labels) * penalty * mean_square(counts)
        model = Ridge(alpha=strength, solver="sparse_cg", tol=SOLVED if exact else COMPARED)
        return Squares(model.fit(counts, labels.reshape(len(labels), -1).astype(np.float64)))


@dataclass(frozen=True, slots=True, eq=False)
class Answers(Fitted):
    """Logistic regressions of yes-or-no questions.

    Where all examples have one answer there is none, but the logit of the smoothed share of yes.
    """

    questions: "tuple[LogisticRegression | float, ...]"

    @property
    def coefficients(self) -> int:
        sizes = (1 if isinstance(one, float) else one.coef_.size + one.intercept_.size for one in self.questions)
        return int(sum(sizes))

    def outputs(self, counts: csr_matrix) -> Doubles:
        """Return the logits of yes."""
        n = counts.shape[0]
        columns = [
            np.full(n, one) if isinstance(one, float) else one.decision_function(counts) for one in self.questions
        ]
        return np.stack(columns, axis=1)

    def losses(self, counts: csr_matrix, labels: Array) -> Doubles:
        logits = self.outputs(counts)
        means: Doubles = (np.logaddexp(0, logits) - logits * labels).mean(axis=1)
        return means


class OneVsRestRegression(Regression):
    """Logistic regressions of yes-or-no questions that share a penalty; labels are 0 or 1, [n, questions]."""

    def fit(
        self, counts: csr_matrix, labels: Array, penalty: float, *, exact: bool = True, start: Fitted | None = None
    ) -> Answers:
        from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 (takes a second)

        strength = 1 / (len(labels) * penalty * mean_square(counts))
        questions: list[LogisticRegression | float] = []
        for answers in labels.T:
            if len(np.unique(answers)) == 1:
                share = (float(answers.sum()) + 0.5) / (len(answers) + 1)
                questions.append(float(np.log(share / (1 - share))))
            else:
                model = LogisticRegression(C=strength, solver="newton-cg", tol=SOLVED if exact else COMPARED)
                questions.append(model.fit(counts, answers.astype(np.int64)))
        return Answers(tuple(questions))


def choose_penalty(
    regression: Regression, counts: csr_matrix, labels: Array, folds: Indices, grid: Sequence[float]
) -> float:
    """Return the penalty of the least mean loss of held-out examples."""
    least, chosen = np.inf, max(grid)
    fitted: list[Fitted | None] = [None] * (folds.max() + 1)
    for penalty in sorted(grid, reverse=True):
        total = 0.0
        for fold, before in enumerate(fitted):
            held_out = folds == fold
            model = regression.fit(counts[~held_out], labels[~held_out], penalty, exact=False, start=before)
            fitted[fold] = model
            total += model.losses(counts[held_out], labels[held_out]).sum()
        if total >= least:
            break
        least, chosen = total, penalty
    return chosen


def mean_square(counts: csr_matrix) -> float:
    """Return the unit of penalties; of no n-grams at all, any will do."""
    return float(counts.multiply(counts).mean()) or 1.0
