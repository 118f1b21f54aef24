"""The target `boxes`: boxes around what is bright in a picture, with scores, read in places of two stages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from bench.answers import Answers, Rows
from bench.backbone import Backbone, Batch, Features, Stage, state_hash
from bench.backbones.opened import Opened, Reference, refuse_unknown_settings
from bench.card import BackboneCard, TaskCard
from bench.column import Array, Column, Dense, Indices, Ragged, dense, ragged
from bench.domain import Raw
from bench.domains.vision.files import ImageFiles
from bench.domains.vision.raw import ImageArray
from bench.errors import unknown_name
from bench.metric import Metric, MetricCard
from bench.readout import Kind, Readout
from bench.runtime.cache import Cache
from bench.subsets.blocks import deal_blocks
from bench.target import Baseline, Codec, Objective, Sampling, Target, first
from bench.task import Examples, Split, Task, fingerprint

SIDE: Final = 16
"""Pictures are seen as so many places in rows and columns."""

CHANNELS: Final = (3, 16, 16, 16)
"""What goes into the first stage, and comes out of each; every stage but the first halves the places."""

LIMITS: Final = (0.0, 0.3, 9.0)
"""Of boxes by their longer side, as a share of the picture's: the finer stage has those below the second number."""

OVERLAP: Final = 0.5


# --- the target
@dataclass(frozen=True, slots=True)
class Boxes(Target):
    """Boxes in pixels: labels are `{"box": float64 [boxes, 4]}` as left, top, right and bottom.

    Predictions have a `score` [boxes], too.
    """

    name: ClassVar[str] = "boxes"
    unit: ClassVar[str] = "labelled pictures"
    readout: ClassVar[Readout] = Readout(Kind.GRID, (-2, -1))

    @property
    def reads(self) -> str:
        return "boxes"

    @property
    def sampling(self) -> Sampling:
        return Shuffled()

    @property
    def codec(self) -> Codec:
        return InShares()

    @property
    def objective(self) -> Objective:
        return Centres()

    @property
    def metrics(self) -> tuple[Metric, ...]:
        return first((F1, AVERAGE_PRECISION), self.ranked_by)

    @property
    def baselines(self) -> tuple[Baseline, ...]:
        return (NoBoxes(),)

    @property
    def rivals(self) -> tuple[str, ...]:
        return ()

    def answers(self, predictions: Column, raw: Raw, top: int) -> Answers:
        lines: list[list[tuple[str, ...]]] = []
        records = []
        for boxes, scores in _of_each(predictions):
            pairs = list(zip(boxes, scores, strict=True))
            lines.append([(_said(box), f"{score:.3f}") for box, score in pairs] or [("none", "")])
            told = [{"box": box.round(1).tolist(), "score": round(float(score), 4)} for box, score in pairs]
            records.append({"boxes": told})
        return Rows(("box", "score"), lines, records)


class Shuffled(Sampling):
    """Any pictures are a budget. Nothing is chosen inside one, so that there are no folds."""

    def fewest(self, labels: Column | None) -> tuple[int, str]:
        return 1, "one picture"

    def order(self, labels: Column, facts: Column | None, generator: np.random.Generator) -> Indices:
        return generator.permutation(len(labels))

    def folds(
        self, labels: Column, facts: Column | None, groups: Array | None, generator: np.random.Generator
    ) -> Indices | None:
        return None

    def blocks(self, labels: Column, facts: Column | None, groups: Array | None, seed_from: str) -> Indices:
        return deal_blocks(len(labels), groups, seed_from=seed_from)


class InShares(Codec):
    """Boxes as shares of the picture that the backbone sees, which may be turned over."""

    def encode(self, labels: Column, geometry: Column | None) -> Column:
        boxes, sides, flips = _with_geometry(labels, geometry)
        shares = _turned(boxes["box"] / sides, flips).astype(np.float32)
        return replace(boxes, values={**boxes.values, "box": shares})

    def decode(self, encoded: Column, geometry: Column | None) -> Column:
        boxes, sides, flips = _with_geometry(encoded, geometry)
        return replace(boxes, values={**boxes.values, "box": _turned(boxes["box"].astype(np.float64), flips) * sides})


