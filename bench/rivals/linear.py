"""Linear models on classical features of a fixed width: pictures and recordings.

The heads are those of linear probes, solved to the optimum that scikit-learn's `LogisticRegression` has as well: see
`bench.probing.probe`. So a backbone's features and these are read by the same model, with the penalty chosen by the
same rule, and what differs in the scores is the features.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from bench.budget import Budget
from bench.cell import Work
from bench.column import Array, Column, Indices
from bench.context import Context
from bench.domain import Raw
from bench.domains.contract import FEATURES, Features
from bench.domains.registered import domain_named
from bench.readout import Kind
from bench.rivals.rival import Rival, keep
from bench.runtime.cache import content_key
from bench.strategy import Cost, Model, Parts
from bench.target import Codec, Objective, Target
from bench.versions import ALGORITHM

if TYPE_CHECKING:
    from torch import Tensor

    from bench.backbone import Head
    from bench.probing.heads import Penalties
    from bench.training.inference import ReadFeatures


class Linear(Rival):
    """Linear heads on classical features, for every target whose heads are solved on one vector of each example."""

    needs: ClassVar[str] = FEATURES

    def predicts(self, target: Target) -> bool:
        return target.objective.problem() is not None and target.readout.kind is Kind.POOLED

    def fit(self, context: Context, budgets: Sequence[Budget[Column]], penalties: "Penalties") -> Iterator[Model]:
        from bench.probing.heads import Heads  # noqa: PLC0415 (loads torch)

        described = _Described(context)
        heads = Heads(
            context.target,
            described,
            facts=context.train.facts,
            groups=context.train.groups,
            content=content_key(*described.key, "heads"),
            prior=None,
            cache=context.cache,
        )
        target = context.target
        for budget, kept in zip(budgets, heads.solve(budgets, penalties), strict=True):
            head = kept.solved.head
            coefficients = head.weight.numel() + head.bias.numel()
            cost = Cost(
                seconds=0.0,
                penalty=kept.solved.penalty,
                trainable_parameters=coefficients,
                total_parameters=coefficients,
                work=(*described.work, kept.work),
            )
            yield LinearModel(described, head, target.codec.fit(budget.labels), target.objective, cost)


class _Described:
    """The features of a task's examples; those of the training and the test split are kept in the cache."""

    def __init__(self, context: Context) -> None:
        train, needed = context.train, context.needed
        domain = domain_named(train.raw.domain)
        assert domain.features is not None, "a domain that offers features says how they are made"
        features: Features = domain.features()
        self._describe = features.describe
        self.key = ("classical", ALGORITHM, features.title, context.content)
        learnt, of_train = keep(
            context.cache,
            content_key(*self.key, "train", needed.tolist()),
            f"{features.title}, train",
            lambda: features.describe(train.raw.take(needed)),
        )
        seen, of_test = keep(
            context.cache,
            content_key(*self.key, "test"),
            f"{features.title}, test",
            lambda: features.describe(context.tested),
        )
        self.work: tuple[Work, ...] = (of_train, of_test)
        self._learnt = learnt
        self._places = np.full(len(train), -1, dtype=np.int64)  # of training examples among those described
        self._places[needed] = np.arange(len(needed))
        self._others: dict[Raw, Array] = {context.tested: seen}  # by identity, as all raw examples are

    def read(self, rows: Indices) -> "ReadFeatures":
        """Return the features of the training examples `rows`, [n, width]."""
        import torch  # noqa: PLC0415 (takes seconds)

        from bench.training.inference import ReadFeatures  # noqa: PLC0415 (loads torch)

        return ReadFeatures((torch.from_numpy(self._learnt)[torch.from_numpy(self._places[rows])],), None)

    def of(self, raw: Raw) -> "Tensor":
        """Return the features of any other examples, [n, width]."""
        import torch  # noqa: PLC0415 (takes seconds)

        if raw not in self._others:
            self._others[raw] = self._describe(raw)
        return torch.from_numpy(self._others[raw])


@dataclass(frozen=True, slots=True, eq=False)
class LinearModel:
    """A linear head on classical features."""

    described: _Described
    head: "Head"
    codec: Codec
    objective: Objective
    cost: Cost

    def predict(self, raw: Raw) -> Column:
        """Return predictions on the scale of the labels."""
        outputs = self.described.of(raw) @ self.head.weight + self.head.bias
        return self.codec.decode(self.objective.predict((outputs,), None), None)

    def parts(self) -> Parts | None:
        """Return None: there is no network to export."""
        return None
