"""The classification networks of torchvision: their names, groups, preparation and published weights."""

import re
from functools import partial
from typing import Any, Final

import torch
import torchvision
from torch import nn
from torchvision.models import WeightsEnum, get_model, get_model_weights, list_models
from torchvision.transforms import v2

from bench.backbones.hubs import url_file
from bench.backbones.opened import Opened, Reference, refuse_unknown_settings
from bench.backbones.vision.backbone import Design, VisionBackbone, unknown_among_many
from bench.backbones.vision.checkpoint import load_checkpoint
from bench.backbones.vision.pictures import Preparation
from bench.backbones.vision.structure import nested_groups
from bench.errors import unknown_name
from bench.runtime.cache import file_sha256

CLASSES: Final = 1000
"""Outputs of a network as torchvision builds it, by which the classifier is known."""

PORTED: Final = {"aux_logits": False, "transform_input": True, "init_weights": True}
"""Arguments of the networks that came from TensorFlow: their weights expect inputs on another scale than the
preparation's, and heads on the way are for training on ImageNet alone."""

ARGUMENTS: Final = {"googlenet": PORTED, "inception_v3": PORTED}

OLD_DENSENET: Final = re.compile(r"(denselayer\d+\.(?:norm|relu|conv))\.([12]\.)")
"""Names that attributes could have once: published files still have them."""


def open_torchvision(reference: Reference) -> Opened:
    """Return the backbone `torchvision:name`, with the weights `?weights=…` or else torchvision's default ones.

    `torchvision:ResNet50_Weights.IMAGENET1K_V1` is understood too. Raises `UnknownNameError`, or `WeightsError` if the
    weights cannot be found or the network has no stages.
    """
    refuse_unknown_settings(reference, ("layers", "weights"), "torchvision")
    place, wanted = reference.place, reference.settings.get("weights", "DEFAULT")
    if "." in place:
        enum, _, wanted = place.partition(".")
        place = _with_weights(enum)
    weights = _weights(place, wanted)
    design = torchvision_design(place, weights)
    path = url_file(reference.name, weights.url)
    network = design.draw()
    load_checkpoint(network, path, design)
    backbone = VisionBackbone(
        reference,
        design,
        network,
        source=weights.url,
        licence=weights.meta.get("license", "not stated"),
    )
    return Opened(backbone.known_by(file_sha256(path)), (path,))


def torchvision_design(place: str, weights: WeightsEnum | None = None) -> Design:
    """Return the design of a torchvision architecture, with the preparation of `weights` or of its default ones.

    Raises `UnknownNameError` with the nearest names.
    """
    weights = weights or _weights(place, "DEFAULT")
    arguments: dict[str, Any] = dict(ARGUMENTS.get(place, {}))
    if place.startswith("vit_"):
        arguments["image_size"] = weights.meta["min_size"][0]  # the only size its positions are for
    preset = weights.transforms()
    (side,) = preset.crop_size
    with torch.device("meta"):  # its names are asked for, not its weights
        outline = get_model(place, weights=None, **arguments)
    return Design(
        title=place,
        draw=partial(_draw, place, **arguments),
        groups=nested_groups,
        preparation=Preparation(
            shape=(3, side, side),
            transform=v2.Compose(
                [
                    v2.Resize(preset.resize_size, preset.interpolation, antialias=preset.antialias),
                    v2.CenterCrop(preset.crop_size),
                    v2.PILToTensor(),
                ]
            ),
            mean=tuple(preset.mean),
            std=tuple(preset.std),
        ),
        spare=(f"{_classifier(outline)}.", "aux1.", "aux2.", "AuxLogits."),
        rename=partial(OLD_DENSENET.sub, r"\1\2"),
    )


def _draw(place: str, **arguments: Any) -> nn.Module:  # noqa: ANN401 - torchvision's
    """Return a network whose last layer and the dropout before it are left out."""
    network: nn.Module = get_model(place, weights=None, **arguments)
    path, _, last = _classifier(network).rpartition(".")
    around = network.get_submodule(path)
    names = [name for name, _ in around.named_children()]
    before = names[max(names.index(last) - 1, 0)]
    if isinstance(around.get_submodule(before), nn.Dropout):
        setattr(around, before, nn.Identity())
    setattr(around, last, nn.Identity())
    return network


def _classifier(network: nn.Module) -> str:
    """Return the path of the layer that says the classes."""
    layers = [(path, module) for path, module in network.named_modules() if isinstance(module, nn.Linear | nn.Conv2d)]
    last: str = [path for path, layer in layers if len(layer.weight) == CLASSES][-1]
    return last


def _weights(place: str, wanted: str) -> WeightsEnum:
    known = list_models(module=torchvision.models)
    if place not in known:
        raise unknown_among_many("torchvision model", place, known)
    published = get_model_weights(place)
    name = wanted.rpartition(".")[2]
    if name not in published.__members__:
        raise unknown_name(f"weights of torchvision:{place}", wanted, published.__members__)
    return published[name]


def _with_weights(enum: str) -> str:
    """Return the architecture that an enum of weights, such as ResNet50_Weights, belongs to."""
    owners: dict[str, str] = {get_model_weights(name).__name__: name for name in list_models(module=torchvision.models)}
    if enum not in owners:
        raise unknown_among_many("torchvision weights", enum, sorted(owners))
    return owners[enum]
