"""What a shift is, and the random numbers that belong to an example."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from bench.domain import DomainName
from bench.task import Examples

SEED: Final = 1903


@dataclass(frozen=True, slots=True, eq=False)
class Shift:
    """A change of the test data of a `domain`, in which `name` is unique; `title` says what it is, with its number.

    `apply` returns the examples under the shift. What lies in files stays there until it is looked at.
    """

    name: str
    title: str
    apply: Callable[[Examples], Examples]
    domain: DomainName


def generator_of(content: bytes) -> np.random.Generator:
    """Return the random numbers of an example, which its content alone decides.

    Where it stands in a split, a batch or a selection makes no difference.
    """
    digest = hashlib.sha256(content).digest()
    return np.random.default_rng([SEED, int.from_bytes(digest[:8], "little")])
