"""Owns linear models on classical features of a fixed width: pictures and recordings.

The heads are those of linear probes, solved to the optimum that scikit-learn's `LogisticRegression` has as well: see
`bench.probing.probe`. So a backbone's features and these are read by the same model, with the penalty chosen by the
same rule, and what differs in the scores is the features.
"""

from collections.abc import Callable, Iterable
from functools import partial

import numpy as np
import torch
from torch import Tensor

from bench.backbone import Head
from bench.classical.models import Fitted, Floats, Models, TaskData, keep
from bench.domain import Indices, Raw
from bench.planning.plan import ALGORITHM
from bench.probing.heads import Heads
from bench.runtime.cache import content_key
from bench.strategy import Recipe
from bench.target import Outputs


class LinearModels(Models):
    """Linear heads on what `describe` makes of raw examples: float32 [n, width], each example by itself."""

    def __init__(self, data: TaskData, describe: Callable[[Raw], Floats], *, name: str) -> None:
        """`name` says which features they are, also in the keys of what is kept."""
        self._describe = describe
        self._target = data.target
        train, test, needed = data.splits.train, data.splits.test, data.needed
        key = ("classical", ALGORITHM, name, data.content)
        part = content_key(*key, "train", needed.tolist())
        learnt, of_train = keep(data.cache, part, f"{name}, train", lambda: describe(train.raw.take(needed)))
        seen, of_test = keep(data.cache, content_key(*key, "test"), f"{name}, test", lambda: describe(test.raw))
        self._work = (of_train, of_test)
        self._described: dict[Raw, Floats] = {test.raw: seen}  # by identity, as all raw examples are
        self._learnt = torch.from_numpy(learnt)
        self._places = np.full(len(train), -1, dtype=np.int64)  # of training examples among those described
        self._places[needed] = np.arange(len(needed))
        encoded = torch.from_numpy(data.target.encode(train.labels, train.raw))
        self._heads = Heads(
            data.target,
            train.labels,
            encoded,
            self._features,
            content=content_key(*key, "heads"),
            prior=None,
            cache=data.cache,
        )

    def fit(self, rows: Indices, *, recipe: Recipe, companions: Iterable[Indices] = ()) -> Fitted:
        kept = self._heads.solve(rows, recipe=recipe, companions=companions)
        head = kept.solved.head
        return Fitted(
            predict=partial(self._predict, head),
            coefficients=head.weight.numel() + head.bias.numel(),
            penalty=kept.solved.penalty,
            arithmetic="float32",
            work=(*self._work, kept.work),
        )

    def _features(self, rows: Indices) -> Tensor:
        """Return the features of the training examples `rows`, [n, width]."""
        return self._learnt[torch.from_numpy(self._places[rows])]

    def _predict(self, head: Head, raw: Raw) -> Outputs:
        if raw not in self._described:
            self._described[raw] = self._describe(raw)
        outputs = torch.from_numpy(self._described[raw]) @ head.weight + head.bias
        return self._target.decode(outputs.numpy(), raw).astype(np.float32)
