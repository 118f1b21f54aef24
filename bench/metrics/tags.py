"""Metrics of a tag per token: labels and predictions are ragged {"tag": int64 [tokens]}, indices into names in BIO."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.column import Column, Indices, Ragged
from bench.errors import DataError
from bench.metric import Metric, MetricCard
from bench.metrics.ranks import Flags


@dataclass(frozen=True, slots=True, eq=False)
class _Scheme:
    """What each tag [tags] says: whether it begins an entity, whether it lies in one, and the kind of the entity."""

    begins: Flags
    inside: Flags
    kind: Indices


def entity_f1(names: Sequence[str]) -> Metric:
    """Return the micro F1 of entities; one is found if its first token, its last token and its kind are all right.

    Entities are read off tags as conlleval does (Tjong Kim Sang and De Meulder 2003, the CoNLL-2003 shared task): an I
    that continues no entity of its kind begins one. Labels without any entity do not define it. Raises `DataError` if a
    name is not in BIO.
    """
    scheme = _scheme(names)

    def compute(predictions: Column, labels: Column, facts: Column | None) -> float | None:
        offsets = _offsets(predictions, labels)
        wanted, found = (_entities(column["tag"], offsets, scheme) for column in (labels, predictions))
        if not len(wanted):
            return None
        return 2 * len(np.intersect1d(wanted, found, assume_unique=True)) / (len(wanted) + len(found))

    return Metric(MetricCard("entity_f1", "entity F1", higher_is_better=True, perfect=1.0), compute)


def _token_accuracy(predictions: Column, labels: Column, facts: Column | None) -> float | None:
    _offsets(predictions, labels)
    return float((predictions["tag"] == labels["tag"]).mean()) if len(labels["tag"]) else None


TOKEN_ACCURACY: Final = Metric(
    MetricCard("token_accuracy", "token accuracy", higher_is_better=True, perfect=1.0), _token_accuracy
)


def metrics(names: Sequence[str]) -> tuple[Metric, ...]:
    """Return the metrics of tags with these names."""
    return (entity_f1(names), TOKEN_ACCURACY)


def _scheme(names: Sequence[str]) -> _Scheme:
    for name in names:
        if name != "O" and not (name.startswith(("B-", "I-")) and len(name) > 2):
            raise DataError(f"tags are to be O, B-KIND or I-KIND (the BIO scheme): got {name!r}")
    kinds = {kind: index for index, kind in enumerate(sorted({name[2:] for name in names}))}
    return _Scheme(
        np.array([name[0] == "B" for name in names], dtype=np.bool_),
        np.array([name != "O" for name in names], dtype=np.bool_),
        np.array([kinds[name[2:]] for name in names], dtype=np.int64),
    )


def _entities(tags: NDArray[np.int64], offsets: Indices, scheme: _Scheme) -> Indices:
    """Return a number for each entity [entities] that tells its first token, its last token and its kind."""
    first = np.zeros(len(tags) + 1, dtype=np.bool_)
    first[offsets] = True  # the end of the last example too: no entity goes beyond its example
    inside, kind = scheme.inside[tags], scheme.kind[tags]
    begins = inside & (scheme.begins[tags] | first[:-1])
    begins[1:] |= inside[1:] & (~inside[:-1] | (kind[1:] != kind[:-1]))
    ends = inside & first[1:]
    ends[:-1] |= inside[:-1] & (~inside[1:] | begins[1:])
    begin, end = np.flatnonzero(begins), np.flatnonzero(ends)  # both [entities]
    return (begin * len(tags) + end) * len(scheme.kind) + kind[begin]


def _offsets(predictions: Column, labels: Column) -> Indices:
    assert isinstance(predictions, Ragged), "tags are a ragged column"
    assert isinstance(labels, Ragged), "tags are a ragged column"
    assert np.array_equal(predictions.offsets, labels.offsets), "there is a predicted tag for each token"
    return labels.offsets
