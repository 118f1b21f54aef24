"""The shift of recordings: noise that is nearly as loud as they are."""

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.domains.audio.files import AudioFiles
from bench.domains.audio.raw import STEPS_OF_16_BITS, AudioArray, Clip
from bench.domains.shift import Shift, generator_of
from bench.files.stored import Change
from bench.task import Examples

SNR_DB: Final = 5
"""Of NOIZEUS's 0, 5, 10 and 15 (Hu and Loizou 2007, doi:10.1016/j.specom.2006.12.006), the highest that is below all of
the bundled speech."""

LOUDEST: Final = 1 - 1 / STEPS_OF_16_BITS
"""What a file of 16 bits can hold on either side of silence."""


def add_noise(clip: Clip) -> Clip:
    """Return a clip [length] in white noise, relative to its own mean power; silence stays silent.

    A sum too loud for 16 bits is made softer as a whole: cutting its peaks off would be another noise. The clip as 16
    bits would hold it decides the noise, so that it is the same one for a copy with more bits.
    """
    samples = clip.astype(np.float64)
    rounded = (samples * STEPS_OF_16_BITS).round().clip(-STEPS_OF_16_BITS, STEPS_OF_16_BITS - 1).astype(np.int16)
    noise = generator_of(rounded.tobytes()).standard_normal(len(clip))
    mixed = samples + noise * _level(samples) / _level(noise) * 10 ** (-SNR_DB / 20)
    softer: NDArray[np.float64] = mixed * (LOUDEST / max(LOUDEST, np.abs(mixed).max(initial=0.0)))
    return softer.astype(np.float32)


def _level(samples: NDArray[np.float64]) -> float:
    """Return the root of the mean square."""
    return float(np.sqrt(np.square(samples).mean()))


def _shift(examples: Examples) -> Examples:
    """Return examples in noise, added now, or when they are read from their files."""
    raw = examples.raw
    if isinstance(raw, AudioFiles):
        return replace(examples, raw=replace(raw, change=Change(add_noise.__name__, add_noise)))
    assert isinstance(raw, AudioArray), f"recordings are shifted here, not {type(raw).__name__}"
    return replace(examples, raw=replace(raw, samples=np.stack([add_noise(clip) for clip in raw.samples])))


SHIFTS: Final = (Shift("noise", f"white noise at {SNR_DB} dB", _shift, "audio"),)
