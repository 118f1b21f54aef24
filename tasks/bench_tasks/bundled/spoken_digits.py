"""The task `spoken-digits`: the ten English digits, spoken by a synthesiser in many voices and in noise."""

import math
from itertools import product
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.card import TaskCard
from bench.column import Dense
from bench.domains.audio.raw import AudioArray, from_16_bits
from bench.runtime.cache import Cache, content_key
from bench.runtime.espeak import RATE_HZ, synthesise
from bench.targets.classes import LABEL, Classes
from bench.task import Examples, Split, Task

DIGITS: Final = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

# A voice is an accent with a variant. Variants that sound nearly alike stand on the same side.
ACCENTS: Final = ("en", "en-US", "en-GB-scotland", "en-029")
TRAIN_VARIANTS: Final = (
    *("f1", "f3", "f4", "m1", "m3", "m5", "m6", "m7", "max", "Alex", "Andrea", "Diogo", "Lee"),
    *("aunty", "gustave", "linda", "michel", "miguel"),
)
TEST_VARIANTS: Final = ("f2", "f5", "m2", "m4", "m8", "Annie", "Denis")

TAKES: Final = 2  # of each digit by each voice
RATES: Final = (130, 150, 170, 190, 210)  # words per minute
PITCHES: Final = (30, 40, 50, 60, 70)
NOISES: Final = ("white", "pink", "babble")
SNRS: Final = (30, 20, 15, 10)  # dB, multiples of 5
LENGTH: Final = RATE_HZ  # one second
PEAK: Final = 29_000
OCTAVES: Final = 10  # of pink noise
TALKERS: Final = 8  # in babble

Samples = NDArray[np.int64]


class Clip(NamedTuple):
    """What is said, how, and in which noise."""

    digit: int
    voice: str
    rate: int
    pitch: int
    noise: str
    snr: int


class SpokenDigits(Task):
    """Which digit is said; the voices of the test split are heard nowhere in the training split."""

    card = TaskCard(
        name="spoken-digits",
        title="Spoken digits (synthesised)",
        domain="audio",
        description=(
            "Synthesised speech, not recordings: the digits zero to nine spoken by espeak-ng in 4 English accents and "
            "25 voice variants at several rates and pitches, each clip one second long at 8 kHz, in white, pink or "
            "babble noise at 30 to 10 dB. The 28 voices of the test split are none of the 72 of the training split. "
            "The noise was set while the task was made, so that a probe on a few labels is neither lost nor perfect."
        ),
        source="generated on first use by espeak-ng 1.52 (https://github.com/espeak-ng/espeak-ng) from the package "
        "espeakng-loader 0.2.4",
        licence="no terms of its own: clips are what a program put out for this project's word list; the program, "
        "espeak-ng, is under GPL-3.0-or-later and is not part of this project",
        citation="espeak-ng contributors, eSpeak NG: a compact open-source speech synthesiser, version 1.52",
        version=1,
        subjects=("spoken digits", "synthesised speech"),
        sha256="b56e465396747e0bbfb28f667aeda96bbd45b166beb2b444d29434d96ada055c",
        synthetic=True,
    )
    target = Classes(DIGITS)

    def split(self, fold: int, cache: Cache) -> Split:
        """Return the clips, made on first use (10 s) and kept in the cache.

        Raises `DataError` if the synthesiser is missing.
        """
        key = content_key(self.card.name, self.card.version, self.card.sha256)
        return _split(np.load(cache.fetch(key, f"{self.card.name}, all clips", _make)))


def training_clips() -> list[Clip]:
    """Return what the training split consists of."""
    return _clips(TRAIN_VARIANTS, seed=0)


def held_out_clips() -> list[Clip]:
    """Return what the test split consists of."""
    return _clips(TEST_VARIANTS, seed=1)


def _clips(variants: tuple[str, ...], seed: int) -> list[Clip]:
    generator = np.random.default_rng(seed)
    return [
        Clip(
            digit=digit,
            voice=f"{accent}+{variant}",
            rate=int(generator.choice(RATES)),
            pitch=int(generator.choice(PITCHES)),
            noise=str(generator.choice(NOISES)),
            snr=int(generator.choice(SNRS)),
        )
        for variant, accent, digit, _ in product(variants, ACCENTS, range(len(DIGITS)), range(TAKES))
    ]


def record(clips: list[Clip], *, seed: int) -> NDArray[np.int16]:
    """Return one second of each clip, int16 [n, length]: the word somewhere in it, the noise all over it."""
    generator = np.random.default_rng(seed)
    words = [
        synthesise(DIGITS[clip.digit], clip.voice, rate=clip.rate, pitch=clip.pitch)[:LENGTH].astype(np.int64)
        for clip in clips
    ]
    return np.stack(
        [
            _mix(word, _noise(clip.noise, words, generator), clip.snr, generator)
            for clip, word in zip(clips, words, strict=True)
        ]
    )


def _noise(kind: str, words: list[Samples], generator: np.random.Generator) -> Samples:
    """Return a second of noise [length] of any level."""
    if kind == "babble":  # of the same split's voices, backwards
        talkers = generator.choice(len(words), TALKERS, replace=False)
        return sum((_place(words[talker][::-1], generator) for talker in talkers), start=np.zeros(LENGTH, np.int64))
    if kind == "pink":  # Voss's method: one white noise per octave, each value held twice as long as the octave above
        octaves = [_white(-(-LENGTH // 2**octave), generator).repeat(2**octave)[:LENGTH] for octave in range(OCTAVES)]
        return sum(octaves, start=np.zeros(LENGTH, np.int64))
    return _white(LENGTH, generator)


def _white(count: int, generator: np.random.Generator) -> Samples:
    return generator.integers(-10_000, 10_001, count)


def _place(word: Samples, generator: np.random.Generator) -> Samples:
    """Return a second of silence with the word somewhere in it."""
    before = int(generator.integers(LENGTH - len(word) + 1))
    return np.pad(word, (before, LENGTH - len(word) - before))


def _mix(word: Samples, noise: Samples, snr: int, generator: np.random.Generator) -> NDArray[np.int16]:
    """Return word and noise at a ratio of `snr` dB over the time of the word, int16 [length].

    Levels are sums of integers and the square root is the only function used, so every machine gets the same bits.
    """
    amplitude_ratio = math.sqrt(math.sqrt(10.0 ** (snr // 5)))
    gain = _level(word) / _level(noise) / amplitude_ratio
    mixed = _place(word, generator) + gain * noise
    scaled: NDArray[np.float64] = mixed * (PEAK / np.abs(mixed).max())
    return scaled.round().astype(np.int16)


def _level(samples: Samples) -> float:
    """Return the root of the mean square."""
    return math.sqrt(int((samples**2).sum()) / len(samples))


def _split(samples: NDArray[np.int16]) -> Split:
    """Return the split of all clips [n, length], those to learn from first."""
    train, test = training_clips(), held_out_clips()
    clips = [*train, *test]
    everything = Examples(
        AudioArray(from_16_bits(samples), RATE_HZ),
        {LABEL: Dense({LABEL: np.array([clip.digit for clip in clips], np.int64)})},
        groups=np.array([clip.voice for clip in clips]),
    )
    return Split(everything.take(np.arange(len(train))), everything.take(np.arange(len(train), len(clips))))


def _make(path: Path) -> None:
    """Write all clips, int16 [n, length], those of the training split first."""
    with path.open("wb") as file:
        np.save(file, np.concatenate([record(training_clips(), seed=2), record(held_out_clips(), seed=3)]))
