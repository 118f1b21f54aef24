"""The task `newcomer`: labelled data with a target. Replace the drawings by data of your own."""

from functools import cache

import numpy as np

from bench.card import TaskCard
from bench.column import dense
from bench.domains.vision.raw import ImageArray
from bench.runtime.cache import Cache
from bench.targets.classes import Classes
from bench.task import Examples, Split, Task, fingerprint

N_TRAIN, N_TEST, SIDE = 40, 20, 16


@cache
def read_data() -> Split:
    """Return pictures with a bar that lies or stands."""
    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 60, size=(N_TRAIN + N_TEST, SIDE, SIDE, 1))
    stands = np.arange(len(pixels)) % 2
    for picture, upright in zip(pixels, stands, strict=True):
        place = generator.integers(2, SIDE - 2)
        picture[:, place] += 150 * upright
        picture[place] += 150 * (1 - upright)
    everything = Examples(
        raw=ImageArray(pixels.astype(np.uint8)),
        labels={"class": dense(**{"class": stands.astype(np.int64)})},
        groups=np.array([f"drawer {row // 4}" for row in range(len(pixels))]),  # none of them may be on both sides
    )
    return Split(everything.take(np.arange(N_TRAIN)), everything.take(np.arange(N_TRAIN, N_TRAIN + N_TEST)))


class Newcomer(Task):
    """Bars that lie or stand."""

    target = Classes(("lies", "stands"))

    def __init__(self) -> None:
        self.card = TaskCard(
            name="newcomer",
            title="Newcomer",
            domain="vision",
            description="Bars that lie or stand.",
            source="drawn by this package",
            licence="not stated",
            citation="not stated",
            version=1,
            # Of data that somebody published, write the hash here as text: then no other data pass for them.
            sha256=fingerprint(read_data()),
            synthetic=True,
        )

    def split(self, fold: int, cache: Cache) -> Split:
        return read_data()
