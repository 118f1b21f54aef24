"""A task of one's own: which hour does the clock show?

Run it from anywhere, without a config: bench run --data python:clocks.py --backbone bundled:glyphs
"""

import math

import numpy as np
from PIL import Image, ImageDraw

from bench.card import TaskCard
from bench.column import Dense
from bench.domains.vision.raw import ImageArray
from bench.runtime.cache import Cache
from bench.targets.classes import Classes
from bench.task import Examples, Split, Task

SIDE = 48


class Clocks(Task):
    """Twelve classes; dials differ in place, size and the thickness of their hands."""

    card = TaskCard(
        name="clocks",
        title="Clocks",
        domain="vision",
        description="Drawn dials that show a full hour; 600 to learn from, 300 to test on.",
        source="drawn by this file",
        licence="none needed",
        citation="none",
        version=1,
        sha256="",  # found when it is opened, since the card is not pinned
        pinned=False,
    )
    target = Classes(tuple(str(hour) for hour in range(1, 13)))

    def split(self, fold: int, cache: Cache) -> Split:
        return Split(train=draw(600, seed=0), test=draw(300, seed=1))


def draw(count: int, *, seed: int) -> Examples:
    """Return pictures uint8 [count, 48, 48, 1] with the hour less one as label."""
    generator = np.random.default_rng(seed)
    hours = np.arange(count) % 12
    pixels = np.stack([dial(int(hour) + 1, generator) for hour in hours])
    return Examples(ImageArray(pixels[..., None]), {"class": Dense({"class": hours})})


def dial(hour: int, generator: np.random.Generator) -> np.ndarray:
    """Return a clock with its long hand up and its short one at the hour, uint8 [48, 48]."""
    image = Image.new("L", (SIDE, SIDE), int(generator.integers(180, 256)))
    x, y = generator.uniform(20, 28, size=2)
    radius = generator.uniform(14, 19)
    pen = ImageDraw.Draw(image)
    pen.ellipse((x - radius, y - radius, x + radius, y + radius), outline=0)
    for length, angle in ((0.9, 0.0), (0.55, math.tau * hour / 12)):
        tip = (x + length * radius * math.sin(angle), y - length * radius * math.cos(angle))
        pen.line((x, y, *tip), fill=0, width=int(generator.integers(1, 4)))
    return np.asarray(image)
