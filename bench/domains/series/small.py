"""The small network of series: a linear model of the last season, since what is above it is a linear head."""

from typing import Final, final

import torch

from bench.backbone import Batch, Layers
from bench.domain import Raw
from bench.domains.series.raw import expect_windows, scaled
from bench.domains.small import SmallNetwork

SHORTEST: Final = 8
"""Steps that are looked at where a season is shorter, or there is none."""


@final
class LastSeason(SmallNetwork):
    """The values of the last season, on the scale of the whole past."""

    def __init__(self, raw: Raw) -> None:
        windows = expect_windows(raw)
        steps = min(windows.past.shape[1], max(windows.season, SHORTEST))
        super().__init__(
            "series",
            "Linear model of the last season",
            f"The last {steps} values of a past, for a linear head; there is nothing else to train.",
            [("last season", Layers())],
            width=steps,
        )
        self.steps = steps

    def prepare(self, raw: Raw) -> Batch:
        """Return windows [n, steps], each of mean 0 and deviation 1 over its own past."""
        values, scale = scaled(expect_windows(raw))
        return Batch(torch.from_numpy(values[:, -self.steps :].copy()), geometry=scale)
