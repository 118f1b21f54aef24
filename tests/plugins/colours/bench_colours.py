"""The backbone `colours:toy`: it brings a whole reader for the classes whose names it knows, with a loss of its own."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from bench.backbone import Backbone, Batch, Features, Head, Reader, Stage, state_hash
from bench.backbones.opened import Opened, Reference, refuse_unknown_settings
from bench.card import BackboneCard, TaskCard
from bench.column import Array, Column, Dense, dense
from bench.domain import Raw
from bench.domains.vision.files import ImageFiles
from bench.domains.vision.raw import ImageArray
from bench.errors import unknown_name
from bench.readout import Kind, Readout
from bench.runtime.cache import Cache
from bench.target import Codec, Objective, Target
from bench.targets.classes import LABEL, Classes
from bench.task import Examples, Split, Task, fingerprint

SIDE: Final = 4
WIDTH: Final = 8
WORDS: Final = {
    "red": (1.0, 0.0, 0.0),
    "green": (0.0, 1.0, 0.0),
    "blue": (0.0, 0.0, 1.0),
    "yellow": (1.0, 1.0, 0.0),
}
"""What names mean, as light in three channels."""


NAMES: Final = ("red", "green", "blue")
"""The classes of the task."""


# --- what the backbone brings
class Similarity(nn.Module):
    """How alike a picture and each name are: the cosines of the mean of all places with `names` [k, width], scaled."""

    def __init__(self, names: Tensor) -> None:
        super().__init__()
        self.names = nn.Parameter(names)
        self.scale = nn.Parameter(torch.tensor(5.0))

    def forward(self, features: Features) -> Features:
        (places,) = features  # [n, rows, columns, width]
        seen = functional.normalize(places.mean((1, 2)), dim=-1)
        return (self.scale * seen @ functional.normalize(self.names, dim=-1).T,)


class Signs(Codec):
    """Classes as signs [n, k]: 1 for the right one, else -1. Similarities stand for logits as they are."""

    def __init__(self, count: int) -> None:
        self._count = count

    def encode(self, labels: Column, geometry: Column | None) -> Column:
        assert isinstance(labels, Dense), "classes are dense"
        return dense(sign=np.where(labels[LABEL][:, None] == np.arange(self._count), 1, -1).astype(np.float32))

    def decode(self, encoded: Column, geometry: Column | None) -> Column:
        return encoded


class Pairs(Objective):
    """Does each name fit each picture? A question of its own for every pair (Zhai et al. 2023, arXiv:2303.15343)."""

    def __init__(self, count: int) -> None:
        self._count = count

    def head(self, widths: Sequence[int]) -> nn.Module:
        (width,) = widths
        return Similarity(torch.zeros(self._count, width))

    def loss(self, outputs: tuple[Tensor, ...], encoded: Mapping[str, Tensor], geometry: Column | None) -> Tensor:
        loss: Tensor = -functional.logsigmoid(encoded["sign"] * outputs[0].float()).sum(1).mean()
        return loss

    def predict(self, outputs: tuple[Tensor, ...], geometry: Column | None) -> Column:
        return dense(logit=outputs[0].numpy())


# --- the backbone
class Layer(Stage):
    """A linear layer on each place."""

    def __init__(self, width_in: int, width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width_in, width)

    def forward(self, values: Tensor, mask: Tensor | None = None) -> Tensor:
        found: Tensor = self.linear(values).tanh()
        return found


class Colours(Backbone):
    """Two layers on 4 x 4 places of a picture, and a tower that says what pictures of a colour's name are like."""

    def __init__(self) -> None:
        super().__init__()
        self.stages = nn.ModuleList([Layer(3, WIDTH), Layer(WIDTH, WIDTH)])
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(3)
            self.initialise()
        self._tower = {name: self._told(light) for name, light in WORDS.items()}
        self.card = BackboneCard(
            name="colours:toy",
            title="Colours",
            domain="vision",
            description="Two linear layers on places, with a tower for the names of colours.",
            source="drawn by the package bench-colours",
            licence="Apache-2.0",
            citation="none",
            sha256=state_hash(self),
            parameters=sum(parameter.numel() for parameter in self.parameters()),
            width=WIDTH,
            stages=("lower", "upper"),
            readouts=(Kind.POOLED, Kind.GRID),
            brings=(Classes.name,),
        )

    def prepare(self, raw: Raw) -> Batch:
        assert isinstance(raw, ImageArray | ImageFiles), f"expected pictures, got {type(raw).__name__}"
        seen = [_resized(picture) for picture in raw.pictures()]
        return Batch(torch.from_numpy(np.array(seen, dtype=np.float32).reshape(-1, SIDE, SIDE, 3) / 255))

    def read(self, tapped: Sequence[Batch], readout: Readout) -> Features:
        values = tuple(batch.values for batch in tapped)
        return tuple(one.mean((1, 2)) for one in values) if readout.kind is Kind.POOLED else values

    def initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Linear):
                module.reset_parameters()

    def brings(self, target: Target) -> Head | Reader | None:
        """Return what tells classes apart by their names, None if it does not know one of these."""
        if not isinstance(target, Classes) or not set(target.names) <= set(self._tower):
            return None
        names, count = torch.stack([self._tower[name] for name in target.names]), len(target.names)
        return Reader(Readout(Kind.GRID), Signs(count), Pairs(count), Similarity(names))

    def _told(self, light: tuple[float, float, float]) -> Tensor:
        values = torch.tensor(light)
        with torch.no_grad():
            for stage in self.stages:
                values = stage(values)
        return values


def _resized(picture: Array) -> Array:
    """Return a picture [height, width, 1 or 3] as [4, 4, 3], each place the nearest pixel."""
    rows, columns = (np.arange(SIDE) * size // SIDE for size in picture.shape[:2])
    found: Array = np.broadcast_to(picture[np.ix_(rows, columns)], (SIDE, SIDE, 3))
    return found


def open_colours(reference: Reference) -> Opened:
    """Return the backbone `colours:toy`. Raises `UnknownNameError` for any other."""
    refuse_unknown_settings(reference, (), "colours")
    if reference.place != "toy":
        raise unknown_name("backbone of colours", reference.place, ("toy",))
    return Opened(Colours(), (Path(__file__),))


# --- data made here
@cache
def paint() -> Split:
    """Return noisy pictures, each of one colour, which fades."""
    generator = np.random.default_rng(0)
    labels = np.arange(90) % len(NAMES)
    lights = np.array([WORDS[name] for name in NAMES])[labels]  # [n, 3]
    strengths = generator.uniform(60, 160, size=(90, 1, 1, 1))
    pixels = strengths * lights[:, None, None, :] + generator.integers(0, 90, size=(90, 8, 8, 3))
    raw = ImageArray(pixels.clip(0, 255).astype(np.uint8))
    everything = Examples(raw, {LABEL: dense(**{LABEL: labels})})
    return Split(everything.take(np.arange(60)), everything.take(np.arange(60, 90)))


class Paint(Task):
    """The colour of a picture, by its name."""

    target = Classes(NAMES)

    def __init__(self) -> None:
        said: dict[str, Any] = {"title": "Paint", "description": "The colours of pictures.", "citation": "none"}
        self.card = TaskCard(
            name="paint",
            domain="vision",
            source="drawn by the package bench-colours",
            licence="CC0-1.0",
            version=1,
            sha256=fingerprint(paint()),
            synthetic=True,
            **said,
        )

    def split(self, fold: int, cache: Cache) -> Split:
        return paint()
