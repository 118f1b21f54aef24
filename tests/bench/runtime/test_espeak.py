"""Synthesised speech depends on what is asked for and on nothing that was said before."""

import numpy as np
import pytest

from bench.errors import DataError
from bench.runtime.espeak import RATE_HZ, synthesise


def test_a_clip_is_the_same_whatever_was_said_before() -> None:
    asked = [("seven", "en+m1", 130, 40), ("nine", "en-US+f2", 210, 60), ("seven", "en+m1", 210, 60)]
    forth = [synthesise(text, voice, rate=rate, pitch=pitch) for text, voice, rate, pitch in asked]
    back = [synthesise(text, voice, rate=rate, pitch=pitch) for text, voice, rate, pitch in reversed(asked)]
    for one, other in zip(forth, reversed(back), strict=True):
        np.testing.assert_array_equal(one, other)


def test_words_voices_rates_and_pitches_are_heard() -> None:
    plain = synthesise("seven", "en+m1", rate=170, pitch=50)
    others = [
        synthesise("eight", "en+m1", rate=170, pitch=50),
        synthesise("seven", "en+f2", rate=170, pitch=50),
        synthesise("seven", "en+m1", rate=170, pitch=80),
    ]
    assert all(len(other) != len(plain) or (other != plain).any() for other in others)
    assert len(synthesise("seven", "en+m1", rate=210, pitch=50)) < len(plain)


def test_a_word_lasts_as_long_as_a_word() -> None:
    clip = synthesise("seven", "en+m1", rate=170, pitch=50)
    assert clip.dtype == np.int16
    assert 0.2 < len(clip) / RATE_HZ < 1.2
    assert np.abs(clip).max() > 1000


@pytest.mark.parametrize("voice", ["xx", "en+nobody"])
def test_an_unknown_voice_is_refused(voice: str) -> None:
    with pytest.raises(DataError):
        synthesise("seven", voice, rate=170, pitch=50)
