"""Low-rank adapters in the layers of a network: put in by peft, and merged into plain weights after training."""

import re
import warnings
from collections import Counter
from typing import Final

import torch
from peft import LoraConfig, inject_adapter_in_model
from peft.tuners.lora import LoraLayer
from torch import nn
from transformers.pytorch_utils import Conv1D

from bench.strategy import LoopRecipe
from bench.subsets.seeds import torch_seed
from bench.training.loop import Rate

LINEAR: Final = (nn.Linear, Conv1D)
ADAPTABLE: Final = (*LINEAR, nn.Conv1d, nn.Conv2d)
"""Layers that are adapted unless something else is asked for, and those that can be asked for."""


def layers_to_adapt(stage: nn.Module, pattern: str = "") -> tuple[str, ...]:
    """Return the names of the layers of a stage that can be adapted: the linear ones, or those that match a pattern.

    Left out are layers whose weights other modules use too, and those inside torch's own attention, which reads their
    weights without calling them.
    """
    uses = Counter(id(parameter) for _, parameter in stage.named_parameters(remove_duplicate=False))
    unseen = {
        id(child)
        for module in stage.modules()
        if isinstance(module, nn.MultiheadAttention)
        for child in module.children()
    }
    return tuple(
        name
        for name, module in stage.named_modules()
        if isinstance(module, ADAPTABLE if pattern else LINEAR)
        and (not pattern or re.fullmatch(pattern, name))
        and id(module) not in unseen
        and all(uses[id(parameter)] == 1 for parameter in module.parameters())
        and "weight" in dict(module.named_parameters(recurse=False))  # what stands for a layer elsewhere has none
    )


def add_adapters(network: nn.ModuleList, *, pattern: str, rank: int, alpha: int, seed: int) -> nn.ModuleList:
    """Put adapters into the layers of all stages, in place, and return the network: nothing else of it learns.

    The outputs are those without adapters: one factor of each is drawn from the seed, the other is zero.
    """
    names = [f"{place}.{name}" for place, stage in enumerate(network) for name in layers_to_adapt(stage, pattern)]
    config = LoraConfig(
        r=rank,
        lora_alpha=alpha,
        target_modules="|".join(re.escape(name) for name in names),
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(torch_seed(seed, "initialisation"))
        with warnings.catch_warnings():  # of layers that have their weights the other way round: peft sees to each
            warnings.filterwarnings("ignore", message="fan_in_fan_out is set to")
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
