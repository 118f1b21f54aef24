"""The small network of texts: a bag of words and of their letters (Bojanowski et al. 2017, arXiv:1607.04606)."""

import re
from collections.abc import Iterator
from typing import Final, final
from zlib import crc32

import torch
from torch import Tensor, nn

from bench.backbone import Batch, Stage
from bench.domain import Raw
from bench.domains.small import SmallNetwork
from bench.domains.text.raw import expect_texts

WORD: Final = re.compile(r"\w+|[^\w\s]")
LONGEST: Final = 200  # words of a text that are read
LETTERS: Final = (3, 4, 5)  # of the parts of a word
BUCKETS: Final = 2**15
WIDTH: Final = 24


@final
class BagOfWords(SmallNetwork):
    """The mean of vectors for the words of a text and their parts, each found by its hash."""

    def __init__(self) -> None:
        super().__init__(
            "text",
            "Bag of words",
            "The mean of vectors for words and their parts of 3 to 5 letters, never trained before.",
            [("bag", Bag())],
            width=WIDTH,
        )

    def prepare(self, raw: Raw) -> Batch:
        """Return the hashes of words and their parts, int64 [n, length], with their numbers."""
        hashes = [torch.tensor([crc32(part.encode()) % BUCKETS for part in parts(text)]) for text in _texts(raw)]
        lengths = torch.tensor([len(one) for one in hashes])
        return Batch(nn.utils.rnn.pad_sequence(hashes, batch_first=True), lengths)


class Bag(Stage):
    """Hashes [n, length] to the mean of their vectors, [n, width]."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(BUCKETS, WIDTH)

    def forward(self, values: Tensor, mask: Tensor | None = None) -> Tensor:
        vectors: Tensor = self.table(values)  # [n, length, width]
        assert mask is not None, "texts have lengths"
        counted = mask[:, :, None].to(vectors.dtype)
        return (vectors * counted).sum(1) / counted.sum(1)


def parts(text: str) -> Iterator[str]:
    """Yield the words of a text and their parts, in order; of an empty text the empty word."""
    for word in WORD.findall(text.lower())[:LONGEST] or [""]:
        marked = f"<{word}>"
        yield marked
        for length in LETTERS:
            yield from (marked[start : start + length] for start in range(len(marked) - length + 1))


def _texts(raw: Raw) -> tuple[str, ...]:
    return expect_texts(raw).strings
