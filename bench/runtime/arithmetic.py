"""The precisions that networks run in, and the choice between them. Standard library only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

Precision = Literal["float32", "bfloat16"]
WantedPrecision = Literal["auto", "float32", "bfloat16"]

WANTED: Final[tuple[WantedPrecision, ...]] = ("auto", "float32", "bfloat16")


@dataclass(frozen=True, slots=True, kw_only=True)
class PrecisionChoice:
    """The precision that trains a network faster on a machine, with the seconds that a pass took in each.

    `key` is the hash of the machine, the network and the batch. `depth` is the share of stages trained; the seconds are
    those of one forward and backward pass over a batch, the least of several.
    """

    key: str
    processor: str
    task: str
    backbone: str
    depth: float
    batch_size: int
    float32_seconds: float
    bfloat16_seconds: float
    precision: Precision


@dataclass(frozen=True, slots=True)
class PrecisionRequest:
    """The precision to train in; "auto" is the faster one. `known` has earlier choices by their keys, which hold."""

    wanted: WantedPrecision = "auto"
    known: Mapping[str, PrecisionChoice] = field(default_factory=dict)
