"""The bundled backbones: their architectures by name, and reading and writing their float16 weights."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from bench.backbone import Head, Pretrained
from bench.backbones.bundled.glyphs import Glyphs
from bench.backbones.bundled.series import Series
from bench.backbones.bundled.spoken_words import SpokenWords
from bench.backbones.catalog import WEIGHTS, bundled_card
from bench.backbones.opened import Opened, Reference, refuse_unknown_settings
from bench.errors import WeightsError, unknown_name
from bench.runtime.cache import file_sha256
from bench.targets.forecast import Forecast

Bundled = Glyphs | SpokenWords | Series

ARCHITECTURES: Final[Mapping[str, type[Glyphs] | type[SpokenWords] | type[Series]]] = {
    "glyphs": Glyphs,
    "spoken-words": SpokenWords,
    "series": Series,
}


def open_bundled(reference: Reference) -> Opened:
    """Return the bundled backbone of a reference.

    Raises `UnknownNameError` if there is none of this name, and like `load_bundled`.
    """
    refuse_unknown_settings(reference, (), "bundled")
    if reference.place not in ARCHITECTURES:
        raise unknown_name("bundled backbone", reference.place, ARCHITECTURES)
    return Opened(load_bundled(reference.place), (WEIGHTS / f"{reference.place}.safetensors",))


def load_bundled(name: str, folder: Path = WEIGHTS) -> Bundled:
    """Return the bundled backbone `name` with its weights, in float32.

    Raises `WeightsError` if the file is missing, damaged or not the one its card names.
    """
    card = bundled_card(name)
    path = folder / f"{name}.safetensors"
    remedy = f"restore the file, or remake it with `bench pretrain {name}`"
    try:
        found = file_sha256(path)
        if found != card.sha256:
            raise WeightsError(
                f"{path} is not the file its card names: got sha256 {found[:12]}…, expected {card.sha256[:12]}…; "
                f"{remedy}"
            )
        state = load_file(path)
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"cannot read the weights {path}: {error}; {remedy}") from error
    backbone = ARCHITECTURES[name](card)
    prefix = "network."
    network = {key.removeprefix(prefix): tensor for key, tensor in state.items() if key.startswith(prefix)}
    backbone.network.load_state_dict(network)  # copies into float32 parameters
    if "head.weight" in state:
        head = Head(state["head.weight"].float(), state["head.bias"].float())  # [width, steps], [steps]
        backbone.pretrained = Pretrained(Forecast(len(head.bias)), head)
    return backbone


def save_bundled(backbone: Bundled, path: Path) -> None:
    """Write the backbone's weights, and its head if it keeps one, as float16; integers stay as they are."""
    state = {f"network.{key}": tensor for key, tensor in backbone.network.state_dict().items()}
    if backbone.pretrained:
        head = backbone.pretrained.head
        assert isinstance(head, Head), "what is bundled was pretrained under a linear head"
        state |= {"head.weight": head.weight, "head.bias": head.bias}
    halved = {key: tensor.half() if tensor.is_floating_point() else tensor for key, tensor in state.items()}
    save_file({key: tensor.cpu().contiguous() for key, tensor in halved.items()}, path)