class Centres(Objective):
    """Each place says whether a box of its stage's size has its centre there, and how far its sides are."""

    def head(self, widths: Sequence[int]) -> nn.Module:
        return OfStages(widths)

    def loss(self, outputs: tuple[Tensor, ...], encoded: Mapping[str, Tensor], geometry: Column | None) -> Tensor:
        box, offsets = encoded["box"], encoded[" offsets"]
        owner = torch.arange(len(offsets) - 1, device=box.device).repeat_interleave(offsets.diff())
        size, centre = (box[:, 2:] - box[:, :2]).amax(1), (box[:, :2] + box[:, 2:]) / 2
        total = box.new_zeros(())
        for values, low, high in zip(outputs, LIMITS[:-1], LIMITS[1:], strict=True):
            mine, side = (size >= low) & (size < high), values.shape[1]
            x, y = (centre[mine] * side).long().clamp(0, side - 1).T
            there = values.new_zeros(values.shape[:3])
            there[owner[mine], y, x] = 1.0
            away = values[owner[mine], y, x, 1:] - (box[mine] * side - torch.stack([x, y, x, y], 1))
            total = total + functional.binary_cross_entropy_with_logits(values[..., 0].float(), there.float())
            total = total + away.float().abs().sum() / (4 * len(offsets[1:]))
        return total

    def predict(self, outputs: tuple[Tensor, ...], geometry: Column | None) -> Column:
        owners, scores, boxes = [], [], []
        for values in outputs:
            owner, y, x = (values[..., 0] > 0).nonzero(as_tuple=True)
            owners.append(owner)
            scores.append(values[owner, y, x, 0].sigmoid())
            boxes.append((values[owner, y, x, 1:] + torch.stack([x, y, x, y], 1)) / values.shape[1])
        owner, order = torch.cat(owners).sort(stable=True)
        offsets = np.bincount(owner.numpy(), minlength=len(outputs[0])).cumsum()
        found = {"box": torch.cat(boxes)[order].numpy(), "score": torch.cat(scores)[order].numpy()}
        return Ragged(found, np.concatenate([[0], offsets]).astype(np.int64))


class OfStages(nn.Module):
    """A linear head for each stage that is read, [n, rows, columns, 5]."""

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        self.of = nn.ModuleList(nn.Linear(width, 5) for width in widths)
        for parameter in self.parameters():
            nn.init.zeros_(parameter)

    def forward(self, features: Features) -> Features:
        return tuple(head(values) for head, values in zip(self.of, features, strict=True))


class NoBoxes(Baseline):
    """No box anywhere."""

    title: ClassVar[str] = "no boxes"

    def predict(self, train_labels: Column, raw: Raw, facts: Column | None) -> Column:
        return Ragged({"box": np.empty((0, 4)), "score": np.empty(0)}, np.zeros(len(raw) + 1, dtype=np.int64))


def _said(box: Array) -> str:
    return " ".join(f"{side:.1f}" for side in box)


def _hits(predictions: Column, labels: Column) -> Array:
    """Return for each predicted box, the most certain first, whether it is the first that meets a labelled one."""
    hits = []
    for (boxes, scores), (theirs, _) in zip(_of_each(predictions), _of_each(labels), strict=True):
        free = np.ones(len(theirs), dtype=bool)
        for place in np.argsort(-scores, kind="stable"):
            meets = free & (_overlaps(boxes[place], theirs) >= OVERLAP)
            hits.append((scores[place], meets.any()))
            if meets.any():
                free[meets.argmax()] = False
    return np.array([hit for _, hit in sorted(hits, key=lambda pair: -pair[0])], dtype=bool)


