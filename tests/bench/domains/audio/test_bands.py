"""Statistics of mel bands tell tones apart, not how loud they are, and bear silence, clicks and any rate."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.domains.audio.bands import BANDS, CHUNK, describe, log_mel
from bench.domains.audio.raw import AudioArray

RATE = 8_000


def tone(hz: float, *, loudness: float = 8_000.0, rate_hz: int = RATE) -> NDArray[np.float32]:
    """Return half a second of a tone as a 16-bit file has it, float32 [length]."""
    times = np.arange(rate_hz // 2) / rate_hz
    return as_sound(np.round(loudness * np.sin(2 * np.pi * hz * times)))


def as_sound(numbers: NDArray[np.generic]) -> NDArray[np.float32]:
    """Return the samples that stand for the numbers of a 16-bit file."""
    return (numbers.astype(np.float64) / 32_768).astype(np.float32)


def mel(hz: float) -> float:
    return 2595 * math.log10(1 + hz / 700)


@pytest.mark.parametrize("hz", [400, 1_000, 2_500])
def test_a_tone_is_loudest_in_its_own_band(hz: float) -> None:
    [features] = describe(AudioArray(tone(hz)[None], RATE))
    centres = np.linspace(mel(60), mel(RATE / 2), BANDS + 2)[1:-1]
    assert features[:BANDS].argmax() == np.abs(centres - mel(hz)).argmin()


def test_features_are_the_statistics_of_the_bands() -> None:
    noise = np.random.default_rng(0).integers(-9_000, 9_000, size=(3, 4_000), dtype=np.int16)
    waves = AudioArray(as_sound(noise), RATE)
    bands = log_mel(waves).numpy()  # [n, bands, frames]
    slow = bands[:, :, 4:] - bands[:, :, :-4]
    parts = [bands.mean(2), bands.std(2), np.diff(bands, axis=2).std(2), slow.std(2)]
    np.testing.assert_allclose(describe(waves), np.concatenate(parts, axis=1), atol=1e-4)


def test_loudness_does_not_show() -> None:
    loud, quiet = describe(AudioArray(np.stack([tone(700), tone(700, loudness=4_000.0)]), RATE))
    np.testing.assert_allclose(loud, quiet, atol=0.05)


@pytest.mark.parametrize("rate_hz", [100, 4_000, 11_025, 44_100])
@pytest.mark.parametrize("length", [1, 200, 3_000])
def test_silence_and_clicks_of_any_rate_and_length_have_finite_features(rate_hz: int, length: int) -> None:
    samples = np.zeros((2, length), dtype=np.float32)
    samples[1, length // 2] = -1
    features = describe(AudioArray(samples, rate_hz))
    assert features.shape == (2, 4 * BANDS)
    assert np.isfinite(features).all()
    assert not features[0, BANDS:].any(), "silence does not change"


def test_each_recording_is_described_by_itself() -> None:
    samples = as_sound(np.random.default_rng(1).integers(-900, 900, size=(CHUNK + 3, 1_500)))
    together = describe(AudioArray(samples, RATE))
    alone = describe(AudioArray(samples[CHUNK + 1 :], RATE))
    np.testing.assert_allclose(together[CHUNK + 1 :], alone, atol=1e-4)
