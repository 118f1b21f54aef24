"""Owns loading a backbone by its name, whichever source it comes from."""

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
    return backbone.eval()