def _overlaps(box: Array, others: Array) -> Array:
    """Return the intersection of a box [4] with each of some others [n, 4], as a share of their union."""
    sides = np.clip(np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2]), 0, None)
    areas = np.clip(others[:, 2:] - others[:, :2], 0, None).prod(1) + np.clip(box[2:] - box[:2], 0, None).prod()
    shares: Array = sides.prod(1) / np.maximum(areas - sides.prod(1), 1e-9)
    return shares


def _f1(predictions: Column, labels: Column, facts: Column | None) -> float | None:
    total = len(predictions.values["box"]) + len(labels.values["box"])
    return float(2 * _hits(predictions, labels).sum() / total) if total else None


def _average_precision(predictions: Column, labels: Column, facts: Column | None) -> float | None:
    """None where nothing is labelled, or predictions have no scores."""
    if "score" not in predictions.values or not len(labels.values["box"]):
        return None
    hits = _hits(predictions, labels)
    return float((hits.cumsum() / np.arange(1, len(hits) + 1))[hits].sum() / len(labels.values["box"]))


F1: Final = Metric(MetricCard("f1", "F1 of boxes", higher_is_better=True, perfect=1.0), _f1)
AVERAGE_PRECISION: Final = Metric(
    MetricCard("average_precision", "average precision", higher_is_better=True, perfect=1.0), _average_precision
)


def _of_each(column: Column) -> list[tuple[Array, Array]]:
    """Return the boxes [k, 4] and scores [k] of each picture; labels have none and are certain."""
    assert isinstance(column, Ragged), "boxes are a ragged column"
    boxes = [column.of("box", row) for row in range(len(column))]
    scored = "score" in column.values
    return [(one, column.of("score", row) if scored else np.ones(len(one))) for row, one in enumerate(boxes)]


def _with_geometry(column: Column, geometry: Column | None) -> tuple[Ragged, Array, Array]:
    """Return boxes with the sides [boxes, 4] of the picture that each is in, and whether it is turned over [boxes]."""
    assert isinstance(column, Ragged), "boxes are a ragged column"
    assert isinstance(geometry, Dense), "pictures are prepared with their sizes"
    owners = np.repeat(np.arange(len(column)), np.diff(column.offsets))
    width_height = geometry["size"][owners][:, ::-1]
    return column, np.concatenate([width_height, width_height], axis=1), geometry["flip"][owners]


def _turned(shares: Array, flips: Array) -> Array:
    turned = np.stack([1 - shares[:, 2], shares[:, 1], 1 - shares[:, 0], shares[:, 3]], axis=1)
    return np.where(flips[:, None], turned, shares)


# --- a backbone that can be read in places
class Neighbourhood(Stage):
    """A linear layer on each place and its eight neighbours, channels last; with `halves` four places become one."""

    def __init__(self, width_in: int, width: int, *, halves: bool) -> None:
        super().__init__()
        self.linear, self.halves = nn.Linear(9 * width_in, width), halves

    def forward(self, values: Tensor, mask: Tensor | None = None) -> Tensor:
        around = functional.unfold(values.movedim(-1, 1), 3, padding=1).mT  # [n, places, 9 * channels]
        found = self.linear(around).tanh().unflatten(1, values.shape[1:3])  # [n, rows, columns, width]
        return functional.avg_pool2d(found.movedim(-1, 1), 2).movedim(1, -1) if self.halves else found


