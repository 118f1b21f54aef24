"""What a slice of a network is made of: one layer, and modules without parameters in the place of all others.

A slice runs the network's own code, so that masks, rotations and whatever else a layer is given are made as the
authors make them. Modules without parameters pass on what they are given.
"""

import copy
from collections.abc import Callable, Mapping
from typing import Self

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.utils import ModelOutput


class Reached(Exception):  # noqa: N818 — no error: it ends a run where a slice ends
    """The layer after a slice was called with these hidden states."""

    def __init__(self, hidden: Tensor) -> None:
        super().__init__()
        self.hidden = hidden


class SharedModule(nn.Module):
    """A module that belongs to another stage: none of its parameters are registered here.

    Copied together with its owner it stays the owner's; copied without, it is a copy that nobody trains.
    """

    def __init__(self, owned: nn.Module) -> None:
        super().__init__()
        self._owned = (owned,)  # in a tuple, where torch looks for no module

    @property
    def weight(self) -> Tensor:
        """The owner's weight."""
        return self._owned[0].get_parameter("weight")

    def forward(self, *args: object, **kwargs: object) -> object:
        return self._owned[0](*args, **kwargs)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:  # noqa: FBT001, FBT002 — torch's
        """Move to another device as the network does, whether or not the owner moves."""
        for tensor in (*self._owned[0].parameters(), *self._owned[0].buffers()):
            tensor.data = fn(tensor.data)
        return self


class PassThrough:
    """What runs in place of a module: returns `given` if there is something, else what it is called with.

    A module that returned a tuple returns `rest` with it.
    """

    def __init__(self) -> None:
        self.given: Tensor | None = None
        self.rest: tuple[object, ...] = ()

    def __call__(self, *args: object, **kwargs: object) -> object:
        hidden = _first_floats(args, kwargs) if self.given is None else self.given
        return (hidden, *self.rest) if self.rest else hidden


class LayerSlice(nn.Module):
    """A network with one layer or none; `pass_throughs` are what its modules without parameters before the layer run.

    It runs in the precision around it, or in float32 if it is to be `exact`.
    """

    def __init__(self, network: PreTrainedModel, pass_throughs: tuple[PassThrough, ...], *, exact: bool) -> None:
        super().__init__()
        self._exact = exact
        self.network: PreTrainedModel = network
        self._pass_throughs = pass_throughs

    def forward(self, *, hidden: Tensor | None = None, **inputs: Tensor) -> ModelOutput | Tensor:
        """Return what the network returns, or the hidden states with which it would go on to the next layer.

        `hidden` is what its layer is given, whatever the `inputs`; without it, these are passed on.
        """
        for pass_through in self._pass_throughs:
            pass_through.given = hidden
        device = next(iter(inputs.values())).device.type
        rounded = torch.is_autocast_enabled(device) and not self._exact
        try:
            with torch.autocast(device, torch.get_autocast_dtype(device), enabled=rounded):
                return self.network(**inputs)
        except Reached as reached:
            return reached.hidden
        finally:
            for pass_through in self._pass_throughs:
                pass_through.given = None


def without_parameters(unit: nn.Module, runs: Callable[..., object]) -> nn.Module:
    """Return a module of the same kind with empty weights that `runs` something else."""
    emptied = copy.deepcopy(unit, {id(one): torch.empty(0, dtype=one.dtype) for one in unit.parameters()})
    for module in emptied.modules():
        for name, tensor in list(module.named_parameters(recurse=False)):
            delattr(module, name)
            setattr(module, name, tensor)  # as a plain attribute: some networks ask for a weight's type
        for name, _ in list(module.named_buffers(recurse=False)):
            delattr(module, name)
    emptied.forward = runs
    return emptied


def ending(layer: nn.Module) -> nn.Module:
    """Return what stands where the layer after a slice was, and ends the run there."""
    return without_parameters(layer, _end)


def _end(*args: object, **kwargs: object) -> Tensor:
    raise Reached(_first_floats(args, kwargs))


def nothing(*args: object, **kwargs: object) -> Tensor:
    """Return what a table of positions adds to hidden states that have theirs."""
    return torch.zeros(())


def _first_floats(args: tuple[object, ...], kwargs: Mapping[str, object]) -> Tensor:
    return next(one for one in (*args, *kwargs.values()) if isinstance(one, Tensor) and one.is_floating_point())
