"""Loading a backbone by its name, whichever source it comes from, built in or of an installed package."""

from collections.abc import Callable

import torch

from bench.backbone import Backbone
from bench.backbones.opened import Opened, Reference, read_reference
from bench.registry import BACKBONES, load_function


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
    """Return what opens the backbones of a source: the libraries of the other sources, seconds each, stay unloaded.

    Raises `UnknownNameError` if there is no such source.
    """
    return load_function(BACKBONES, source)
