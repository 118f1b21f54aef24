"""The contract of domains: what each offers to whatever works in several of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.domain import Raw

Floats = NDArray[np.float32]

Describe = Callable[[Raw], Floats]
"""From raw examples to features of a fixed width, float32 [n, width], each example by itself."""

FEATURES: Final = "features"
WORDS: Final = "words"
PASTS: Final = "pasts of series"
"""What classical models need of a domain, by the words that an error has for it."""


@dataclass(frozen=True, slots=True)
class Features:
    """Classical features: what they are called, also in the keys of what is kept, and how examples are described."""

    title: str
    describe: Describe


@dataclass(frozen=True, slots=True)
class DomainOffer:
    """What a domain offers to classical models: `kinds`, such as "words", and features if these are among them.

    `features` imports what it needs when it is called.
    """

    kinds: frozenset[str]
    features: Callable[[], Features] | None = None
