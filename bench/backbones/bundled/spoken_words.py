"""The backbone `bundled:spoken-words`: a small residual network that learnt to tell spoken words apart."""

import math
from typing import Final, final

import torch
from torch import Tensor
from torch.nn.functional import conv1d, pad
from torchaudio.functional import melscale_fbanks, resample

from bench.backbone import Backbone, Batch
from bench.backbones.bundled import resnet
from bench.card import BackboneCard
from bench.domain import Raw
from bench.domains.audio.files import expect_recordings

RATE_HZ: Final = 8_000
WINDOW: Final = 256  # samples: 32 ms
HOP: Final = 128  # 16 ms
MELS: Final = 32
FRAMES: Final = 48  # 0.77 s
LOWEST_HZ: Final = 60.0
CHUNK: Final = 256  # clips prepared at a time

SILENCE: Final = -20.0  # log power of digital silence, below any recording's own noise
FLOOR: Final = 10.0  # e-folds of power (43 dB) below a clip's mean: what is quieter sounds alike
SPREAD: Final = 3.0  # e-folds of power that count as one


@final
class SpokenWords(Backbone):
    """A ResNet on the log-mel spectrogram of the loudest 0.8 s, for recordings of any length, rate and level.

    `network` holds the parameters; the stages share them.
    """

    def __init__(self, card: BackboneCard) -> None:
        super().__init__()
        self.card = card
        self.network = resnet.build()
        self.stages = resnet.as_stages(self.network)

    def prepare(self, raw: Raw) -> Batch:
        """Return float32 [n, 1, 32, 48]: log power in mel bands by frames, relative to the mean power of the clip."""
        waves = expect_recordings(raw).waveforms()
        chunks = (torch.tensor(waves.samples[start : start + CHUNK]) for start in range(0, len(waves), CHUNK))
        parts = [normalise(excerpt(log_mel(chunk, waves.rate_hz))) for chunk in chunks]
        return Batch(torch.cat(parts)[:, None])

    def initialise(self) -> None:
        self.network.load_state_dict(resnet.build().state_dict())


def log_mel(samples: Tensor, rate_hz: int) -> Tensor:
    """Return the log power of samples [n, length] in [-1, 1], in mel bands, [n, mels, frames]."""
    waves = resample(samples, rate_hz, RATE_HZ)
    hann = torch.hann_window(WINDOW)
    spectra = torch.stft(
        pad(waves, (WINDOW, WINDOW)), WINDOW, HOP, window=hann, center=False, return_complex=True
    )  # [n, bins, frames]
    banks = melscale_fbanks(WINDOW // 2 + 1, LOWEST_HZ, RATE_HZ / 2, MELS, RATE_HZ)  # [bins, mels]
    power: Tensor = banks.T @ spectra.abs().square()
    return power.log().clamp(min=SILENCE)


def excerpt(log_power: Tensor) -> Tensor:
    """Return the `FRAMES` frames about the loudest moment, [n, mels, FRAMES]; before and after a recording is silence.

    The loudest moment is where the amplitude under a Hann window as long as the excerpt is greatest: a word comes to
    lie in the middle, wherever it was said.
    """
    amplitude = log_power.exp().sum(dim=1).sqrt()  # [n, frames]
    hum = amplitude.quantile(0.1, dim=1, keepdim=True)  # steady noise would draw the excerpt to the middle
    hann = torch.hann_window(FRAMES + 1, periodic=False)[None, None]
    loudness = conv1d((amplitude - hum)[:, None], hann, padding=FRAMES // 2)[:, 0]  # [n, frames]
    middle = loudness.argmax(dim=1, keepdim=True)  # [n, 1], and the first frame once half an excerpt is put before
    frames = middle + torch.arange(FRAMES)  # [n, FRAMES]
    padded = pad(log_power, (FRAMES // 2, FRAMES // 2), value=SILENCE)
    return padded.gather(2, frames[:, None].expand(-1, MELS, -1))


def normalise(log_power: Tensor) -> Tensor:
    """Return log power [..., mels, frames] about the log of its own mean power, floored and scaled.

    Applying it again changes nothing, but for the little that the floor adds to the mean.
    """
    cells = log_power.shape[-2] * log_power.shape[-1]
    level = log_power.logsumexp(dim=(-2, -1), keepdim=True) - math.log(cells)
    return (log_power - level).clamp(min=-FLOOR) / SPREAD
