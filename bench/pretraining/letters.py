"""The pictures that the backbone `bundled:glyphs` learns from: letters of many fonts, and no digit.

The fonts are those that come with matplotlib: DejaVu, STIX (with its script and Fraktur alphabets) and Computer Modern.
"""

import unicodedata
from collections.abc import Iterator
from typing import Final

import numpy as np
import torch
from matplotlib.ft2font import FT2Font, LoadFlags
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import affine_grid, avg_pool2d, grid_sample, interpolate, max_pool2d

from bench.column import Dense
from bench.domains.vision.raw import ImageArray
from bench.targets.classes import LABEL, Classes
from bench.task import Examples, Split, packaged_file

SIDE: Final = 32
LETTER_SIDE: Final = 24  # of the longer side of a letter's box; augmentation moves and stretches it

FONTS: Final = (
    "DejaVuSans",
    "DejaVuSans-Bold",
    "DejaVuSans-BoldOblique",
    "DejaVuSans-Oblique",
    "DejaVuSansMono",
    "DejaVuSansMono-Bold",
    "DejaVuSansMono-Oblique",
    "DejaVuSerif",
    "DejaVuSerif-Bold",
    "DejaVuSerif-BoldItalic",
    "STIXGeneral",
    "STIXGeneralBolIta",
    "STIXGeneralItalic",
    "cmb10",
    "cmmi10",
    "cmr10",
    "cmti10",
    "cmtt10",
)
HELD_OUT_FONTS: Final = ("DejaVuSansMono-BoldOblique", "DejaVuSerif-Italic", "STIXGeneralBol", "cmss10")

# One class per group. Letters that differ in size only share one, since all letters are drawn at the same size, and so
# do letters of several alphabets with one shape. Letters that would pass for 3, 4 or 6 (Cyrillic ze, che, be) are left
# out; O, l, I, S and Z are what they are.
CLASSES: Final = (
    *("A", "B", "Cc", "D", "E", "F", "G", "H", "Il", "J", "Kk", "L", "M", "N", "Oo", "Pp", "Q", "R", "Ss", "T", "Uu"),
    *("Vv", "Ww", "Xx", "Y", "Zz", "a", "b", "d", "e", "f", "g", "h", "i", "j", "m", "n", "q", "r", "t", "y"),
    *("Γ", "Δ", "Θθ", "Λ", "Ξ", "Π", "Σ", "Φφ", "Ψψ", "Ω", "α", "β", "γ", "δ", "ε", "ζ", "η", "λ", "μ", "ξ", "π", "σ"),
    *("ω", "Дд", "Жж", "Ии", "Цц", "Шш", "Щщ", "Ыы", "Юю", "Яя"),
)


class Letters:
    """Pictures of letters, uint8 [n, 32, 32, 1], white on black; whole fonts are held out."""

    name: Final = "glyphs"
    target: Final = Classes(CLASSES)

    def split(self) -> Split:
        """Return the letters of all fonts; drawing them takes a second."""
        return Split(train=draw(FONTS), test=draw(HELD_OUT_FONTS))

    def augment(self, values: Tensor, generator: torch.Generator) -> Tensor:
        """Return the prepared pictures [n, 1, 32, 32] as other hands, pens and scanners might have made them."""
        return scan(write(bend(values, generator), generator), generator)


def draw(fonts: tuple[str, ...]) -> Examples:
    """Return every letter that has a class, in every style of every font."""
    class_of = {letter: number for number, letters in enumerate(CLASSES) for letter in letters}
    pictures, labels = [], []
    for name in fonts:
        font = FT2Font(packaged_file("matplotlib", f"mpl-data/fonts/ttf/{name}.ttf"))
        for code, letter in letters_of(font):
            if letter in class_of:
                pictures.append(picture(font, chr(code)))
                labels.append(class_of[letter])
    classes = Dense({LABEL: np.array(labels, dtype=np.int64)})
    return Examples(ImageArray(np.stack(pictures)[..., None]), {LABEL: classes})


def letters_of(font: FT2Font) -> Iterator[tuple[int, str]]:
    """Yield each code point that draws a letter, with that letter; mathematical script A is an A."""
    for code in sorted(font.get_charmap()):
        if unicodedata.category(chr(code)) in ("Lu", "Ll"):
            yield code, unicodedata.normalize("NFKC", chr(code))


