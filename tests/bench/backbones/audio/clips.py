"""Clips for audio backbones of tests, and what these are held to beside the contract of all."""

import copy
from typing import Final

import numpy as np
import torch
from torch import nn

from bench.backbone import Backbone
from bench.domain import Raw
from bench.domains.audio.raw import AudioArray, from_16_bits
from bench.testing.backbones import BackboneCheck, features_of

RATE_HZ = 16_000


def clips(n: int = 6, *, seconds: float = 0.3, rate_hz: int = RATE_HZ, seed: int = 0) -> AudioArray:
    """Return noise of different loudness and colour, the last clip silent in its second half."""
    generator = np.random.default_rng(seed)
    noise = generator.normal(size=(n, round(seconds * rate_hz)))
    noise[1::2] = np.cumsum(noise[1::2], axis=1) / 10
    noise[-1, noise.shape[1] // 2 :] = 0
    loudness = np.geomspace(300, 6000, n)[:, None]
    return AudioArray(from_16_bits((noise * loudness).clip(-32_768, 32_767).astype(np.int16)), rate_hz)


def unsettle(network: nn.Module, seed: int = 0) -> None:
    """Move every weight a little, as training would: what starts at 0 or 1 is told from what is drawn anew."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.05 * torch.randn(parameter.shape, generator=generator))


def clips_become_numbers(backbone: Backbone, raw: Raw) -> None:
    assert backbone.prepare(raw).values.dtype == torch.float32


def clips_are_told_apart(backbone: Backbone, raw: Raw) -> None:
    assert features_of(backbone, raw).std(dim=0).max() > 1e-3


def upper_stages_run_where_they_are_moved(backbone: Backbone, raw: Raw) -> None:
    """Check it on a device that only counts shapes."""
    values = backbone.prepare(raw).values
    for boundary, stage in enumerate(backbone.stages):
        if boundary:
            copy.deepcopy(backbone.stages[boundary:]).to("meta")[0](values.detach().to("meta"))
        values = stage(values)


OF_AUDIO: Final[tuple[BackboneCheck, ...]] = (
    clips_become_numbers,
    clips_are_told_apart,
    upper_stages_run_where_they_are_moved,
)
"""What audio backbones are held to beside the contract of all."""
