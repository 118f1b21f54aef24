"""Owns what frozen stages say about a split: computed once per content, kept in the cache, mapped from there."""

import time
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from bench.backbone import Backbone, Batch
from bench.cache import Cache, content_key
from bench.inference import forward_all, precision_on


class Activations:
    """The examples of one split at any boundary of one backbone."""

    def __init__(self, backbone: Backbone, inputs: Batch, *, content: str, cache: Cache, device: torch.device) -> None:
        """`inputs` are prepared examples on the CPU; `content` is a hash of them and of how they were prepared."""
        self._backbone = backbone
        self._inputs = inputs
        self._content = content
        self._cache = cache
        self._device = device
        self._at: dict[int, tuple[Batch, float]] = {0: (inputs.to(device), 0.0)}

    def key(self, boundary: int) -> str:
        """Return the hash of all that the activations at `boundary` depend on."""
        precision = precision_on(self._device)
        return content_key("activations", self._content, self._backbone.card.sha256, boundary, precision)

    def at(self, boundary: int) -> Batch:
        """Return the examples after the stages below `boundary`, on the device."""
        return self._entry(boundary)[0]

    def seconds(self, boundary: int) -> float:
        """Return what it took to compute them, whenever that was."""
        return self._entry(boundary)[1]

    def _entry(self, boundary: int) -> tuple[Batch, float]:
        if boundary not in self._at:
            card = self._backbone.card
            path = self._cache.fetch(
                self.key(boundary),
                f"{card.name}, after {boundary} of {len(card.stages)} stages, {len(self._inputs)} examples",
                lambda path: self._compute(boundary, path),
            )
            self._at[boundary] = self._read(path)
        return self._at[boundary]

    def _compute(self, boundary: int, path: Path) -> None:
        start = time.perf_counter()
        self._backbone.to(self._device)
        batch = forward_all(self._backbone.stages[:boundary], self._inputs.to(self._device))
        tensors = {"values": batch.values.cpu().contiguous()}
        if batch.mask is not None:
            tensors["mask"] = batch.mask.cpu()
        save_file(tensors, path, metadata={"seconds": str(time.perf_counter() - start)})

    def _read(self, path: Path) -> tuple[Batch, float]:
        with safe_open(path, framework="pt") as file:
            seconds = float(file.metadata()["seconds"])
            mask = file.get_tensor("mask") if "mask" in file.keys() else None  # noqa: SIM118  (not a mapping)
            return Batch(file.get_tensor("values"), mask).to(self._device), seconds
