"""What the domain `vision` says of itself."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.domain import Raw
from bench.domains.contract import (
    FEATURES,
    LABELLED,
    Domain,
    Features,
    FileReader,
    Noun,
    Perceived,
    Request,
    Unlabelled,
    UnlabelledReader,
)
from bench.domains.options import DataOptions
from bench.domains.shift import Shift
from bench.files.stored import Finding, Stored

if TYPE_CHECKING:
    from bench.backbone import Backbone

SUFFIXES: Final = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm")


def _look(path: Path) -> Finding:
    from bench.domains.vision import integrity  # noqa: PLC0415 (loads Pillow)

    return integrity.look(path)


def _look_at_bytes(content: bytes) -> Finding:
    from bench.domains.vision import integrity  # noqa: PLC0415 (loads Pillow)

    return integrity.look_at_bytes(content)


def _read(stored: Sequence[Stored], findings: Sequence[Finding], options: DataOptions) -> Perceived:
    from bench.domains.vision.files import ImageFiles  # noqa: PLC0415 (loads Pillow)

    return Perceived(ImageFiles(tuple(stored), tuple(found.sha256 for found in findings)))


def _read_unlabelled(request: Request) -> Unlabelled:
    from bench.domains.vision import unlabelled  # noqa: PLC0415 (loads Pillow)

    return unlabelled.read(request)


def _shifts() -> Sequence[Shift]:
    from bench.domains.vision import shifts  # noqa: PLC0415 (loads Pillow)

    return shifts.SHIFTS


def _features() -> Features:
    from bench.domains.vision import gradients  # noqa: PLC0415 (loads scikit-image, a second)

    return Features("oriented gradients and thumbnails", gradients.describe)


def _small(raw: Raw) -> "Backbone":
    from bench.domains.vision import small  # noqa: PLC0415 (loads torch)

    return small.LeNet()


DOMAIN: Final = Domain(
    name="vision",
    family="image_classification",
    noun=Noun("picture", "pictures"),
    addresses=frozenset({"folder", "csv", "torchvision", "hf", "python"}),
    options=LABELLED | {"image"},
    suffixes={"picture": SUFFIXES},
    backbone="timm:resnet18.a1_in1k",
    column="image",
    files=FileReader(look=_look, look_at_bytes=_look_at_bytes, read=_read, hub_feature="Image"),
    unlabelled=UnlabelledReader(read=_read_unlabelled),
    small=_small,
    shifts=_shifts,
    offers=frozenset({FEATURES}),
    features=_features,
)
