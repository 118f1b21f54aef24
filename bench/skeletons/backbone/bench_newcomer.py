"""Backbones `newcomer:…`: networks that see pictures, as a list of stages. Put a pretrained one in their place."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn

from bench.backbone import Backbone, Batch, Features, Stage, state_hash
from bench.backbones.opened import Opened, Reference, refuse_unknown_settings
from bench.card import BackboneCard
from bench.domain import Raw
from bench.domains.vision.files import expect_pictures
from bench.errors import unknown_name
from bench.readout import Kind, Readout

SIDE: Final = 16
"""Pictures are seen in so many rows and columns."""

WIDTHS: Final = {"small": (3, 8, 16), "large": (3, 16, 32, 32)}
"""Networks by name: the channels that go into the first stage, and that come out of each."""


class Convolution(Stage):
    """A convolution that halves rows and columns: [n, channels, rows, columns]."""

    def __init__(self, width_in: int, width: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(width_in, width, 3, stride=2, padding=1)

    def forward(self, values: Tensor, mask: Tensor | None = None) -> Tensor:
        found: Tensor = self.convolution(values).relu()
        return found


class Newcomer(Backbone):
    """Convolutions one after the other."""

    def __init__(self, name: str) -> None:
        super().__init__()
        widths = WIDTHS[name]
        self.stages = nn.ModuleList(map(Convolution, widths[:-1], widths[1:]))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.initialise()  # a pretrained one loads its weights here
        self.card = BackboneCard(
            name=f"newcomer:{name}",
            title=f"Newcomer, {name}",
            domain="vision",
            description="Convolutions one after the other.",
            source="drawn by this package",
            licence="not stated",
            citation="not stated",
            sha256=state_hash(self),  # of weights in a file, that of the file
            parameters=sum(parameter.numel() for parameter in self.parameters()),
            width=widths[-1],
            stages=tuple(f"layer{place}" for place in range(1, len(widths))),
            readouts=(Kind.POOLED, Kind.GRID),
        )

    def prepare(self, raw: Raw) -> Batch:
        """Return pictures in 16 rows and columns, each the nearest pixel, as [n, 3, 16, 16] from 0 to 1."""
        seen = []
        for picture in expect_pictures(raw).pictures():  # [height, width, 1 or 3]
            rows, columns = (np.arange(SIDE) * size // SIDE for size in picture.shape[:2])
            seen.append(np.broadcast_to(picture[np.ix_(rows, columns)], (SIDE, SIDE, 3)))
        values = np.array(seen, dtype=np.float32).reshape(-1, SIDE, SIDE, 3) / 255
        return Batch(torch.from_numpy(values).movedim(-1, 1).contiguous())

    def read(self, tapped: Sequence[Batch], readout: Readout) -> Features:
        """Return one vector of each picture, or one of each of its places, from every stage that is read."""
        grids = tuple(batch.values.movedim(1, -1) for batch in tapped)  # [n, rows, columns, channels]
        return tuple(grid.mean((1, 2)) for grid in grids) if readout.kind is Kind.POOLED else grids

    def widths(self, readout: Readout) -> tuple[int, ...]:
        widths = [stage.convolution.out_channels for stage in self.stages if isinstance(stage, Convolution)]
        return tuple(widths[stage] for stage in readout.stages)

    def initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                module.reset_parameters()


def open_newcomer(reference: Reference) -> Opened:
    """Return the backbone of a reference, with the files it is read from. Raises `UnknownNameError`."""
    refuse_unknown_settings(reference, (), "newcomer")
    if reference.place not in WIDTHS:
        raise unknown_name("newcomer backbone", reference.place, WIDTHS)
    return Opened(Newcomer(reference.place), (Path(__file__),))
