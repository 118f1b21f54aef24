"""Recordings in noise have the ratio that the title says, whatever their level and length."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from bench.domains.audio.files import AudioFiles
from bench.domains.audio.raw import STEPS_OF_16_BITS, AudioArray, Clip, from_16_bits
from bench.domains.audio.shifts import SHIFTS, SNR_DB, add_noise
from bench.domains.shift import generator_of
from bench.runtime.cache import file_sha256
from tests.toys import labelled

RATE_HZ = 8_000
[SHIFT] = SHIFTS


def tone(level: float, *, length: int = RATE_HZ) -> Clip:
    """Return a tone of a level, as a share of the full scale, in 16 bits."""
    seconds = np.arange(length) / RATE_HZ
    return from_16_bits((level * 32_767 * np.sin(2 * np.pi * 440 * seconds)).round().astype(np.int16))


def decibels(clip: Clip, noisy: Clip) -> float:
    """Return the ratio of signal to noise, the signal being what of `clip` is in `noisy`."""
    signal, mixed = clip.astype(np.float64), noisy.astype(np.float64)
    gain = (signal @ mixed) / (signal @ signal)
    noise = mixed - gain * signal
    return float(10 * np.log10(np.square(gain * signal).sum() / np.square(noise).sum()))


@pytest.mark.parametrize("level", [0.01, 0.3, 1.0])
@pytest.mark.parametrize("length", [2_000, 16_000])
def test_the_noise_is_as_loud_as_the_title_says(level: float, length: int) -> None:
    clip = tone(level, length=length)
    assert decibels(clip, add_noise(clip)) == pytest.approx(5, abs=0.5)
    assert (SNR_DB, SHIFT.title) == (5, "white noise at 5 dB")


def test_the_noise_is_white() -> None:
    clip = tone(0.3)
    power = np.square(np.abs(np.fft.rfft(add_noise(clip).astype(np.float64) - clip)))[1:]
    quarters = [part.mean() for part in np.array_split(power, 4)]
    assert max(quarters) < 1.2 * min(quarters)


def test_a_loud_clip_is_made_softer_and_not_cut_off() -> None:
    loud = add_noise(tone(1.0))
    assert np.abs(loud).max() == 1 - 1 / STEPS_OF_16_BITS
    assert (np.abs(loud) == np.abs(loud).max()).sum() == 1


@pytest.mark.parametrize("level", [0.01, 0.3, 1.0])
def test_a_copy_with_more_bits_is_in_the_same_noise(level: float) -> None:
    clip = tone(level)
    finer = clip + np.float32(0.2 / STEPS_OF_16_BITS)
    np.testing.assert_allclose(add_noise(finer) - finer, add_noise(clip) - clip, rtol=0, atol=1e-4)


def test_clips_of_16_bits_get_the_noise_that_they_got_in_whole_numbers_but_for_its_rounding() -> None:
    clips = np.stack([tone(level) for level in (0.01, 0.3, 1.0)])
    whole = (clips * STEPS_OF_16_BITS).astype(np.int16)
    noisy = np.stack([add_noise(clip) for clip in clips])
    expected = np.stack([add_whole_noise(clip) for clip in whole])
    np.testing.assert_allclose(noisy * STEPS_OF_16_BITS, expected, rtol=2e-7, atol=1e-3)


def add_whole_noise(clip: NDArray[np.int16]) -> NDArray[np.float64]:
    """Return the same shift of whole numbers, before it is rounded."""
    samples, noise = clip.astype(np.float64), generator_of(clip.tobytes()).standard_normal(len(clip))
    ratio = np.sqrt((samples**2).mean()) / np.sqrt((noise**2).mean()) * 10 ** (-SNR_DB / 20)
    mixed = samples + ratio * noise
    softer: NDArray[np.float64] = mixed * min(1.0, 32_767 / np.abs(mixed).max())
    return softer


def test_silence_stays_silent() -> None:
    assert not add_noise(np.zeros(100, dtype=np.float32)).any()


def test_every_clip_has_a_noise_of_its_own() -> None:
    one, other = tone(0.3), -tone(0.3)
    assert np.abs(np.corrcoef(add_noise(one) - one, add_noise(other) - other)[0, 1]) < 0.1


def test_recordings_in_files_are_changed_like_those_in_memory_when_they_are_heard(tmp_path: Path) -> None:
    clips = np.stack([tone(level) for level in (0.1, 0.2, 0.3)])
    paths = tuple(tmp_path / f"{number}.wav" for number in range(3))
    hashes = []
    for path, clip in zip(paths, clips, strict=True):
        soundfile.write(path, clip, RATE_HZ, subtype="PCM_16")
        hashes.append(file_sha256(path))
    files, labels = AudioFiles(paths, tuple(hashes), RATE_HZ, RATE_HZ), np.arange(3)
    shifted = SHIFT.apply(labelled(files, labels)).raw
    assert isinstance(shifted, AudioFiles)
    paths[0].unlink()  # nothing was read until now, and this one will not be
    held = SHIFT.apply(labelled(AudioArray(clips, RATE_HZ), labels)).raw
    assert isinstance(held, AudioArray)
    assert (shifted.take(np.array([2, 1])).waveforms().samples == held.samples[[2, 1]]).all()
    assert (held.samples != clips).any(axis=1).all()
    assert shifted.columns() != files.columns()
