"""Data like those of pretraining whose classes no bundled backbone learnt: what recipes of a domain are tuned on.

Where a domain has a single task, its recipes cannot be tuned on another one. These stand in: other letters of the fonts
that `bundled:glyphs` learnt from, and other words in the voices that `bundled:spoken-words` learnt from.
"""

from typing import Final, final

import numpy as np
import torch
from matplotlib.ft2font import FT2Font

from bench.card import TaskCard
from bench.column import Dense
from bench.domains.audio.raw import AudioArray, from_16_bits
from bench.domains.vision.raw import ImageArray
from bench.pretraining import letters, words
from bench.runtime.cache import Cache
from bench.runtime.espeak import RATE_HZ, synthesise
from bench.targets.classes import LABEL, Classes
from bench.task import Examples, Split, Task, packaged_file

SEED: Final = 1

LETTERS: Final = tuple("ԱԲԳԴԵԶԷԸԹԺԻԼԽԾԿՀ")
"""Armenian capitals, which are in none of the classes that the letters of pretraining have."""

WRITTEN: Final = 6  # times that each letter of a font is written

SPOKEN: Final = ("apple", "cotton", "dragon", "forest", "garlic", "honey", "lemon", "monkey", "purple", "mountain")
TAKES: Final = 2  # of each word by each voice
LOUDEST_NOISE: Final = 0.1  # of full scale, deviation

HELD_OUT: Final = 0.25  # share of fonts or voices


def _card(name: str, title: str, domain: str) -> TaskCard:
    return TaskCard(
        name=name,
        title=title,
        domain=domain,
        description="Made to tune recipes on; no result is told of it.",
        source="made by this project",
        licence="Apache-2.0",
        citation="this project",
        version=1,
        sha256="",
        synthetic=True,
        pinned=False,
    )


@final
class OtherLetters(Task):
    """Which of 16 Armenian capitals is written, in the fonts of pretraining; fonts are groups."""

    card = _card("other-letters", "Armenian capitals in fonts", "vision")
    target = Classes(LETTERS)

    def split(self, fold: int, cache: Cache) -> Split:
        """Return the pictures, the same ones every time: each letter of a font bent, written and scanned anew."""
        pictures, labels, fonts = [], [], []
        for name in (*letters.FONTS, *letters.HELD_OUT_FONTS):
            font = FT2Font(packaged_file("matplotlib", f"mpl-data/fonts/ttf/{name}.ttf"))
            there = font.get_charmap()
            for label, letter in enumerate(LETTERS):
                if ord(letter) in there:
                    pictures += [letters.picture(font, letter)] * WRITTEN
                    labels += [label] * WRITTEN
                    fonts += [name] * WRITTEN
        values = torch.from_numpy(np.stack(pictures)[:, None]).float() / 255  # [n, 1, 32, 32]
        seen = letters.Letters().augment(values, torch.Generator().manual_seed(SEED))
        pixels = (seen * 255).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
        return _divided(ImageArray(np.ascontiguousarray(pixels)), labels, fonts)


@final
class OtherWords(Task):
    """Which of ten words is said, by voices of pretraining and in noise; variants of a voice are groups."""

    card = _card("other-words", "Ten other words", "audio")
    target = Classes(SPOKEN)

    def split(self, fold: int, cache: Cache) -> Split:
        """Return the clips, the same ones every time; synthesising them takes some seconds."""
        generator = np.random.default_rng(SEED)
        clips, labels, variants = [], [], []
        for variant in words.VARIANTS:
            for label, word in enumerate(SPOKEN):
                for _ in range(TAKES):
                    rate, pitch = int(generator.integers(*words.RATES)), int(generator.integers(*words.PITCHES))
                    voice = f"{generator.choice(words.ACCENTS)}+{variant}"
                    clip = synthesise(word, voice, rate=rate, pitch=pitch)[: words.LENGTH]
                    row = np.zeros(words.LENGTH, np.int16)
                    start = int(generator.integers(words.LENGTH - len(clip) + 1))
                    row[start : start + len(clip)] = clip
                    clips.append(row)
                    labels.append(label)
                    variants.append(variant)
        samples = from_16_bits(np.stack(clips))
        loudness = generator.uniform(0, LOUDEST_NOISE, (len(samples), 1))
        noisy = (samples + loudness * generator.standard_normal(samples.shape)).clip(-1, 1).astype(np.float32)
        return _divided(AudioArray(noisy, RATE_HZ), labels, variants)


OTHER_CLASSES: Final[tuple[Task, ...]] = (OtherLetters(), OtherWords())


def _divided(raw: ImageArray | AudioArray, labels: list[int], groups: list[str]) -> Split:
    """Return examples of which whole groups are held out."""
    names = np.unique(groups)
    tested = np.random.default_rng(SEED).permutation(names)[: max(1, round(HELD_OUT * len(names)))]
    everything = Examples(
        raw, {LABEL: Dense({LABEL: np.array(labels, dtype=np.int64)})}, groups=np.array(groups, dtype=np.str_)
    )
    out = np.isin(groups, tested)
    return Split(everything.take(np.flatnonzero(~out)), everything.take(np.flatnonzero(out)))
