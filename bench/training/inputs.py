"""How examples reach a network: held prepared, or read and prepared anew, batch by batch, where they are many."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import tee
from typing import Final, Protocol, Self

import numpy as np
import torch
from torch import Tensor

from bench.backbone import Backbone, Batch
from bench.column import Column, concatenate
from bench.domain import Raw

CHUNK: Final = 64  # examples prepared at a time


class Inputs(Protocol):
    """Examples as some stage wants them, in memory or not. `lengths` [n] are those of sequences, on the CPU.

    `geometry` is that of all examples; None where there is none, or where it is known only batch by batch, of examples
    that are not `held`.
    """

    @property
    def held(self) -> bool:
        """Whether all of them are prepared and in memory, or made of such."""

    @property
    def lengths(self) -> Tensor | None: ...

    @property
    def geometry(self) -> Column | None: ...

    @property
    def device(self) -> torch.device:
        """Where batches come out."""

    def __len__(self) -> int: ...

    def to(self, device: torch.device) -> Self:
        """Return the examples, whose batches come out on `device`."""

    def take(self, indices: Tensor) -> Self:
        """Return the examples at `indices`, given on the CPU."""

    def batches(self, rows: Iterable[Tensor]) -> Iterator[Batch]:
        """Yield the examples at each of `rows`, in order."""


class MemoryBudget:
    """How many bytes of examples may still be held."""

    def __init__(self, size_bytes: int) -> None:
        self._left = size_bytes

    def grants(self, size_bytes: int) -> bool:
        """Whether so many more may be held; if so, they are taken off."""
        if size_bytes > self._left:
            return False
        self._left -= size_bytes
        return True


@dataclass(frozen=True, slots=True, eq=False)
class Streamed:
    """Examples that are read and prepared when they are asked for, by `decoders` threads that work ahead.

    Threads, not processes: decoding and resizing pictures is done outside Python's lock, and nothing has to be sent.
    At most one batch more than there are threads is held.
    """

    backbone: Backbone
    raw: Raw
    decoders: int
    device: torch.device

    @property
    def held(self) -> bool:
        """They are not."""
        return False

    @property
    def lengths(self) -> None:
        """None: sequences are not streamed."""

    @property
    def geometry(self) -> None:
        """None: it comes with each batch."""

    def __len__(self) -> int:
        return len(self.raw)

    def to(self, device: torch.device) -> "Streamed":
        """Return the examples, whose batches come out on `device`."""
        return replace(self, device=device)

    def take(self, indices: Tensor) -> "Streamed":
        """Return the examples at `indices`; nothing is read."""
        return replace(self, raw=self.raw.take(indices.numpy()))

    def batches(self, rows: Iterable[Tensor]) -> Iterator[Batch]:
        """Yield the examples at each of `rows`, in order."""
        ahead: deque[Future[Batch]] = deque()
        with ThreadPoolExecutor(self.decoders) as pool:
            for one in rows:
                ahead.append(pool.submit(self._prepare, one))
                if len(ahead) > self.decoders:
                    yield ahead.popleft().result().to(self.device)
            while ahead:
                yield ahead.popleft().result().to(self.device)

    def _prepare(self, rows: Tensor) -> Batch:
        return self.backbone.prepare(self.raw.take(rows.numpy()))


@dataclass(frozen=True, slots=True, eq=False)
class Derived:
    """What examples made of other `inputs` have of these: all but their batches."""

    inputs: Inputs

    @property
    def held(self) -> bool:
        """Whether the inputs are."""
        return self.inputs.held

    @property
    def lengths(self) -> Tensor | None:
        """Those of the inputs."""
        return self.inputs.lengths

    @property
    def geometry(self) -> Column | None:
        """That of the inputs."""
        return self.inputs.geometry

    @property
    def device(self) -> torch.device:
        """That of the inputs."""
        return self.inputs.device

    def __len__(self) -> int:
        return len(self.inputs)


@dataclass(frozen=True, slots=True, eq=False)
class Tapped(Derived):
    """Examples after some stage, together with what they were after stages `below` that a readout names too."""

    below: Mapping[int, Inputs]

    def to(self, device: torch.device) -> "Tapped":
        """Return the examples, whose batches come out on `device`."""
        return Tapped(self.inputs.to(device), {tap: one.to(device) for tap, one in self.below.items()})

    def take(self, indices: Tensor) -> "Tapped":
        """Return the examples at `indices`, given on the CPU."""
        return Tapped(self.inputs.take(indices), {tap: one.take(indices) for tap, one in self.below.items()})

    def batches(self, rows: Iterable[Tensor]) -> Iterator[Batch]:
        """Yield the examples at each of `rows`, in order."""
        own, *others = tee(rows, 1 + len(self.below))
        below = [one.batches(drawn) for one, drawn in zip(self.below.values(), others, strict=True)]
        for batch, *tapped in zip(self.inputs.batches(own), *below, strict=True):
            yield replace(batch, taps={tap: one.values for tap, one in zip(self.below, tapped, strict=True)})


def prepare(backbone: Backbone, raw: Raw, *, memory: MemoryBudget, decoders: int) -> Inputs:
    """Return raw examples as the first stage wants them: held if the memory budget grants it, else streamed.

    What has no file is always held: it is in memory already. So are sequences, which are padded to the longest of them.
    """
    if not raw.streams:
        return backbone.prepare(raw)
    streamed = Streamed(backbone, raw, decoders, torch.device("cpu"))
    first = backbone.prepare(raw.take(np.array([0])))
    if first.lengths is not None:
        return backbone.prepare(raw)
    example = first.values
    if not memory.grants(example.nbytes * len(raw)):
        return streamed
    values = torch.empty((len(raw), *example.shape[1:]), dtype=example.dtype)
    chunks = torch.arange(len(raw)).split(CHUNK)
    geometry = []
    for rows, batch in zip(chunks, streamed.batches(chunks), strict=True):
        values[rows] = batch.values
        geometry += [] if batch.geometry is None else [batch.geometry]
    return Batch(values, geometry=concatenate(geometry) if geometry else None)