def picture(font: FT2Font, letter: str) -> NDArray[np.uint8]:
    """Return the letter in the middle of a square, its longer side as long in every font; uint8 [32, 32]."""
    font.set_size(100, 72)
    font.set_text(letter, 0, flags=LoadFlags.NO_HINTING)
    longer = max(font.get_width_height()) / 64  # in pixels, FreeType counting in 64ths
    font.set_size(100 * LETTER_SIDE / longer, 72)
    font.set_text(letter, 0, flags=LoadFlags.NO_HINTING)
    font.draw_glyphs_to_bitmap(antialiased=True)
    shape = np.asarray(font.get_image())
    top, left = ((SIDE - extent) // 2 for extent in shape.shape)
    square = np.zeros((SIDE, SIDE), dtype=np.uint8)
    square[top : top + shape.shape[0], left : left + shape.shape[1]] = shape
    return square


def bend(values: Tensor, generator: torch.Generator) -> Tensor:
    """Return pictures turned, slanted, stretched, moved and warped, each in its own way."""
    n = len(values)
    draws = normal((n, 6), generator, values)
    angle, slant = 0.18 * draws[:, 0], 0.25 * draws[:, 1]
    wide = torch.exp(0.18 * draws[:, 2] + 0.18 * draws[:, 3])
    high = torch.exp(0.18 * draws[:, 2] - 0.18 * draws[:, 3])
    cos, sin = torch.cos(angle), torch.sin(angle)
    rows = [
        torch.stack((wide * cos, wide * (slant * cos - sin), 0.08 * draws[:, 4]), dim=1),
        torch.stack((high * sin, high * (slant * sin + cos), 0.08 * draws[:, 5]), dim=1),
    ]
    grid = affine_grid(torch.stack(rows, dim=1), list(values.shape), align_corners=False)  # [n, 32, 32, 2]
    coarse = 0.10 * normal((n, 2, 5, 5), generator, values)
    warp = interpolate(coarse, values.shape[-2:], mode="bicubic", align_corners=True).permute(0, 2, 3, 1)
    return grid_sample(values, grid + warp, align_corners=False)


def write(values: Tensor, generator: torch.Generator) -> Tensor:
    """Return strokes thinned or thickened, from one pixel less to two pixels more."""
    amount = 0.2 + 0.7 * normal((len(values), 1, 1, 1), generator, values)
    thick = max_pool2d(values, 3, stride=1, padding=1)
    thin = -max_pool2d(-values, 3, stride=1, padding=1)
    step = amount.clamp(-0.8, 1)
    return values + step.clamp(min=0) * (thick - values) + step.clamp(max=0) * (values - thin)


def scan(values: Tensor, generator: torch.Generator) -> Tensor:
    """Return pictures as a scanner might give them: coarse, blurred, uneven in contrast, noisy; again within 0 to 1."""
    parts = []
    for part in values.chunk(4):
        side = int(torch.randint(7, 33, (), generator=generator, device=generator.device))
        coarse = interpolate(part, (side, side), mode="bilinear", antialias=True)
        parts.append(interpolate(coarse, (SIDE, SIDE), mode="bicubic").clamp(0, 1))
    coarse = torch.cat(parts)
    draws = uniform((len(values), 3, 1, 1), generator, values)
    blurred = torch.lerp(coarse, avg_pool2d(coarse, 3, stride=1, padding=1, count_include_pad=False), draws[:, :1])
    full = blurred / blurred.amax(dim=(1, 2, 3), keepdim=True).clamp(min=1e-3)
    toned = full ** torch.exp(1.2 * draws[:, 1:2] - 0.6)
    return (toned + 0.08 * draws[:, 2:] * normal(tuple(values.shape), generator, values)).clamp(0, 1)


def normal(shape: tuple[int, ...], generator: torch.Generator, like: Tensor) -> Tensor:
    """Return normal draws of the generator on the device of `like`."""
    return torch.randn(shape, generator=generator, device=generator.device).to(like.device)


def uniform(shape: tuple[int, ...], generator: torch.Generator, like: Tensor) -> Tensor:
    """Return uniform draws of the generator on the device of `like`."""
    return torch.rand(shape, generator=generator, device=generator.device).to(like.device)
