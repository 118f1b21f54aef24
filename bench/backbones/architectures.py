"""Backbones named by an architecture: with a checkpoint of the user's, or with no training at all."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import torch

from bench.backbone import Backbone, state_hash
from bench.backbones.huggingface.opening import build_untrained
from bench.backbones.opened import Opened, Reference, refuse_unknown_settings
from bench.backbones.vision.backbone import Design, VisionBackbone
from bench.backbones.vision.checkpoint import load_checkpoint
from bench.backbones.vision.timm_models import timm_design
from bench.backbones.vision.torchvision_models import torchvision_design
from bench.errors import WeightsError, unknown_name
from bench.runtime.cache import file_sha256

DESIGNS: Final[Mapping[str, Callable[[str], Design]]] = {"timm": timm_design, "torchvision": torchvision_design}
"""By library, what makes a design of an architecture's name."""

SETTINGS: Final = ("layers",)
"""What a reference to an architecture may say after its '?'."""

SEED: Final = 0
"""From which untrained weights are drawn."""


def open_file(reference: Reference) -> Opened:
    """Return the backbone `file:library/architecture:path`, the path from the working folder.

    Raises `UnknownNameError`, or `WeightsError` if the checkpoint cannot be read or does not fit.
    """
    refuse_unknown_settings(reference, SETTINGS, "file:")
    architecture, _, given = reference.place.partition(":")
    if not given:
        raise WeightsError(
            f"{reference.name} names no file: write file:LIBRARY/ARCHITECTURE:PATH, such as "
            "file:torchvision/mobilenet_v2:weights/my.pth"
        )
    design, path = _design(architecture), Path(given)
    if not path.is_file():
        raise WeightsError(f"there is no checkpoint {given} in {Path.cwd()}; give its path from there, or a whole one")
    network = design.draw()
    load_checkpoint(network, path, design)
    backbone = VisionBackbone(reference, design, network, source=given, licence="not stated")
    return Opened(backbone.known_by(file_sha256(path)), (path,))


def open_untrained(reference: Reference) -> Opened:
    """Return the backbone `untrained:library/architecture`, its weights drawn from one seed for all.

    `untrained:hf/FOLDER` is the model that a config of transformers describes. Raises `UnknownNameError`, or
    `WeightsError` if the network has no stages.
    """
    if reference.place.startswith("hf/"):
        folder = Path(reference.place.removeprefix("hf/")).expanduser()
        return Opened(
            _as_untrained(build_untrained(reference)), tuple(path for path in folder.iterdir() if path.is_file())
        )
    refuse_unknown_settings(reference, SETTINGS, "randomly drawn")
    design = _design(reference.place)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        network = design.draw()
    backbone = VisionBackbone(
        reference, design, network, source="drawn at random, never trained", licence="none needed"
    )
    return Opened(_as_untrained(backbone.known_by(state_hash(backbone))), ())


def _as_untrained(backbone: Backbone) -> Backbone:
    """Return a backbone whose card says that it was never trained."""
    backbone.card = replace(backbone.card, title=f"{backbone.card.title}, untrained", trained=False)
    return backbone


def _design(architecture: str) -> Design:
    library, _, place = architecture.partition("/")
    if library not in DESIGNS:
        raise unknown_name("library of architectures", library, (*DESIGNS, "hf"))
    return DESIGNS[library](place)
