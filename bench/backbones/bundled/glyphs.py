"""The backbone `bundled:glyphs`: a small residual network that learnt to read letters."""

from typing import Final

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample, interpolate, max_pool2d

from bench.backbone import Backbone, Batch
from bench.backbones.bundled import resnet
from bench.card import BackboneCard
from bench.domain import Raw
from bench.domains.vision.files import expect_pictures, pixels_in_memory
from bench.domains.vision.raw import ImageArray

SIDE: Final = 32
SIGN_SIDE: Final = 26  # of the longer side of a sign's box, which leaves room for its stray ends
FINE_SIDE: Final = 64  # at which signs are looked for
GROUND_BLOCK: Final = 4  # the ground changes slowly: it is estimated on a raster so many times coarser,
GROUND_REACH: Final = 5  # and so many blocks around, which is wider than any stroke
FAINTEST: Final = 2.0  # grey levels of 255 between ink and paper
INK: Final = 0.3  # what counts as a stroke where its box is drawn
SMALLEST_HALF: Final = 0.05  # of the cut-out, as a share of the picture: specks are not blown up


class Glyphs(Backbone):
    """A ResNet on pictures of single written signs, of any size and in grey or colour, light on dark or dark on light.

    `network` holds the parameters; the stages share them.
    """

    def __init__(self, card: BackboneCard) -> None:
        super().__init__()
        self.card = card
        self.network = resnet.build()
        self.stages = resnet.as_stages(self.network)

    def prepare(self, raw: Raw) -> Batch:
        """Return float32 [n, 1, 32, 32]: the sign's strokes near 1 on a ground near 0, in the middle, at one size.

        Where a sign stands on its paper and how large it is says nothing about which it is, but much about who made the
        data set; so do the colours of ink and paper, and how evenly they are lit.
        """
        in_memory = pixels_in_memory(raw)
        if in_memory is None:  # of many sizes, so one at a time
            pictures = expect_pictures(raw).pictures()
            return Batch(torch.cat([self.prepare(ImageArray(picture[None])).values for picture in pictures]))
        pixels = torch.from_numpy(in_memory).float().mean(dim=3)[:, None]  # [n, 1, height, width]
        height, width = pixels.shape[-2:]
        fine = interpolate(pixels, (FINE_SIDE, FINE_SIDE), mode="bicubic", antialias=max(height, width) > FINE_SIDE)
        framed = frame(ink(fine.clamp(0, 255)), height, width)
        return Batch(full_range(interpolate(framed, (SIDE, SIDE), mode="bilinear", antialias=True), least=0.1))

    def initialise(self) -> None:
        self.network.load_state_dict(resnet.build().state_dict())


def ink(pixels: Tensor) -> Tensor:
    """Return how much of each pixel [n, 1, 64, 64] is stroke, 0 to 1.

    Strokes cover less than their ground, so a picture mostly bright is turned into its negative. Then the ground is
    taken off: a morphological opening, which follows uneven light but no stroke (together a white top-hat), and half of
    the noise that is left, by the median.
    """
    lowest, highest = pixels.amin(dim=(1, 2, 3), keepdim=True), pixels.amax(dim=(1, 2, 3), keepdim=True)
    light = torch.where(middle(pixels) > (lowest + highest) / 2, highest - pixels, pixels - lowest)
    window = 2 * GROUND_REACH + 1
    eroded = -max_pool2d(max_pool2d(-light, GROUND_BLOCK), window, stride=1, padding=GROUND_REACH)  # [n, 1, 16, 16]
    opened = max_pool2d(eroded, window, stride=1, padding=GROUND_REACH)
    ground = interpolate(opened, light.shape[-2:], mode="bilinear")
    raised = (light - ground).clamp(min=0)
    return full_range((raised - middle(raised)).clamp(min=0), least=FAINTEST)


def middle(values: Tensor) -> Tensor:
    """Return each picture's median, [n, 1, 1, 1]."""
    return values.flatten(1).median(dim=1).values[:, None, None, None]


def full_range(values: Tensor, *, least: float) -> Tensor:
    """Return pictures of zero and more, each divided by its brightest pixel; one that stays below `least` is blank."""
    return values / values.amax(dim=(1, 2, 3), keepdim=True).clamp(min=least)


def frame(strokes: Tensor, height: int, width: int) -> Tensor:
    """Return strokes [n, 1, 64, 64] cut out so that the box of the ink lies in the middle, as large as it may.

    `height` and `width` are those of the picture before it was made square, so that the sign has its own proportions.
    """
    top, bottom = extent((strokes > INK).any(dim=3)[:, 0])  # as shares of the height, [n]
    left, right = extent((strokes > INK).any(dim=2)[:, 0])
    half = torch.maximum((bottom - top) * height, (right - left) * width) / 2 * (SIDE / SIGN_SIDE)  # in pixels, [n]
    wide, high = ((half / side).clamp(min=SMALLEST_HALF) for side in (width, height))
    zero = torch.zeros_like(half)
    rows = [torch.stack((2 * wide, zero, left + right - 1), 1), torch.stack((zero, 2 * high, top + bottom - 1), 1)]
    grid = affine_grid(torch.stack(rows, dim=1), list(strokes.shape), align_corners=False)
    return grid_sample(strokes, grid, align_corners=False)


def extent(inked: Tensor) -> tuple[Tensor, Tensor]:
    """Return where ink begins and ends along lines of flags [n, length], as shares of the length; both [n]."""
    length = inked.shape[1]
    first = inked.int().argmax(dim=1)
    last = length - inked.flip(1).int().argmax(dim=1)
    return first / length, last / length
