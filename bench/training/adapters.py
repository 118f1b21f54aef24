"""Low-rank adapters in the layers of a network: put in by peft, and merged into plain weights after training."""

import copy
import re
import warnings
from collections import Counter
from collections.abc import Sequence
from typing import Final

import torch
from peft import LoraConfig, inject_adapter_in_model
from peft.tuners.lora import LoraLayer
from torch import nn
from transformers.pytorch_utils import Conv1D

from bench.backbone import Backbone, read_stages
from bench.domain import Raw
from bench.readout import Readout
from bench.strategy import LoopRecipe
from bench.subsets.seeds import torch_seed
from bench.training.loop import Rate

LINEAR: Final = (nn.Linear, Conv1D)
ADAPTABLE: Final = (*LINEAR, nn.Conv1d, nn.Conv2d)
"""Layers that are adapted unless something else is asked for, and those that can be asked for."""

Names = tuple[str, ...]


def layers_to_adapt(backbone: Backbone, example: Raw, readout: Readout, pattern: str = "") -> list[Names]:
    """Return for each stage the names of the layers to adapt: the linear ones, or those that match a pattern.

    Left out are layers that a network does not call when it reads an `example`: some attention takes their weights and
    goes its own way, on which an adapter would learn nothing.
    """
    called = _called(backbone, example, readout)
    return [
        tuple(name for name in _candidates(stage, pattern) if name in there)
        for stage, there in zip(backbone.stages, called, strict=True)
    ]


def _candidates(stage: nn.Module, pattern: str) -> Names:
    """Return the names of layers of the right kinds whose weights are theirs alone, and convolve all channels."""
    uses = Counter(id(parameter) for _, parameter in stage.named_parameters(remove_duplicate=False))
    return tuple(
        name
        for name, module in stage.named_modules()
        if isinstance(module, ADAPTABLE if pattern else LINEAR)
        and (not pattern or re.fullmatch(pattern, name))
        and getattr(module, "groups", 1) == 1  # of more, peft wants a rank that they divide
        and all(uses[id(parameter)] == 1 for parameter in module.parameters())
        and "weight" in dict(module.named_parameters(recurse=False))  # what stands for a layer elsewhere has none
    )


def _called(backbone: Backbone, example: Raw, readout: Readout) -> list[set[str]]:
    """Return the names of the modules of each stage that are called.

    With gradients, since without them torch's own encoder layers take a short cut.
    """
    stages = copy.deepcopy(backbone.stages).eval()
    called: list[set[str]] = [set() for _ in stages]
    for found, stage in zip(called, stages, strict=True):
        for name, module in stage.named_modules():
            module.register_forward_pre_hook(lambda *_, found=found, name=name: found.add(name))
    device = next(stages.parameters()).device
    with torch.enable_grad():
        read_stages(backbone, stages, backbone.prepare(example).to(device), readout)
    return called


def add_adapters(network: nn.ModuleList, layers: Sequence[Names], *, rank: int, alpha: int, seed: int) -> nn.ModuleList:
    """Put adapters into named layers of each stage, in place, and return the network: nothing else of it learns.

    The outputs are those without adapters: one factor of each is drawn from the seed, the other is zero.
    """
    names = [f"{place}.{name}" for place, several in enumerate(layers) for name in several]
    config = LoraConfig(r=rank, lora_alpha=alpha, target_modules="|".join(map(re.escape, names)))
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        # Of layers that have their weights the other way round: peft sees to each.
        warnings.filterwarnings("ignore", message="fan_in_fan_out is set to")
        torch.manual_seed(torch_seed(seed, "initialisation"))
        inject_adapter_in_model(config, network)
    return network


def adapter_rates(network: nn.ModuleList, recipe: LoopRecipe) -> list[Rate]:
    """Return a rate for the adapters of every stage, those of the uppermost learning fastest."""
    return [
        Rate(
            [parameter for parameter in stage.parameters() if parameter.requires_grad],
            recipe.learning_rate * recipe.layer_decay**height,
        )
        for height, stage in enumerate(reversed(network))
    ]


def merge_adapters(network: nn.ModuleList) -> nn.ModuleList:
    """Add what adapters learnt to the weights of their layers and take them out, in place; return the network."""
    for name, layer in list(network.named_modules()):
        if isinstance(layer, LoraLayer):
            layer.merge()
            network.set_submodule(name, layer.get_base_layer())
    return network.requires_grad_()
