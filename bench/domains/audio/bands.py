"""Classical features of recordings: statistics of mel bands over time, to be read by a linear model.

Of the log power in each band, relative to the recording's own level: mean, deviation, and the deviation of its change
over one frame and over four. Chosen on training voices of the spoken digits: the changes make .74 of .67, cepstral
coefficients in the bands' place .60.
"""

import math
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad
from torchaudio.transforms import MelSpectrogram

from bench.domain import Raw
from bench.domains.audio.files import expect_recordings
from bench.domains.audio.raw import AudioArray
from bench.domains.contract import Floats

WINDOW_SECONDS: Final = 0.032
SHORTEST_WINDOW: Final = 256  # samples: fewer tell too few frequencies apart for so many bands
BANDS: Final = 40
LOWEST_HZ: Final = 60.0
CHUNK: Final = 64  # recordings at a time
SLOW: Final = 4  # frames

SILENCE: Final = 1e-8  # power below that of the last of 16 bits
FLOOR: Final = 10.0  # e-folds of power (43 dB) below a recording's mean: what is quieter sounds alike


def describe(raw: Raw) -> Floats:
    """Return float32 [n, 160]: mean, deviation and deviations of change of 40 bands, for any rate and length."""
    recordings = expect_recordings(raw)
    chunks = np.split(np.arange(len(raw)), range(CHUNK, len(raw), CHUNK))
    return np.concatenate([_describe(recordings.take(rows).waveforms()) for rows in chunks])


def _describe(waves: AudioArray) -> Floats:
    bands = log_mel(waves)
    slow = bands[..., SLOW:] - bands[..., :-SLOW]
    # [n, 4 * bands]; the plain deviation, which a single change has too
    spreads = [changing.std(dim=2, correction=0) for changing in (bands, bands.diff(dim=2), slow)]
    statistics: Floats = torch.cat([bands.mean(dim=2), *spreads], dim=1).numpy()
    return statistics


def log_mel(waves: AudioArray) -> Tensor:
    """Return the log power of mel bands relative to each recording's mean power, [n, bands, frames].

    Windows are about 32 ms long, a power of two in samples; there are at least as many frames as the statistics want.
    """
    window = max(SHORTEST_WINDOW, 2 ** round(math.log2(WINDOW_SECONDS * waves.rate_hz)))
    hop = window // 2
    samples = torch.from_numpy(waves.samples)
    samples = pad(samples, (0, max(0, (SLOW + 1) * hop - samples.shape[1])))
    spectrogram = MelSpectrogram(
        waves.rate_hz,
        n_fft=window,
        hop_length=hop,
        n_mels=BANDS,
        f_min=min(LOWEST_HZ, waves.rate_hz / 8),
        pad_mode="constant",
    )
    log_power = (spectrogram(samples) + SILENCE).log()
    level = log_power.logsumexp(dim=(1, 2), keepdim=True) - math.log(log_power[0].numel())
    relative: Tensor = (log_power - level).clamp(min=-FLOOR)
    return relative
