"""The shifts of pictures: noise, blur and less contrast.

All are of Hendrycks and Dietterich (2019, arXiv:1903.12261), at the severity that their two sets share: the first of
ImageNet-C, at 224 pixels, which has the same noise and contrast as the third of CIFAR-10-C, at 32 pixels.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from bench.domains.shift import Shift, generator_of
from bench.domains.vision.files import ImageFiles
from bench.domains.vision.raw import ImageArray
from bench.files.stored import Change
from bench.task import Examples

Picture = NDArray[np.uint8]

BRIGHTEST: Final = 255
NOISE: Final = 0.08  # standard deviation, as a share of the range
CONTRAST: Final = 0.4  # of what a pixel differs from the mean
SIDE: Final = 224  # of the pictures that noise and blur are defined on
BLUR: Final = 1 / SIDE  # standard deviation, as a share of the shorter side,
LEAST_BLUR: Final = 0.7  # and in pixels, that of CIFAR-10-C: less than that of a small picture is no blur


def add_noise(picture: Picture) -> Picture:
    """Return a picture with Gaussian noise on every pixel and channel.

    The noise has at most 224 grains along the shorter side: finer ones would be gone at the size that networks look at.
    """
    height, width, channels = picture.shape
    scale = min(1.0, SIDE / min(height, width))
    high, wide = round(height * scale), round(width * scale)
    noise = generator_of(picture.tobytes()).standard_normal((high, wide, channels), dtype=np.float32)
    rows, columns = np.arange(height) * high // height, np.arange(width) * wide // width
    return _as_picture(picture + NOISE * BRIGHTEST * noise[rows][:, columns])


def blur(picture: Picture) -> Picture:
    """Return a picture under a Gaussian blur."""
    deviation = max(BLUR * min(picture.shape[:2]), LEAST_BLUR)
    image = Image.fromarray(picture[:, :, 0] if picture.shape[2] == 1 else picture)
    return np.array(image.filter(ImageFilter.GaussianBlur(deviation))).reshape(picture.shape)


def lower_contrast(picture: Picture) -> Picture:
    """Return a picture whose pixels differ less from the mean of their channel."""
    mean = picture.mean(axis=(0, 1), keepdims=True, dtype=np.float64)
    return _as_picture(mean + CONTRAST * (picture - mean))


def _as_picture(values: NDArray[np.floating]) -> Picture:
    return values.round().clip(0, BRIGHTEST).astype(np.uint8)


def _of_each(change: Callable[[Picture], Picture]) -> Callable[[Examples], Examples]:
    """Return what changes every picture of some examples: now, or when it is read from its file."""

    def apply(examples: Examples) -> Examples:
        raw = examples.raw
        if isinstance(raw, ImageFiles):
            return replace(examples, raw=replace(raw, change=Change(change.__name__, change)))
        assert isinstance(raw, ImageArray), f"pictures are shifted here, not {type(raw).__name__}"
        pixels = np.empty_like(raw.pixels)
        for row, picture in zip(pixels, raw.pixels, strict=True):
            row[:] = change(picture)
        return replace(examples, raw=ImageArray(pixels))

    return apply


SHIFTS: Final = (
    Shift("noise", f"Gaussian noise of {NOISE:g} of the range", _of_each(add_noise), "vision"),
    Shift("blur", f"Gaussian blur of 1/{SIDE} of the side, {LEAST_BLUR:g} pixels at least", _of_each(blur), "vision"),
    Shift("contrast", f"contrast lowered to {CONTRAST:g} of what it was", _of_each(lower_contrast), "vision"),
)
