"""The networks of timm: their names, groups, preparation and published weights."""

from functools import partial
from pathlib import Path
from typing import Any, Final

import timm
from safetensors import SafetensorError
from timm.data import create_transform, resolve_data_config
from timm.models import get_pretrained_cfg, group_parameters
from torch import nn

from bench.backbones.hubs import hub_file, url_file
from bench.backbones.opened import Opened, Reference, refuse_unknown_settings
from bench.backbones.vision.backbone import Design, VisionBackbone, unknown_among_many
from bench.backbones.vision.pictures import Preparation
from bench.backbones.vision.structure import MANY, nested_groups
from bench.backbones.vision.tracing import Groups
from bench.errors import WeightsError
from bench.runtime.cache import file_sha256

HUB_FILES: Final = ("model.safetensors", "pytorch_model.bin")


def open_timm(reference: Reference) -> Opened:
    """Return the backbone `timm:name` or `timm:name.tag`; without tag it is timm's default.

    Raises `UnknownNameError`, or `WeightsError` if the weights cannot be found or the network has no stages.
    """
    refuse_unknown_settings(reference, ("layers",), "timm")
    design = timm_design(reference.place)
    config = get_pretrained_cfg(reference.place)
    if reference.place not in timm.list_pretrained() and not config.has_weights:
        raise WeightsError(
            f"timm has no weights for {reference.place}; take untrained:timm/{reference.place}, or a checkpoint of "
            f"your own by file:timm/{reference.place}:PATH"
        )
    path = _weights(reference, config)
    network = _load(reference, path)
    backbone = VisionBackbone(
        reference,
        design,
        network,
        source=f"https://huggingface.co/{config.hf_hub_id}" if config.hf_hub_id else config.url,
        licence=config.license or "not stated",
    )
    return Opened(backbone.known_by(file_sha256(path)), (path,))


def timm_design(place: str) -> Design:
    """Return the design of a timm architecture. Raises `UnknownNameError` with the nearest names."""
    architecture, _, tag = place.partition(".")
    if not timm.is_model(architecture):
        raise unknown_among_many("timm model", architecture, timm.list_models())
    tagged = timm.list_models(f"{architecture}.*", include_tags=True)
    if tag and place not in tagged:
        raise unknown_among_many("timm weights", place, tagged)
    config = get_pretrained_cfg(place).to_dict()
    data = resolve_data_config(pretrained_cfg=config)
    classifier = config.get("classifier") or ()
    return Design(
        title=place,
        draw=partial(timm.create_model, place, pretrained=False, num_classes=0),
        groups=timm_groups,
        preparation=Preparation(
            shape=tuple(data["input_size"]),
            transform=create_transform(**data, is_training=False, normalize=False),
            mean=tuple(data["mean"]),
            std=tuple(data["std"]),
        ),
        spare=tuple(f"{name}." for name in ([classifier] if isinstance(classifier, str) else classifier)),
    )


def timm_groups(network: nn.Module) -> Groups:
    """Return timm's own groups of parameters; its finer ones unless they are too many to be stages."""
    match: Any  # timm's networks have no type for it
    try:
        match = network.group_matcher
    except AttributeError:  # a few of timm's networks have none
        return nested_groups(network)
    fine: dict[str, int] = group_parameters(network, match(coarse=False), reverse=True)
    if len(set(fine.values())) <= MANY:
        return fine
    coarse: dict[str, int] = group_parameters(network, match(coarse=True), reverse=True)
    return coarse


def _weights(reference: Reference, config: Any) -> Path:  # noqa: ANN401 - timm has no types
    if config.hf_hub_id:
        files = (config.hf_hub_filename,) if config.hf_hub_filename else HUB_FILES
        return hub_file(reference, config.hf_hub_id, files, licence=config.license or "not stated")
    return url_file(reference.name, config.url)


def _load(reference: Reference, path: Path) -> nn.Module:
    """Return the network with published weights, which timm knows how to convert."""
    try:
        network: nn.Module = timm.create_model(
            reference.place, pretrained=True, pretrained_cfg_overlay={"file": str(path)}, num_classes=0
        )
    except (RuntimeError, OSError, ValueError, KeyError, EOFError, SafetensorError) as error:
        raise WeightsError(
            f"timm cannot load {path} as {reference.place}: {error}; delete it, so that it is fetched anew"
        ) from error
    return network
