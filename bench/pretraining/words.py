"""What the backbone `bundled:spoken-words` learns from: synthesised English words, and no digit among them."""

import math
from itertools import product
from typing import Final, final

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import affine_grid, conv1d, grid_sample, interpolate, pad

from bench.backbones.bundled import spoken_words
from bench.backbones.bundled.spoken_words import FLOOR, SPREAD, normalise
from bench.column import Dense
from bench.domains.audio.raw import AudioArray, from_16_bits
from bench.runtime.espeak import RATE_HZ, synthesise
from bench.targets.classes import LABEL, Classes
from bench.task import Examples, Split

# No digit, no word that sounds like one or has one in it, and no two words that sound alike.
_WORDS: Final = """
about across air army autumn baby back bad bag bath bean bear bee behind bell better bird birthday black blue board
boat body book bottle boy bread break breakfast bright bucket build butter button buy cake candle car castle catch
chair chalk change cheap chicken child choose church circle city class clock close coat cold cook corn cough cry cup
dance danger dark daughter deep deer dirty doctor dog down drink drive duck ear easy egg elbow evening eye famous far
farm fast father feather fence field flag fly foot fox full garden girl give glass glove gold good goose grass green
group guitar hair hammer happy hard hat heart hello hen hold hook hot hundred husband ice idea iron island jacket jam
job join joke keep kettle key kick king knife lady land language law leave library life lift lion lip list listen
little long luck many map march market measure medicine mind morning mother mouth much mud nail name narrow near neck
needle new news noise nose nothing off old onion orange out owl paint path pay peace pencil picture pillow place
please pocket poem police potato present price pull push question quick quite rabbit ready red right river rock root
rope round sad salt school science search season see sell send shake shape shelf shirt shoe short shoulder show shut
silver simple sister skin slow small smile smoke soft soon sound soup south space spring square star steam still story
sun swim tail talk tall taxi tea tent test thank thick thin thing thirsty thumb thunder ticket time tired toe tomato
tomorrow tongue top towel travel tree try ugly uncle under use valley vegetable voice walk wall war wave weather
wedding wet why wife wild window wine wise wish woman wood work world yard year yellow young
"""
WORDS: Final = tuple(_WORDS.split())

# A voice is an accent with a variant. None of these variants, nor a near copy of one, speaks in the task spoken-digits.
ACCENTS: Final = (
    *("en", "en-029", "en-GB-scotland", "en-GB-x-gbclan"),
    *("en-GB-x-gbcwmd", "en-GB-x-rp", "en-US", "en-US-nyc"),
)
_VARIANTS: Final = """
adam Andy anika antonio AnxiousAndy belinda benjamin boris caleb david edward Gene Gene2 grandma ian iven iven2 iven4
Jacky john klatt klatt3 klatt4 marcelo mike2 norbert pablo paul pedro quincy Reed RicishayMax RicishayMax2
RicishayMax3 rob robert robosoft robosoft3 robosoft4 robosoft7 sandro shelby steph steph2 Storm travis UniRobot victor
whisper whisperf zac
"""
VARIANTS: Final = tuple(_VARIANTS.split())
HELD_OUT_VARIANTS: Final = ("Alicia", "Marco", "Tweaky", "ed", "robosoft6")

SEED: Final = 0
LENGTH: Final = 6_400  # samples: 0.8 s
RATES: Final = (130, 230)  # words per minute, from and to
PITCHES: Final = (20, 80)

SECONDS_PER_FRAME: Final = spoken_words.HOP / spoken_words.RATE_HZ
DECIBEL: Final = math.log(10) / 10  # in e-folds of power


@final
class Words:
    """Synthesised words, each said once by every variant in an accent, at a rate and a pitch drawn for the clip."""

    name: Final = "spoken-words"
    target: Final = Classes(WORDS, smoothing=0.1)

    def split(self) -> Split:
        """Return the clips, the same ones every time; whole variants are held out."""
        generator = np.random.default_rng(SEED)
        train = speak(VARIANTS, generator)  # before the others, which the same generator draws
        return Split(train, speak(HELD_OUT_VARIANTS, generator))

    def augment(self, values: Tensor, generator: torch.Generator) -> Tensor:
        """Return the prepared clips [n, 1, mels, frames] as other mouths, rooms and microphones might give them."""
        spoken = reverberate(warp(values, generator), generator)
        heard = add_noise(colour(spoken, generator), generator)
        return mask(normalise(heard), generator)


def speak(variants: tuple[str, ...], generator: np.random.Generator) -> Examples:
    """Return every word by every variant, in the middle of 0.8 s; clips are grouped by their voices."""
    pairs = list(product(range(len(WORDS)), variants))
    samples = np.zeros((len(pairs), LENGTH), np.int16)
    voices = []
    for row, (word, variant) in zip(samples, pairs, strict=True):
        voice = f"{generator.choice(ACCENTS)}+{variant}"
        rate, pitch = int(generator.integers(*RATES)), int(generator.integers(*PITCHES))
        clip = synthesise(WORDS[word], voice, rate=rate, pitch=pitch)[:LENGTH]
        start = (LENGTH - len(clip)) // 2
        row[start : start + len(clip)] = clip
        voices.append(voice)
    words = Dense({LABEL: np.array([word for word, _ in pairs], np.int64)})
    return Examples(AudioArray(from_16_bits(samples), RATE_HZ), {LABEL: words}, groups=np.array(voices))


