"""Reading weights from a file, whatever they were wrapped in, and putting them into a network that they fit."""

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from bench.backbones.vision.backbone import Design
from bench.errors import WeightsError

NESTED: Final = ("state_dict", "model_state_dict", "model")
"""Under which training scripts keep the weights, beside the epoch and the optimiser."""

WRAPPERS: Final = ("module.", "model.", "backbone.", "encoder.", "_orig_mod.")
"""What the modules around a network put before the names of its weights."""

SHOWN: Final = 3

State = Mapping[str, Tensor]


def load_checkpoint(network: nn.Module, path: Path, design: Design) -> None:
    """Put the weights of a file into a network of `design`.

    The classifier may be missing or there. Raises `WeightsError` if the file cannot be read or does not fit.
    """
    state = {design.rename(name): tensor for name, tensor in unwrapped(read_state(path), network).items()}
    wanted = network.state_dict()
    missing = [name for name in wanted if name not in state and not name.endswith("num_batches_tracked")]
    strange = [name for name in state if name not in wanted and not name.startswith(design.spare)]
    shapes = [
        f"{name} is {list(state[name].shape)} instead of {list(tensor.shape)}"
        for name, tensor in wanted.items()
        if name in state and state[name].shape != tensor.shape
    ]
    if missing or strange or shapes:
        raise WeightsError(
            f"{path} does not fit {design.title}: "
            f"{_some(missing)} missing, {_some(strange)} unexpected, {_some(shapes)} of another shape; "
            "name the architecture that it was saved from"
        )
    network.load_state_dict({name: state[name] for name in wanted if name in state}, strict=False)


def read_state(path: Path) -> State:
    """Return the tensors of a safetensors file or of one that torch saved, by name.

    Nothing in the file is run. Raises `WeightsError` if it is missing or damaged, or is a pickle of more than tensors.
    """
    try:
        found = load_file(path) if path.suffix == ".safetensors" else torch.load(path, "cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise WeightsError(
            f"{path} is damaged, or a pickle that holds more than tensors, which is refused because it can run code: "
            "save `model.state_dict()`, best as safetensors"
        ) from error
    except (OSError, SafetensorError, RuntimeError, EOFError, ValueError, KeyError) as error:
        raise WeightsError(f"cannot read the weights {path}: {error or 'it ends too early'}") from error
    for key in NESTED:
        if isinstance(found, Mapping) and isinstance(found.get(key), Mapping):
            found = found[key]
    return _tensors(found, path)


def _tensors(found: Any, path: Path) -> State:  # noqa: ANN401 - whatever a file holds
    """Return the tensors among what a file holds."""
    entries = found.items() if isinstance(found, Mapping) else ()
    state = {str(name): value for name, value in entries if isinstance(value, Tensor)}
    if not state:
        raise WeightsError(
            f"{path} holds no tensors by name (at the top, or under {', '.join(NESTED)}): save `model.state_dict()`"
        )
    return state


def unwrapped(state: State, network: nn.Module) -> State:
    """Return weights by the names that they had in `network`, without the prefix of what was around it.

    The prefix is that with which most names fit, none if none does better.
    """
    prefixes = [""]
    for prefix in prefixes:  # it grows: wrappers are wrapped
        prefixes += [prefix + more for more in WRAPPERS if any(name.startswith(prefix + more) for name in state)]
    wanted = set(network.state_dict())

    def fitting(prefix: str) -> int:
        return sum(name.startswith(prefix) and name.removeprefix(prefix) in wanted for name in state)

    best = max(prefixes, key=fitting)
    return {name.removeprefix(best): tensor for name, tensor in state.items()}


def _some(names: list[str]) -> str:
    """Return how many there are, with the first few."""
    if not names:
        return "none"
    return f"{len(names)} ({', '.join(names[:SHOWN])}{', …' if len(names) > SHOWN else ''})"
