"""Files that hold one example each: their bytes, what is found in them, and how examples are changed on reading."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, NamedTuple, Protocol, TypeVar

from bench.errors import DataError

TRUNCATED: Final = "is truncated: its end is missing"
EMPTY: Final = "is empty"


class Stored(Protocol):
    """The bytes of a file: a `Path`, or a cell of a table (`bench.files.embedded`). As a string it says which."""

    def read_bytes(self) -> bytes:
        """Return them."""


class Finding(NamedTuple):
    """What reading a file showed: its sha256, what is wrong with it, and of a sound recording how long it is."""

    sha256: str
    problem: str = ""
    seconds: float = 0.0


Example = TypeVar("Example")


@dataclass(frozen=True, slots=True, eq=False)
class Change(Generic[Example]):
    """What is done to each example when it is read, and nothing but the example decides; `name` says what it is."""

    name: str
    of: Callable[[Example], Example]


def named(change: Change[Example] | None) -> tuple[bytes, ...]:
    """Return the name of a change for hashing, nothing if there is none."""
    return (change.name.encode(),) if change else ()


def read_stored(path: Stored, noun: str) -> bytes:
    """Return the bytes of a file; `noun` says what it is. Raises `DataError` if it cannot be read."""
    try:
        return path.read_bytes()
    except (OSError, ValueError, MemoryError) as error:
        raise DataError(f"cannot read the {noun} {path}: {error}") from error


def read_unchanged(path: Stored, sha256: str, noun: str) -> bytes:
    """Return the bytes of a file that was hashed before. Raises `DataError` if they are others by now."""
    content = read_stored(path, noun)
    if hashlib.sha256(content).hexdigest() != sha256:
        raise DataError(f"the {noun} {path} changed since it was looked at: give the same command once more")
    return content
