"""Classical models of texts: a sparse regression on the n-grams of a budget's texts (see `bench.rivals.sparse`)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, ClassVar, Final
from uuid import uuid4

import numpy as np

from bench.budget import Budget
from bench.cell import HEAD, Work
from bench.column import Column, digest
from bench.context import Context
from bench.domain import Raw
from bench.domains.contract import WORDS as TEXTS
from bench.domains.text.raw import expect_texts
from bench.probing import problem
from bench.readout import Kind
from bench.rivals.rival import Rival
from bench.rivals.sparse import (
    Fitted,
    OneVsRestRegression,
    Regression,
    RidgeRegression,
    SoftmaxRegression,
    Vocabulary,
    choose_penalty,
)
from bench.strategy import Cost, Model, Parts
from bench.subsets.seeds import stream
from bench.target import Codec, Objective, Target

if TYPE_CHECKING:
    from bench.probing.heads import Penalties

REGRESSIONS: Final[Mapping[type[problem.Problem], Regression]] = {
    problem.Softmax: SoftmaxRegression(),
    problem.Ridge: RidgeRegression(),
    problem.OneVsRest: OneVsRestRegression(),
}
"""What takes the place of a linear probe on sparse features, by what the probe solves."""


class Words(Rival):
    """Sparse regressions on the n-grams of texts, for targets with one label for each text."""

    needs: ClassVar[str] = TEXTS

    def predicts(self, target: Target) -> bool:
        return _regression_of(target) is not None and target.readout.kind is Kind.POOLED

    def fit(self, context: Context, budgets: Sequence[Budget[Column]], penalties: "Penalties") -> Iterator[Model]:
        """Yield the models; equal budgets that follow each other are one problem, whichever seed drew them."""
        last: tuple[tuple[bytes, str], WordsModel] | None = None  # no more than one: vocabularies are large
        for budget in budgets:
            name = budget.rows.tobytes(), digest(budget.labels)
            if last is None or last[0] != name:
                last = name, _fit(context, budget, penalties)
            yield last[1]


@dataclass(frozen=True, slots=True, eq=False)
class WordsModel:
    """A sparse regression on n-grams."""

    vocabulary: Vocabulary
    fitted: Fitted
    codec: Codec
    objective: Objective
    cost: Cost

    def predict(self, raw: Raw) -> Column:
        """Return predictions on the scale of the labels."""
        import torch  # noqa: PLC0415 (takes seconds)

        outputs = self.fitted.outputs(self.vocabulary.count(_strings(raw))).astype(np.float32)
        return self.codec.decode(self.objective.predict((torch.from_numpy(outputs),), None), None)

    def parts(self) -> Parts | None:
        """Return None: there is no network to export."""
        return None


def _fit(context: Context, budget: Budget[Column], penalties: "Penalties") -> WordsModel:
    start = perf_counter()
    target, train = context.target, context.train
    texts = _strings(train.raw.take(budget.rows))
    codec = target.codec.fit(budget.labels)
    [labels] = codec.encode(budget.labels, None).values.values()
    vocabulary = Vocabulary(texts)
    counts = vocabulary.count(texts)
    groups = None if train.groups is None else train.groups[budget.rows]
    facts = None if train.facts is None else train.facts.take(budget.rows)
    folds = target.sampling.folds(budget.labels, facts, groups, stream(0, "folds"))
    regression = _regression_of(target)
    assert regression is not None, "what it cannot predict was refused"
    penalty = penalties.default
    if folds is not None:
        penalty = choose_penalty(regression, counts, labels, folds, penalties.grid)
    fitted = regression.fit(counts, labels, penalty)
    cost = Cost(
        seconds=0.0,
        precision="float64",
        penalty=penalty,
        trainable_parameters=fitted.coefficients,
        total_parameters=fitted.coefficients,
        work=(Work(HEAD, uuid4().hex, perf_counter() - start),),
    )
    return WordsModel(vocabulary, fitted, codec, target.objective, cost)


def _regression_of(target: Target) -> Regression | None:
    solved = target.objective.problem()
    return None if solved is None else REGRESSIONS.get(type(solved))


def _strings(raw: Raw) -> tuple[str, ...]:
    return expect_texts(raw).strings
