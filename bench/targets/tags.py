"""The target `tags`: a label for each word of a text, such as the names of people and places in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np

from bench.answers import Answers, Rows
from bench.column import Array, Column, Indices, Ragged, ragged
from bench.domain import Raw
from bench.domains.text.raw import expect_texts
from bench.errors import DataError
from bench.metric import Metric
from bench.metrics.tags import metrics
from bench.readout import Kind, Readout
from bench.subsets.blocks import deal_blocks
from bench.subsets.folds import spread_folds
from bench.subsets.subset import stratified_order
from bench.target import Baseline, Codec, LabelRows, Objective, Sampling, Target, first
from bench.targets.classes import AsTheyAre
from bench.targets.labels import rarest
from bench.written import Label, Labelling, Written, in_brackets

if TYPE_CHECKING:
    from torch import Tensor, nn

    from bench.probing.problem import Problem

LABEL: Final = "tag"
PLACE: Final = "token"  # in the geometry of texts: of the first token of each word, -1 where it was cut off
OUTSIDE: Final = "O"
FOLDS: Final = 5


@dataclass(frozen=True, slots=True)
class Tags(Target):
    """One of the tags `names` for each word: labels and predictions are ragged, `{"tag": int64 [words]}`.

    Tags are in BIO: "O" is outside of any entity, "B-KIND" begins one and "I-KIND" continues it. A word is read at its
    first token (Devlin et al. 2019, arXiv:1810.04805, section 5.3). Words of which a backbone has no token, since a
    text is too long for it, are not learnt from, and predicted as "O". `column` names the labels.
    """

    name: ClassVar[str] = "tags"
    unit: ClassVar[str] = "labelled sentences"
    readout: ClassVar[Readout] = Readout(Kind.SEQUENCE)
    names: tuple[str, ...]
    column: str = LABEL

    @classmethod
    def written(cls) -> "Written[Tags]":
        return WrittenTags()

    @property
    def reads(self) -> str:
        return self.column

    @property
    def sampling(self) -> Sampling:
        return RarestTagFirst(len(self.names))

    @property
    def codec(self) -> Codec:
        return AsTheyAre()

    @property
    def objective(self) -> Objective:
        return WordCrossEntropy(len(self.names), self.names.index(OUTSIDE))

    @property
    def metrics(self) -> tuple[Metric, ...]:
        return first(metrics(self.names), self.ranked_by)

    @property
    def baselines(self) -> tuple[Baseline, ...]:
        return (AllOutside(self.names.index(OUTSIDE)),)

    @property
    def rivals(self) -> tuple[str, ...]:
        return ()

    def answers(self, predictions: Column, raw: Raw, top: int) -> Answers:
        """Return each word with its tag."""
        texts = _words(raw)
        assert isinstance(predictions, Ragged), "tags are a ragged column"
        tags = [[self.names[tag] for tag in predictions.of(LABEL, row)] for row in range(len(predictions))]
        pairs = [list(zip(words, found, strict=True)) for words, found in zip(texts, tags, strict=True)]
        records = [{"words": list(words), "tags": found} for words, found in zip(texts, tags, strict=True)]
        return Rows(("word", "tag"), [[tuple(pair) for pair in several] for several in pairs], records)


@dataclass(frozen=True, slots=True)
class RarestTagFirst(Sampling):
    """Budgets and folds of whole texts, stratified by the rarest of `tags` tags that a text has."""

    tags: int

    def fewest(self, labels: Column | None) -> tuple[int, str]:
        return 2, "two texts"

    def order(self, labels: Column, facts: Column | None, generator: np.random.Generator) -> Indices:
        return stratified_order(rarest(self._present(labels)), generator)

    def folds(
        self, labels: Column, facts: Column | None, groups: Array | None, generator: np.random.Generator
    ) -> Indices | None:
        """Return folds in which tags are about even; None of fewer than two texts a fold."""
        count = min(FOLDS, len(labels) // 2)
        return spread_folds(rarest(self._present(labels)), groups, count, generator) if count > 1 else None

    def blocks(self, labels: Column, facts: Column | None, groups: Array | None, seed_from: str) -> Indices:
        return deal_blocks(len(labels), groups, seed_from=seed_from)

    def _present(self, labels: Column) -> Array:
        """Return which tags each text has, bool [n, tags]."""
        assert isinstance(labels, Ragged), "tags are a ragged column"
        present = np.zeros((len(labels), self.tags), dtype=np.bool_)
        present[_owners(labels), labels[LABEL]] = True
        return present


@dataclass(frozen=True, slots=True)
class WordCrossEntropy(Objective):
    """The cross-entropy of a softmax over `tags` outputs at the first token of each word; `outside` is the tag "O"."""

    tags: int
    outside: int

    def head(self, widths: Sequence[int]) -> "nn.Module":
        from bench.probing.linear import zero_head  # noqa: PLC0415 (loads torch)

        return zero_head(widths, self.tags)

    def loss(self, outputs: "tuple[Tensor, ...]", encoded: "Mapping[str, Tensor]", geometry: Column | None) -> "Tensor":
        words = self.rows(outputs, encoded, geometry)
        named = words.features.float().log_softmax(-1).gather(-1, words.labels[:, None])
        return -named.sum() / max(1, len(named))  # where all words of a batch were cut off, there is none

    def predict(self, outputs: "tuple[Tensor, ...]", geometry: Column | None) -> Column:
        """Return the likeliest tag of each word, of those that were cut off "O"."""
        seen = _geometry(geometry)
        tokens, values = seen[PLACE], outputs[0].numpy()  # [words], [n, length, tags]
        tags = np.full(len(tokens), self.outside, dtype=np.int64)
        kept = tokens >= 0
        tags[kept] = values[_owners(seen)[kept], tokens[kept]].argmax(axis=-1)
        return Ragged({LABEL: tags}, seen.offsets)

    def problem(self) -> "Problem":
        from bench.probing.problem import Softmax  # noqa: PLC0415 (loads torch)

        return Softmax(self.tags)

    def rows(
        self, features: "tuple[Tensor, ...]", encoded: "Mapping[str, Tensor]", geometry: Column | None
    ) -> LabelRows:
        """Return what is read at the first token of each word that has one, [words, width]."""
        import torch  # noqa: PLC0415 (takes seconds)

        seen, (values,), tags = _geometry(geometry), features, encoded[LABEL]  # values are [n, length, width]
        assert len(tags) == len(seen[PLACE]), "there is a first token for each word"
        kept = np.flatnonzero(seen[PLACE] >= 0)
        words, owners, tokens = (torch.from_numpy(one) for one in (kept, _owners(seen)[kept], seen[PLACE][kept]))
        device = values.device
        return LabelRows(values[owners.to(device), tokens.to(device)], tags[words.to(tags.device)], owners)


@dataclass(frozen=True, slots=True)
class AllOutside(Baseline):
    """The tag "O", which is number `outside`, for every word."""

    title: ClassVar[str] = "all O"
    outside: int

    def predict(self, train_labels: Column, raw: Raw, facts: Column | None) -> Column:
        offsets = np.cumsum([0, *map(len, _words(raw))], dtype=np.int64)
        return Ragged({LABEL: np.full(offsets[-1], self.outside, dtype=np.int64)}, offsets)


def _geometry(geometry: Column | None) -> Ragged:
    assert isinstance(geometry, Ragged), "texts in words are prepared with the first token of each"
    return geometry


def _owners(column: Ragged) -> Indices:
    """Return the example that each entry is of."""
    return np.repeat(np.arange(len(column)), np.diff(column.offsets))


def _words(raw: Raw) -> tuple[tuple[str, ...], ...]:
    words = expect_texts(raw).words
    assert words is not None, "texts come in words to be tagged"
    return words


class WrittenTags(Written[Tags]):
    """Tags are written beside their words."""

    in_words: ClassVar[bool] = True

    def recognised(self, cells: Sequence[str], separator: str) -> str:
        return ""  # a cell is the label of a whole example

    def parse(self, cell: str, separator: str) -> Label:
        return tuple(cell.split())

    def problem(self, cell: str, column: str) -> str:
        return ""

    def labelling(self, found: Sequence[Label], noun: str) -> Labelling[Tags]:
        others = sorted({tag for of_text in found for tag in of_text} - {OUTSIDE})
        if not others:
            raise DataError(f"no word of the {noun} is in an entity: all tags are {OUTSIDE!r}")
        names = (OUTSIDE, *others)
        numbers = {tag: number for number, tag in enumerate(names)}
        column = ragged(**{LABEL: [np.array([numbers[tag] for tag in one], dtype=np.int64) for one in found]})
        kinds = sorted({tag[2:] for tag in others})
        words = sum(map(len, found))
        counted = f"with {words:,} words and {len(kinds):,} kinds of entities{in_brackets(kinds)}"
        return Labelling(Tags(names), column, np.zeros(len(found), dtype=np.int64), names, counted)
