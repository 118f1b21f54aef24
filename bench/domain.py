"""What the raw examples of every domain have in common: what a task yields and what a backbone prepares.

The types themselves are in the packages of `bench.domains`. All are immutable columns of examples: `len()` counts them
and `take` selects rows. Those that lie in files are read when they are looked at.
"""

from typing import Protocol, Self

from bench.column import Indices

DomainName = str
"""The name of a domain, such as "vision"."""


class Raw(Protocol):
    """Examples of one domain."""

    @property
    def domain(self) -> DomainName:
        """Which backbones can read them."""

    @property
    def streams(self) -> bool:
        """Whether they are prepared a few at a time, where all of them take too much memory."""

    def __len__(self) -> int: ...

    def take(self, indices: Indices) -> Self:
        """Return the examples at `indices`."""

    def columns(self) -> tuple[bytes, ...]:
        """Return the content as bytes, for hashing."""