def warp(values: Tensor, generator: torch.Generator) -> Tensor:
    """Return clips moved and stretched in time, unevenly, and in frequency, as by a longer or shorter vocal tract."""
    n = len(values)
    draws = normal((n, 4), generator, values)
    zeros = torch.zeros_like(draws[:, 0])
    slower, higher = torch.exp(0.22 * draws[:, 0]), torch.exp(0.06 * draws[:, 1])
    rows = [
        torch.stack((slower, zeros, 0.15 * draws[:, 2]), dim=1),
        torch.stack((zeros, higher, 0.06 * draws[:, 3]), dim=1),
    ]
    grid = affine_grid(torch.stack(rows, dim=1), list(values.shape), align_corners=False)  # [n, mels, frames, 2]
    uneven = interpolate(
        0.08 * normal((n, 1, 6), generator, values), values.shape[-1], mode="linear", align_corners=True
    )
    bent = interpolate(0.04 * normal((n, 1, 5), generator, values), values.shape[-2], mode="linear", align_corners=True)
    shifts = torch.stack((uneven.expand(grid.shape[:3]), bent.transpose(1, 2).expand(grid.shape[:3])), dim=-1)
    # Beyond the edges lies silence, which is the floor and not 0.
    floor = -FLOOR / SPREAD
    return grid_sample(values - floor, grid + shifts, align_corners=False) + floor


def reverberate(values: Tensor, generator: torch.Generator) -> Tensor:
    """Return clips in rooms: half of them with a tail of 50 to 600 ms (for 60 dB) under the direct sound."""
    n, _, mels, frames = values.shape
    draws = uniform((n, 3), generator, values)
    decay = 60 * DECIBEL * SECONDS_PER_FRAME / (0.05 + 0.55 * draws[:, :1])  # per frame
    wet = 0.5 * draws[:, 1:2] * (draws[:, 2:] < 0.5)
    taps = 16
    tail = wet * torch.exp(-decay * torch.arange(taps, device=values.device))  # [n, taps]
    tail[:, 0] = 1
    power = (values * SPREAD).exp().reshape(1, n * mels, frames)
    kernel = tail.flip(1).repeat_interleave(mels, dim=0)[:, None]  # [n * mels, 1, taps]
    smeared = conv1d(pad(power, (taps - 1, 0)), kernel, groups=n * mels)
    return smeared.reshape(values.shape).log() / SPREAD


def colour(values: Tensor, generator: torch.Generator) -> Tensor:
    """Return clips through other microphones and channels: a smooth random gain over the bands, 5 dB in deviation."""
    gains = 5 * DECIBEL / SPREAD * normal((len(values), 1, 6), generator, values)
    tilt = 4 * DECIBEL / SPREAD * normal((len(values), 1, 1), generator, values)
    bands = values.shape[-2]
    smooth = interpolate(gains, bands, mode="linear", align_corners=True)
    slope = tilt * torch.linspace(-1, 1, bands, device=values.device)
    return values + (smooth + slope)[..., None]


def add_noise(values: Tensor, generator: torch.Generator) -> Tensor:
    """Return the log power of clips in coloured noise and with another voice, each 3 to 45 dB below the clip."""
    n, _, mels, frames = values.shape
    coarse = 6 * DECIBEL * normal((n, 1, 5), generator, values)
    spectrum = interpolate(coarse, mels, mode="linear", align_corners=True)
    tilt = 6 * DECIBEL * normal((n, 1, 1), generator, values) * torch.linspace(-1, 1, mels, device=values.device)
    swell = 2 * DECIBEL * normal((n, 1, 8), generator, values)
    course = interpolate(swell, frames, mode="linear", align_corners=True)
    grain = 3 * DECIBEL * normal((n, 1, mels, frames), generator, values)
    shape = (spectrum + tilt)[..., None] + course[:, :, None] + grain
    below = (3 + 42 * uniform((n, 2, 1, 1), generator, values)) * DECIBEL
    level = total(values * SPREAD)
    noise = shape - total(shape) + level - below[:, :1]
    voice = values.roll(1, dims=0).flip(-1) * SPREAD  # the clip before it in the batch, backwards
    babble = voice - total(voice) + level - below[:, 1:]
    return torch.logaddexp(torch.logaddexp(values * SPREAD, noise), babble)


def total(log_power: Tensor) -> Tensor:
    """Return the log of each clip's summed power, [n, 1, 1, 1]."""
    return log_power.logsumexp(dim=(-2, -1), keepdim=True)


def mask(values: Tensor, generator: torch.Generator) -> Tensor:
    """Return clips without a stretch of time and one of bands (SpecAugment, Park et al. 2019, arXiv:1904.08779)."""
    masked = values
    for axis, widest in ((-1, 8), (-2, 5)):
        size = values.shape[axis]
        draws = uniform((len(values), 2), generator, values)
        start, width = draws[:, :1] * size, draws[:, 1:] * widest
        position = torch.arange(size, device=values.device)
        hidden = (position >= start) & (position < start + width)  # [n, size]
        shape = (len(values), 1, 1, size) if axis == -1 else (len(values), 1, size, 1)
        masked = masked.masked_fill(hidden.reshape(shape), 0)
    return masked


def normal(shape: tuple[int, ...], generator: torch.Generator, like: Tensor) -> Tensor:
    """Return normal draws of the generator on the device of `like`."""
    return torch.randn(shape, generator=generator, device=generator.device).to(like.device)


def uniform(shape: tuple[int, ...], generator: torch.Generator, like: Tensor) -> Tensor:
    """Return uniform draws of the generator on the device of `like`."""
    return torch.rand(shape, generator=generator, device=generator.device).to(like.device)
