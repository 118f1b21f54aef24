"""Owns loading a backbone by its name, whichever source it comes from."""

import torch

from bench.backbone import Backbone
from bench.backbones.bundled import load_bundled
from bench.backbones.catalog import describe
from bench.backbones.huggingface import load_huggingface


def load_backbone(name: str) -> Backbone:
    """Return the backbone `name` with its pretrained weights, in evaluation mode.

    Raises `UnknownNameError` or `WeightsError`.
    """
    card = describe(name)
    source, _, rest = name.partition(":")
    backbone = load_bundled(rest) if source == "bundled" else load_huggingface(card)
    for parameter in backbone.parameters():
        if parameter.ndim == 4:  # of convolutions, which are fastest in this order; `contiguous` would leave out 1 x 1
            parameter.data = parameter.data.to(memory_format=torch.channels_last)
    return backbone.eval()