class Places(Backbone):
    """Three stages on 16 x 16 places of a picture; it shows pictures turned over, too, when all of them learn."""

    augments: ClassVar[bool] = True

    def __init__(self) -> None:
        super().__init__()
        pairs = enumerate(pairwise(CHANNELS))
        self.stages = nn.ModuleList(Neighbourhood(*widths, halves=place > 0) for place, widths in pairs)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(7)
            self.initialise()
        self.card = BackboneCard(
            name="places:toy",
            title="Places",
            domain="vision",
            description="Three stages of linear layers on neighbouring places.",
            source="drawn by the package bench-boxes",
            licence="Apache-2.0",
            citation="none",
            sha256=state_hash(self),
            parameters=sum(parameter.numel() for parameter in self.parameters()),
            width=CHANNELS[-1],
            stages=("whole", "half", "quarter"),
            readouts=(Kind.POOLED, Kind.GRID),
        )

    def prepare(self, raw: Raw) -> Batch:
        assert isinstance(raw, ImageArray | ImageFiles), f"expected pictures, got {type(raw).__name__}"
        pictures = list(raw.pictures())
        seen = [_resized(picture) for picture in pictures]
        sizes = np.array([picture.shape[:2] for picture in pictures], dtype=np.int64).reshape(-1, 2)
        values = torch.from_numpy(np.array(seen, dtype=np.float32).reshape(-1, SIDE, SIDE, 3) / 255)
        return Batch(values, geometry=dense(size=sizes, flip=np.zeros(len(sizes), dtype=bool)))

    def augment(self, prepared: Batch, generator: torch.Generator) -> Batch:
        assert isinstance(prepared.geometry, Dense), "prepared by this backbone"
        flip = torch.rand(len(prepared), generator=generator, device=generator.device) < 0.5
        values = torch.where(flip[:, None, None, None], prepared.values.flip(2), prepared.values)
        told = {**prepared.geometry.values, "flip": prepared.geometry["flip"] ^ flip.cpu().numpy()}
        return replace(prepared, values=values, geometry=Dense(told))

    def read(self, tapped: Sequence[Batch], readout: Readout) -> Features:
        values = tuple(batch.values for batch in tapped)
        return tuple(one.mean((1, 2)) for one in values) if readout.kind is Kind.POOLED else values

    def initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Linear):
                module.reset_parameters()


def _resized(picture: Array) -> Array:
    """Return a picture [height, width, 1 or 3] as [16, 16, 3], each place the nearest pixel."""
    rows, columns = (np.arange(SIDE) * size // SIDE for size in picture.shape[:2])
    found: Array = np.broadcast_to(picture[np.ix_(rows, columns)], (SIDE, SIDE, 3))
    return found


def open_places(reference: Reference) -> Opened:
    """Return the backbone `places:toy`. Raises `UnknownNameError` for any other."""
    refuse_unknown_settings(reference, (), "places")
    if reference.place != "toy":
        raise unknown_name("backbone of places", reference.place, ("toy",))
    return Opened(Places(), (Path(__file__),))


# --- data made here
@cache
def lights() -> Split:
    """Return pictures 24 wide and 16 high of one or two lights, small or large, and some without labels."""
    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 60, size=(100, 16, 24, 3))
    boxes = []
    for picture in pixels:
        mine = []
        for left in generator.permutation([0, 12])[: generator.integers(1, 3)]:
            width, height = generator.choice([4, 10]), generator.choice([4, 8])
            x, y = left + generator.integers(0, 12 - width + 1), generator.integers(0, 16 - height + 1)
            picture[y : y + height, x : x + width] += 150
            mine.append([x, y, x + width, y + height])
        boxes.append(np.array(mine, dtype=np.float64))
    raw, groups = ImageArray(pixels.astype(np.uint8)), np.array([f"camera {row // 5}" for row in range(80)])
    labelled = Examples(raw.take(np.arange(80)), {"boxes": ragged(box=boxes[:80])}, None, groups)
    train, test = labelled.take(np.arange(50)), labelled.take(np.arange(50, 80))
    return Split(train, test, unlabelled=raw.take(np.arange(80, 100)))


class Lights(Task):
    """Lights in the dark."""

    target = Boxes()

    def __init__(self) -> None:
        said: dict[str, Any] = {"title": "Lights", "description": "Boxes around bright places.", "citation": "none"}
        self.card = TaskCard(
            name="lights",
            domain="vision",
            source="drawn by the package bench-boxes",
            licence="CC0-1.0",
            version=1,
            sha256=fingerprint(lights()),
            synthetic=True,
            beside=("unlabelled",),
            **said,
        )

    def split(self, fold: int, cache: Cache) -> Split:
        return lights()
