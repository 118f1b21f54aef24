"""The domain `clouds`: points in space, one cloud in each file, three numbers in each line of it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Final

import numpy as np
import torch
from annotated_types import Ge
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from bench.backbone import Backbone, Batch, Features, Stage, state_hash
from bench.backbones.opened import Opened, Reference, refuse_unknown_settings
from bench.card import BackboneCard, TaskCard
from bench.column import Array, Indices, dense
from bench.domain import Raw
from bench.domains.contract import (
    FEATURES,
    LABELLED,
    Domain,
    FileReader,
    Noun,
    Perceived,
    Request,
    Unlabelled,
    UnlabelledReader,
)
from bench.domains.contract import Features as Classical
from bench.domains.options import DomainOptions
from bench.domains.shift import Shift, generator_of
from bench.domains.unlabelled import read_files
from bench.errors import DataError, unknown_name
from bench.files.stored import EMPTY, Change, Finding, Stored, named, read_unchanged
from bench.readout import Readout
from bench.runtime.cache import Cache
from bench.targets.classes import Classes
from bench.task import Examples, Split, Task, fingerprint

if TYPE_CHECKING:
    from bench.domains.options import DataOptions

WIDTH: Final = 12
JITTER: Final = 0.1
KINDS: Final = ("ball", "rod", "sheet")


# --- raw examples
@dataclass(frozen=True, slots=True, eq=False)
class Clouds:
    """Clouds of points in files, `hashes` [n] the sha256 of their bytes; `change` is done to each when it is read.

    Of each the first `points_read` are read, or all.
    """

    domain: ClassVar[str] = "clouds"
    streams: ClassVar[bool] = False
    stored: tuple[Stored, ...]
    hashes: tuple[str, ...]
    change: Change[Array] | None = None
    points_read: int | None = None

    def __len__(self) -> int:
        return len(self.stored)

    def take(self, indices: Indices) -> "Clouds":
        """Return the examples at `indices`."""
        rows = [int(index) for index in indices]
        return replace(
            self,
            stored=tuple(self.stored[row] for row in rows),
            hashes=tuple(self.hashes[row] for row in rows),
        )

    def columns(self) -> tuple[bytes, ...]:
        """Return the hashes of the files, how many points are read, and how they are changed if they are."""
        few = () if self.points_read is None else (b"%d points" % self.points_read,)
        return ("\n".join(self.hashes).encode(), *few, *named(self.change))

    def points(self) -> list[Array]:
        """Return the points of each cloud, float64 [points, 3]. Raises `DataError` for a file that is none."""
        pairs = zip(self.stored, self.hashes, strict=True)
        read = [decode(read_unchanged(stored, sha256, "cloud"), stored) for stored, sha256 in pairs]
        found = [cloud[: self.points_read] for cloud in read]
        return [self.change.of(cloud) for cloud in found] if self.change else found


@dataclass(frozen=True, slots=True)
class Lines:
    """The content of a file that there is not."""

    content: bytes

    def read_bytes(self) -> bytes:
        """Return it."""
        return self.content


def decode(content: bytes, path: Stored) -> Array:
    """Return the points in the bytes of a file, float64 [points, 3]. Raises `DataError` if they are none."""
    try:
        found = np.array([[float(number) for number in line.split()] for line in content.decode().splitlines()])
    except ValueError as error:
        raise DataError(f"cannot read the cloud {path}: {error}") from error
    if found.ndim != 2 or found.shape[1] != 3 or not np.isfinite(found).all():
        raise DataError(f"cannot read the cloud {path}: three numbers are expected in each line")
    return found


# --- the domain
class CloudOptions(DomainOptions):
    """What a task may say of its clouds: how many `points` are read of each, the first ones; all if it says nothing."""

    points: Annotated[int, Ge(2)] | None = None


def _look_at_bytes(content: bytes) -> Finding:
    try:
        decode(content, Lines(content))
    except DataError:
        return Finding(hashlib.sha256(content).hexdigest(), "is no cloud of points" if content else EMPTY)
    return Finding(hashlib.sha256(content).hexdigest())


def _look(path: Path) -> Finding:
    return _look_at_bytes(path.read_bytes())


def _read(stored: Sequence[Stored], findings: Sequence[Finding], options: "DataOptions") -> Perceived:
    points = options.own_as(CloudOptions).points
    raw = Clouds(tuple(stored), tuple(found.sha256 for found in findings), points_read=points)
    return Perceived(raw, said="" if points is None else f" Of each the first {points} points are read.")


def _read_unlabelled(request: Request) -> Unlabelled:
    found = read_files(request, decode)
    points = request.options.own_as(CloudOptions).points
    return Unlabelled(Clouds(found.paths, found.hashes, points_read=points), found.sources, found.problems)


def _jitter(cloud: Array) -> Array:
    moved: Array = cloud + JITTER * cloud.std() * generator_of(cloud.tobytes()).standard_normal(cloud.shape)
    return moved


def _shifts() -> Sequence[Shift]:
    def apply(examples: Examples) -> Examples:
        assert isinstance(examples.raw, Clouds), f"clouds are shifted here, not {type(examples.raw).__name__}"
        return replace(examples, raw=replace(examples.raw, change=Change("jitter", _jitter)))

    return (Shift("jitter", f"points moved by {JITTER:g} of the spread", apply, "clouds"),)


def _describe(raw: Raw) -> Array:
    """Return the spread of each cloud along its three main directions, float32 [n, 3]."""
    assert isinstance(raw, Clouds), f"expected clouds, got {type(raw).__name__}"
    spreads = [np.linalg.svd(cloud - cloud.mean(0), compute_uv=False) / len(cloud) ** 0.5 for cloud in raw.points()]
    return np.array(spreads, dtype=np.float32).reshape(-1, 3)


DOMAIN: Final = Domain(
    name="clouds",
    family="cloud_classification",
    noun=Noun("cloud", "clouds"),
    addresses=frozenset({"folder", "python"}),
    options=LABELLED,
    own_options=CloudOptions,
    suffixes={"cloud": (".xyz",)},
    backbone="clouds:toy",
    files=FileReader(look=_look, look_at_bytes=_look_at_bytes, read=_read),
    unlabelled=UnlabelledReader(read=_read_unlabelled),
    shifts=_shifts,
    offers=frozenset({FEATURES}),
    features=lambda: Classical("spreads along main directions", _describe),
)


# --- a backbone
class Layer(Stage):
    """A linear layer on each point and the mean of its cloud; padding becomes zeros."""

    def __init__(self, width_in: int, width: int) -> None:
        super().__init__()
        self.own, self.mean = nn.Linear(width_in, width), nn.Linear(width_in, width, bias=False)

    def forward(self, values: Tensor, mask: Tensor | None = None) -> Tensor:
        assert mask is not None, "clouds have lengths"
        inside = mask[..., None].to(values.dtype)
        mean = (values * inside).sum(1, keepdim=True) / inside.sum(1, keepdim=True)
        found: Tensor = (self.own(values) + self.mean(mean)).relu() * inside
        return found


class PointLayers(Backbone):
    """Three layers on the points of a cloud, which is moved to its middle."""

    def __init__(self) -> None:
        super().__init__()
        self.stages = nn.ModuleList([Layer(3, WIDTH), Layer(WIDTH, WIDTH), Layer(WIDTH, WIDTH)])
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(7)
            self.initialise()
        self.card = BackboneCard(
            name="clouds:toy",
            title="Point layers",
            domain="clouds",
            description="Three layers on points.",
            source="drawn by the package bench-clouds",
            licence="Apache-2.0",
            citation="none",
            sha256=state_hash(self),
            parameters=sum(parameter.numel() for parameter in self.parameters()),
            width=WIDTH,
            stages=("first", "second", "third"),
        )

    def prepare(self, raw: Raw) -> Batch:
        assert isinstance(raw, Clouds), f"expected clouds, got {type(raw).__name__}"
        points = [torch.from_numpy((cloud - cloud.mean(0)).astype(np.float32)) for cloud in raw.points()]
        values = pad_sequence(points, batch_first=True) if points else torch.empty(0, 1, 3)
        return Batch(values, torch.tensor([len(cloud) for cloud in points], dtype=torch.int64))

    def read(self, tapped: Sequence[Batch], readout: Readout) -> Features:
        return tuple(batch.values.amax(1) for batch in tapped)  # padding is zeros, and a relu is never below

    def initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Linear):
                module.reset_parameters()


def open_clouds(reference: Reference) -> Opened:
    """Return the backbone `clouds:toy`. Raises `UnknownNameError` for any other."""
    refuse_unknown_settings(reference, (), "clouds")
    if reference.place != "toy":
        raise unknown_name("backbone of clouds", reference.place, ("toy",))
    return Opened(PointLayers(), (Path(__file__),))


# --- data made here
@cache
def shapes() -> Split:
    """Return balls, rods and sheets of 20 to 40 points, anywhere and turned anyhow."""
    generator, stored = np.random.default_rng(0), []
    spreads = {"ball": (1.0, 1.0, 1.0), "rod": (2.0, 0.2, 0.2), "sheet": (1.5, 1.5, 0.1)}
    for row in range(72):
        points = generator.normal(size=(generator.integers(20, 41), 3)) * spreads[KINDS[row % 3]]
        turn, _ = np.linalg.qr(generator.normal(size=(3, 3)))
        lines = (points @ turn + generator.normal(size=3)).round(4).tolist()
        stored.append(Lines("\n".join(" ".join(map(str, line)) for line in lines).encode()))
    raw = Clouds(tuple(stored), tuple(hashlib.sha256(one.content).hexdigest() for one in stored))
    labels = {"class": dense(**{"class": np.arange(72, dtype=np.int64) % 3})}
    groups = np.array([f"scan {row // 3}" for row in range(72)])
    everything = Examples(raw, labels, None, groups)
    return Split(everything.take(np.arange(42)), everything.take(np.arange(42, 72)))


class Shapes(Task):
    """Shapes of clouds."""

    target = Classes(KINDS)

    def __init__(self) -> None:
        self.card = TaskCard(
            name="shapes",
            title="Shapes",
            domain="clouds",
            description="Balls, rods and sheets of points.",
            source="drawn by the package bench-clouds",
            licence="CC0-1.0",
            citation="none",
            version=1,
            sha256=fingerprint(shapes()),
            synthetic=True,
        )

    def split(self, fold: int, cache: Cache) -> Split:
        return shapes()
