"""Owns what frozen stages say about a split: computed once per content, kept in the cache, mapped from there."""

import json
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from bench.backbone import Backbone, Batch
from bench.cell import FROZEN, Work
from bench.planning.plan import ALGORITHM
from bench.runtime.cache import Cache, content_key
from bench.runtime.precision import frozen_precision
from bench.training.inference import Recomputed, forward_all
from bench.training.inputs import Allowance, Inputs


class Activations:
    """The examples of one split at any boundary of one backbone."""

    def __init__(
        self,
        backbone: Backbone,
        inputs: Inputs,
        *,
        content: str,
        cache: Cache,
        device: torch.device,
        boundaries: Iterable[int],
        allowance: Allowance,
        check: Callable[[], None],
    ) -> None:
        """`inputs` are prepared examples on the CPU; `content` is a hash of them and of how they were prepared.

        `boundaries` will be asked for: one pass through the stages serves them all. Features are always kept; what lies
        between only if the `allowance` grants it, else it is computed anew whenever it is asked for. `check` is called
        after a pass, and what it raises ends it.
        """
        self._backbone = backbone
        self._inputs = inputs
        self._content = content
        self._cache = cache
        self._device = device
        self._boundaries = frozenset(boundaries)
        self._allowance = allowance
        self._check = check
        self._keeps = {len(backbone.stages): True}
        self._at: dict[int, tuple[Inputs, list[Work]]] = {0: (inputs.to(device), [])}

    def key(self, boundary: int) -> str:
        """Return the hash of all that the activations at `boundary` depend on."""
        precision = frozen_precision(self._device)
        card = self._backbone.card  # one file of weights may be prepared for, or cut into stages, in several ways
        network = (card.name, card.sha256, *card.stages)
        return content_key("activations", ALGORITHM, self._content, *network, boundary, precision)

    def at(self, boundary: int) -> Inputs:
        """Return the examples after the stages below `boundary`, on the device."""
        return self._entry(boundary)[0]

    def features(self) -> Batch:
        """Return the examples after all stages [n, width], on the device."""
        features = self.at(len(self._backbone.stages))
        assert isinstance(features, Batch), "features are always kept"
        return features

    def work(self, boundary: int) -> list[Work]:
        """Return what it took to compute them, whenever that was: a piece of work per run of stages."""
        return self._entry(boundary)[1]

    def _entry(self, boundary: int) -> tuple[Inputs, list[Work]]:
        if boundary not in self._at:
            self._at[boundary] = self._kept(boundary) if self._may_keep(boundary) else self._recomputed(boundary)
        return self._at[boundary]

    def _kept(self, boundary: int) -> tuple[Batch, list[Work]]:
        card, together = self._backbone.card, [boundary]
        if self._cache.get(self.key(boundary)) is None:  # then the way there is gone anyway
            below = {other for other in self._boundaries if 0 < other < boundary and self._may_keep(other)}
            together = sorted({boundary, *below})
        about = f"{card.name}, {len(self._inputs)} examples, after {{}} of {len(card.stages)} stages"
        wanted = {self.key(one): about.format(one) for one in together}
        paths = self._cache.fetch_all(wanted, lambda missing: self._compute(together, missing))
        return self._read(paths[self.key(boundary)])

    def _recomputed(self, boundary: int) -> tuple[Recomputed, list[Work]]:
        stages, precision = self._backbone.stages[:boundary], frozen_precision(self._device)
        return Recomputed(self.at(0), stages, precision), []

    def _may_keep(self, boundary: int) -> bool:
        """Whether the examples at `boundary` are features or are granted memory, which the first of them tells."""
        if boundary not in self._keeps:
            self._backbone.to(self._device)
            first = self._inputs.take(torch.tensor([0])).to(self._device)
            stages, precision = self._backbone.stages[:boundary], frozen_precision(self._device)
            values = forward_all(stages, first, precision=precision).values
            lengths = self._inputs.lengths
            longer = 1 if lengths is None or values.ndim < 3 else int(lengths.max()) / values.shape[1]
            self._keeps[boundary] = self._allowance.grants(int(values.nbytes * longer * len(self._inputs)))
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
                _write(path, done, works)
            reached = boundary

    def _read(self, path: Path) -> tuple[Batch, list[Work]]:
        with safe_open(path, framework="pt") as file:
            works = [Work(*fields) for fields in json.loads(file.metadata()["works"])]
            values = file.get_tensor("values")
        return Batch(values, self._inputs.lengths if values.ndim > 2 else None).to(self._device), works


def _write(path: Path, batch: Batch, works: Iterable[Work]) -> None:
    said = json.dumps([(work.phase, work.key, work.seconds) for work in works])
    save_file({"values": batch.values.cpu().contiguous()}, path, metadata={"works": said})
