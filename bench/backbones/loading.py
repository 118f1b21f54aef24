"""Owns loading a backbone by its name, whichever source it comes from."""

from collections.abc import Callable

import torch

from bench.backbone import Backbone
from bench.backbones.opened import Opened, Reference, read_reference
from bench.backbones.sources import SOURCES
from bench.errors import unknown_name


def load_backbone(name: str, *, trust_remote_code: bool = False) -> Backbone:
    """Return the backbone `name` with its pretrained weights, in evaluation mode.

    `trust_remote_code` allows a model of a hub to bring code of its own. Raises `UnknownNameError` or `WeightsError`.
    """
    backbone = open_backbone(name, trust_remote_code=trust_remote_code).backbone
    for parameter in backbone.parameters():
        if parameter.ndim == 4:  # of convolutions, which are fastest in this order; `contiguous` would leave out 1 x 1
            parameter.data = parameter.data.to(memory_format=torch.channels_last)
    return backbone.eval()


def open_backbone(name: str, *, trust_remote_code: bool = False, large: bool = False) -> Opened:
    """Return the backbone `name` as its source opens it, with the files it was read from.

    `large` allows to fetch what is too large to be fetched unasked. Raises like `load_backbone`.
    """
    reference = read_reference(name)._replace(trust_remote_code=trust_remote_code, large=large)
    return _opener(reference.source)(reference)


def _opener(source: str) -> Callable[[Reference], Opened]:
    """Return what opens the backbones of a source: the libraries of the other sources, seconds each, stay unloaded."""
    match source:
        case "bundled":
            from bench.backbones.bundled.opening import open_bundled

            return open_bundled
        case "hf":
            from bench.backbones.huggingface.opening import open_huggingface

            return open_huggingface
        case "timm":
            from bench.backbones.vision.timm_models import open_timm

            return open_timm
        case "torchvision":
            from bench.backbones.vision.torchvision_models import open_torchvision

            return open_torchvision
        case "torchaudio":
            from bench.backbones.audio.torchaudio_models import open_torchaudio

            return open_torchaudio
        case "file":
            from bench.backbones.architectures import open_file

            return open_file
        case "untrained":
            from bench.backbones.architectures import open_untrained

            return open_untrained
        case _:
            raise unknown_name("source of backbones", source, SOURCES)
