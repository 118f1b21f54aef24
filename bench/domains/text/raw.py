"""Texts: words, phrases and sentences."""

from dataclasses import dataclass
from typing import ClassVar

from bench.column import Indices
from bench.domain import DomainName, Raw


@dataclass(frozen=True, slots=True, eq=False)
class Texts:
    """Words, phrases or sentences; `words` are those of each, where the data come in words, as for tags."""

    domain: ClassVar[DomainName] = "text"
    streams: ClassVar[bool] = False
    strings: tuple[str, ...]
    words: tuple[tuple[str, ...], ...] | None = None

    def __len__(self) -> int:
        return len(self.strings)

    def take(self, indices: Indices) -> "Texts":
        """Return the examples at `indices`."""
        words = None if self.words is None else tuple(self.words[index] for index in indices)
        return Texts(tuple(self.strings[index] for index in indices), words)

    def columns(self) -> tuple[bytes, ...]:
        """Return the content as bytes, for hashing."""
        words = () if self.words is None else ("\x00".join("\x01".join(one) for one in self.words).encode(),)
        return ("\x00".join(self.strings).encode(), *words)


def expect_texts(raw: Raw) -> Texts:
    """Return raw examples as the texts that they are."""
    assert isinstance(raw, Texts), f"expected texts, got {type(raw).__name__}"
    return raw
