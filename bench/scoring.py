"""Scores of predictions: the value of each metric, and its values without each test block.

With those without each block, questions about uncertainty are answered when the predictions are gone.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from bench.cell import Scores
from bench.column import Column, Indices
from bench.errors import DataError
from bench.metric import Metric


class _Part(NamedTuple):
    """Some test examples: predictions, labels and facts of the same ones."""

    predictions: Column
    labels: Column
    facts: Column | None

    def take(self, rows: Indices) -> "_Part":
        facts = None if self.facts is None else self.facts.take(rows)
        return _Part(self.predictions.take(rows), self.labels.take(rows), facts)


def score(
    metrics: Sequence[Metric], predictions: Column, labels: Column, facts: Column | None, blocks: Indices
) -> Scores:
    """Return the scores of n test examples; `blocks` [n] are their test blocks, 0 to b - 1, of which none is empty.

    Raises `DataError` for predictions that are no numbers.
    """
    everything = _Part(predictions, labels, facts)
    parts = [_values(metrics, part) for part in _remainders(everything, blocks)]
    names = [metric.card.name for metric in metrics]
    return Scores(
        values=dict(zip(names, _values(metrics, everything), strict=True)),
        without={name: tuple(values[place] for values in parts) for place, name in enumerate(names)},
    )


def _remainders(everything: _Part, blocks: Indices) -> Iterator[_Part]:
    """Yield what is left without each block, one at a time: beside all examples only one remainder is in memory."""
    assert len(everything.predictions) == len(everything.labels) == len(blocks), "there is a block for each example"
    count = int(blocks.max()) + 1
    assert np.bincount(blocks).all(), "no block is empty"
    if count > 1:
        yield from (everything.take(np.flatnonzero(blocks != block)) for block in range(count))


def _values(metrics: Iterable[Metric], part: _Part) -> list[float | None]:
    return [_plain(metric.card.title, metric.compute(*part)) for metric in metrics]


def _plain(title: str, value: float | None) -> float | None:
    """Return a value as JSON can hold it: not one of NumPy's."""
    if value is not None and not np.isfinite(value):
        raise DataError(f"{title} of the predictions is {value}: some of them are no numbers; did the model diverge?")
    return None if value is None else float(value)
