"""What audio backbones share: how clips become features, how much of a batch runs at a time, and a check of stages."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import pad
from torchaudio.functional import resample

from bench.backbone import Backbone, Batch, run_stages
from bench.card import BackboneCard
from bench.domain import Raw
from bench.domains.audio.files import expect_recordings
from bench.errors import WeightsError

CHUNK: Final = 32
"""Clips prepared at a time."""

MOST: Final = 2**26
"""Elements of the largest tensor in a pass without gradients: 256 MiB in float32."""

TOLERANCE: Final = 1e-4
"""How far features of the stages may lie from those of the network, as a share of the largest."""


@dataclass(frozen=True, slots=True, eq=False)
class AudioFormat:
    """What becomes of clips before the first stage.

    `extract` takes float32 [n, samples] in [-1, 1], at `rate_hz` and of at least `shortest` samples.
    """

    rate_hz: int
    shortest: int
    extract: Callable[[Tensor], Tensor]


@final
class AudioBackbone(Backbone):
    """A network that listens, cut into stages.

    Clips are all of one length, cut or padded by their task, so none of them needs a mask: silence that a task has
    added counts as silence. `draw` returns the stages anew, as if never trained, from torch's default generator.
    """

    def __init__(
        self, card: BackboneCard, stages: nn.ModuleList, *, audio_format: AudioFormat, draw: Callable[[], nn.ModuleList]
    ) -> None:
        super().__init__()
        self.card = card
        self.stages = stages
        self._format = audio_format
        self._draw = draw

    def prepare(self, raw: Raw) -> Batch:
        """Return what the network's own preparation makes of each clip at the network's own rate, float32 [n, …].

        A clip that is too short for a single frame is followed by silence.
        """
        recordings = expect_recordings(raw)
        audio_format = self._format
        parts = []
        for rows in np.split(np.arange(len(recordings)), range(CHUNK, len(recordings), CHUNK)):
            waves = recordings.take(rows).waveforms()  # files are read a few at a time
            resampled = resample(torch.from_numpy(waves.samples), waves.rate_hz, audio_format.rate_hz)
            parts.append(audio_format.extract(pad(resampled, (0, max(0, audio_format.shortest - resampled.shape[1])))))
        return Batch(torch.cat(parts))

    def initialise(self) -> None:
        self.stages.load_state_dict(self._draw().state_dict())


def in_pieces(run: Callable[[Tensor], Tensor], values: Tensor, *, elements: int) -> Tensor:
    """Return `run(values)`, without gradients a few examples at a time.

    `elements` are those of the largest tensor on the way for one example: attention over half a minute, or the first
    convolutions of a few seconds, would not fit into memory for as many examples as other domains run at once.
    """
    if torch.is_grad_enabled():
        return run(values)
    return torch.cat([run(piece) for piece in values.split(max(1, MOST // elements))])


def receptive_field(convolutions: Iterable[tuple[int, int]]) -> int:
    """Return how many samples the first frame needs, of convolutions given as (kernel, stride) from the input on."""
    needed = 1
    for kernel, stride in reversed(list(convolutions)):
        needed = (needed - 1) * stride + kernel
    return needed


def check_stages(name: str, stages: nn.ModuleList, audio_format: AudioFormat, own: Callable[[Tensor], Tensor]) -> None:
    """Raise `WeightsError` unless the stages give the features that the network's `own` way gives for half a second."""
    generator = torch.Generator().manual_seed(0)
    clips = 0.1 * torch.randn(1, max(audio_format.shortest, audio_format.rate_hz // 2), generator=generator)
    with torch.no_grad():
        staged = run_stages(stages.eval(), Batch(audio_format.extract(clips))).values
        expected = own(clips)
    apart = float((staged - expected).abs().max())
    if not apart <= TOLERANCE * max(1.0, float(expected.abs().max())):
        raise WeightsError(
            f"{name} is built otherwise than its stages expect: their features differ by {apart:.2g} from those of the "
            "whole network; this variant of the architecture cannot be used"
        )
