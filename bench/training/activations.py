"""The activations of frozen stages: computed once per content, kept in the cache, read from there."""

import json
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from bench.backbone import Backbone, Batch
from bench.cell import FROZEN, Work
from bench.column import Column, from_bytes, to_bytes
from bench.readout import Readout
from bench.runtime.cache import Cache, content_key
from bench.runtime.precision import frozen_precision
from bench.training.inference import ReadFeatures, Recomputed, forward_all, read_all
from bench.training.inputs import Inputs, MemoryBudget, Tapped
from bench.versions import ALGORITHM

VALUES: Final = "values"
GEOMETRY: Final = "geometry"
"""The file of the geometry as bytes: it is kept of what is streamed, which has it only while it passes."""


class Activations:
    """The examples of one split at any boundary of one backbone, and their features."""

    def __init__(
        self,
        backbone: Backbone,
        inputs: Inputs,
        *,
        content: str,
        cache: Cache,
        device: torch.device,
        boundaries: Iterable[int],
        memory: MemoryBudget,
        check: Callable[[], None],
    ) -> None:
        """`inputs` are prepared examples on the CPU; `content` is a hash of them and of how they were prepared.

        `boundaries` will be asked for: one pass through the stages serves them all. Features are always kept; what lies
        between only if `memory` grants it, else it is computed anew whenever it is asked for. `check` is called
        after a pass, and what it raises ends it.
        """
        self._backbone = backbone
        self._inputs = inputs
        self._content = content
        self._cache = cache
        self._device = device
        self._boundaries = frozenset(boundaries)
        self._memory = memory
        self._check = check
        self._keeps: dict[int, bool] = {}
        self._at: dict[int, tuple[Inputs, list[Work]]] = {0: (inputs.to(device), [])}
        self._read: dict[Readout, tuple[ReadFeatures, list[Work]]] = {}

    def key(self, boundary: int | str) -> str:
        """Return the hash of all that the activations at a boundary, or those of a readout, depend on."""
        precision = frozen_precision(self._device)
        card = self._backbone.card  # one file of weights may be prepared for, or cut into stages, in several ways
        network = (card.name, card.sha256, *card.stages)
        return content_key("activations", ALGORITHM, self._content, *network, boundary, precision)

    def at(self, boundary: int, readout: Readout) -> Inputs:
        """Return the examples after the stages below `boundary`, on the device, with what else the readout names."""
        below = {tap: self._entry(tap)[0] for tap in readout.taps(self._n_stages) if tap < boundary}
        inputs = self._entry(boundary)[0]
        return Tapped(inputs, below) if below else inputs

    def features(self, readout: Readout) -> ReadFeatures:
        """Return the features of all examples, on the device."""
        return self._features(readout)[0]

    def features_key(self, readout: Readout) -> str:
        """Return the hash of all that features depend on."""
        return self.key(f"{readout.kind} of {readout.stages}")

    def work(self, boundary: int, readout: Readout) -> list[Work]:
        """Return what it took to compute them, whenever that was: a piece of work per run of stages."""
        below = [self._entry(tap)[1] for tap in readout.taps(self._n_stages) if tap < boundary]
        return [work for works in (*below, self._entry(boundary)[1]) for work in works]

    def features_work(self, readout: Readout) -> list[Work]:
        """Return what it took to compute the features, whenever that was."""
        return self._features(readout)[1]

    @property
    def _n_stages(self) -> int:
        return len(self._backbone.stages)

    def _entry(self, boundary: int) -> tuple[Inputs, list[Work]]:
        if boundary not in self._at:
            self._at[boundary] = self._kept(boundary) if self._may_keep(boundary) else self._recomputed(boundary)
        return self._at[boundary]

    def _features(self, readout: Readout) -> tuple[ReadFeatures, list[Work]]:
        if readout not in self._read:
            self._read[readout] = self._kept_features(readout)
        return self._read[readout]

    def _kept_features(self, readout: Readout) -> tuple[ReadFeatures, list[Work]]:
        """Return features from the cache. What is missing is computed from the highest boundary that is kept."""
        key = self.features_key(readout)
        path = self._cache.fetch(key, self._about(self._n_stages), lambda path: self._compute_features(path, readout))
        tensors, works = _read(path)
        features = tuple(tensors[f"{VALUES}.{place}"].to(self._device) for place in range(len(readout.stages)))
        return ReadFeatures(features, self._geometry(tensors)), works

    def _compute_features(self, path: Path, readout: Readout) -> None:
        self._backbone.to(self._device)
        between = [one for one in self._boundaries if 0 < one < self._n_stages and self._may_keep(one)]
        boundary = max(between, default=0)
        inputs, works = self.at(boundary, readout), self.work(boundary, readout)
        start = time.perf_counter()
        above = self._backbone.stages[boundary:]
        read = read_all(self._backbone, above, inputs, readout, precision=frozen_precision(self._device))
        self._check()
        works = [*works, Work(FROZEN, self.features_key(readout), time.perf_counter() - start)]
        tensors = {f"{VALUES}.{place}": values for place, values in enumerate(read.features)}
        _write(path, {**tensors, **self._only_passing(read.geometry)}, works)

    def _kept(self, boundary: int) -> tuple[Batch, list[Work]]:
        together = [boundary]
        if self._cache.get(self.key(boundary)) is None:  # then the way there is gone anyway
            below = {other for other in self._boundaries if 0 < other < boundary and self._may_keep(other)}
            together = sorted({boundary, *below})
        wanted = {self.key(one): self._about(one) for one in together}
        paths = self._cache.fetch_all(wanted, lambda missing: self._compute(together, missing))
        return self._load(paths[self.key(boundary)])

    def _about(self, boundary: int) -> str:
        card = self._backbone.card
        return f"{card.name}, {len(self._inputs)} examples, after {boundary} of {len(card.stages)} stages"

    def _recomputed(self, boundary: int) -> tuple[Recomputed, list[Work]]:
        stages, precision = self._backbone.stages[:boundary], frozen_precision(self._device)
        return Recomputed(self._entry(0)[0], stages, precision), []

    def _may_keep(self, boundary: int) -> bool:
        """Whether the examples at `boundary` are granted memory, which the first of them tells."""
        if boundary not in self._keeps:
            self._backbone.to(self._device)
            first = self._inputs.take(torch.tensor([0])).to(self._device)
            stages, precision = self._backbone.stages[:boundary], frozen_precision(self._device)
            values = forward_all(stages, first, precision=precision).values
            lengths = self._inputs.lengths
            longer = 1 if lengths is None or values.ndim < 3 else int(lengths.max()) / values.shape[1]
            self._keeps[boundary] = self._memory.grants(int(values.nbytes * longer * len(self._inputs)))
        return self._keeps[boundary]

    def _compute(self, boundaries: Iterable[int], missing: Mapping[str, Path]) -> None:
        """Write the activations that are missing, each computed from the ones before."""
        self._backbone.to(self._device)
        batch: Inputs
        reached, (batch, works) = 0, self._at[0]
        for boundary in boundaries:
            path = missing.get(self.key(boundary))
            if path is None:
                batch, works = self._entry(boundary)
            else:
                start = time.perf_counter()
                done = forward_all(
                    self._backbone.stages[reached:boundary], batch, precision=frozen_precision(self._device)
                )
                self._check()
                batch, works = done, [*works, Work(FROZEN, self.key(boundary), time.perf_counter() - start)]
                _write(path, {VALUES: done.values, **self._only_passing(done.geometry)}, works)
            reached = boundary

    def _load(self, path: Path) -> tuple[Batch, list[Work]]:
        tensors, works = _read(path)
        values = tensors[VALUES]
        lengths = self._inputs.lengths if values.ndim > 2 else None
        return Batch(values, lengths, self._geometry(tensors)).to(self._device), works

    def _geometry(self, kept: Mapping[str, Tensor]) -> Column | None:
        """Return the geometry of the examples: the one that was kept, if they do not have it themselves."""
        return from_bytes(kept[GEOMETRY].numpy().tobytes()) if GEOMETRY in kept else self._inputs.geometry

    def _only_passing(self, geometry: Column | None) -> dict[str, Tensor]:
        """Return what is kept of the geometry of examples that passed: nothing of those that are held with it."""
        if geometry is None or self._inputs.geometry is not None:
            return {}
        return {GEOMETRY: torch.frombuffer(bytearray(to_bytes(geometry)), dtype=torch.uint8)}


def _read(path: Path) -> tuple[dict[str, Tensor], list[Work]]:
    with safe_open(path, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (it is no mapping)
        return tensors, [Work(*fields) for fields in json.loads(file.metadata()["works"])]


def _write(path: Path, tensors: Mapping[str, Tensor], works: Iterable[Work]) -> None:
    said = json.dumps([(work.phase, work.key, work.seconds) for work in works])
    save_file({name: values.cpu().contiguous() for name, values in tensors.items()}, path, metadata={"works": said})
