"""What every backbone of transformers is held to, beside the contract of all backbones."""

import copy

import numpy as np
import torch
from torch import nn

from bench.backbone import Backbone, Batch, run_stages, state_hash
from bench.domain import Raw
from bench.inference import forward_all


def check_contract(backbone: Backbone, raw: Raw) -> None:
    """Assert what `tests/contract` asks of backbones that are in the catalogue."""
    check_parameters(backbone, raw)
    check_features(backbone, raw)
    check_initialising(backbone)
    check_training(backbone, raw)


def check_parameters(backbone: Backbone, raw: Raw) -> None:
    owners = [id(parameter) for stage in backbone.stages for parameter in stage.parameters()]
    assert len(owners) == len(set(owners))
    assert set(owners) == {id(parameter) for parameter in backbone.parameters()}
    assert sum(parameter.numel() for parameter in backbone.parameters()) == backbone.card.parameters
    backbone(backbone.prepare(raw)).square().sum().backward()
    unused = [name for name, parameter in backbone.named_parameters() if parameter.grad is None]
    backbone.zero_grad(set_to_none=True)
    assert not unused, unused


def check_features(backbone: Backbone, raw: Raw) -> None:
    before = state_hash(backbone)
    inputs = backbone.prepare(raw)
    whole = forward_all(backbone.stages, inputs, precision="float32").values
    assert whole.shape == (len(raw), backbone.card.width)
    assert len(backbone.card.stages) == len(backbone.stages)
    alone = [backbone.prepare(raw.take(np.array([row]))) for row in range(len(raw))]
    close(torch.cat([forward_all(backbone.stages, one, precision="float32").values for one in alone]), whole)
    for boundary in range(1, len(backbone.stages)):
        middle = forward_all(backbone.stages[:boundary], inputs, precision="float32")
        close(forward_all(backbone.stages[boundary:], middle, precision="float32").values, whole)
    if inputs.lengths is not None:
        longer = Batch(nn.functional.pad(inputs.values, (0, 9)), inputs.lengths)
        close(forward_all(backbone.stages, longer, precision="float32").values, whole)
    rough = forward_all(backbone.stages, inputs, precision="bfloat16").values
    torch.testing.assert_close(rough, whole, rtol=0.05, atol=0.1)
    assert state_hash(backbone) == before


def check_initialising(backbone: Backbone) -> None:
    drawn = []
    for seed in (1, 1, 2):
        fresh = copy.deepcopy(backbone)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            fresh.initialise()
        drawn.append(fresh)
    assert state_hash(drawn[0]) == state_hash(drawn[1]) != state_hash(drawn[2])
    before = dict(backbone.named_parameters())
    varied = [(name, one) for name, one in drawn[0].named_parameters() if (one != one.flatten()[0]).any()]
    still = [name for name, one in varied if torch.equal(one, before[name])]
    assert not still, still


def check_training(backbone: Backbone, raw: Raw) -> None:
    """Assert that a step on copied upper stages moves all of them and nothing else, and of all stages everything."""
    inputs = backbone.prepare(raw)
    before = state_hash(backbone)
    for boundary in (len(backbone.stages) - 1, 0):
        stages = copy.deepcopy(backbone.stages[boundary:])
        step(stages, forward_all(backbone.stages[:boundary], inputs, precision="float32"))
        kept = dict(backbone.stages[boundary:].named_parameters())
        still = [name for name, one in stages.named_parameters() if torch.equal(one, kept[name])]
        assert not still, still
    assert state_hash(backbone) == before


def step(stages: nn.ModuleList, inputs: Batch) -> None:
    """Take one step that moves every parameter that has any gradient."""
    optimizer = torch.optim.Adam(stages.train().parameters(), lr=0.01, eps=1e-30)
    features = run_stages(stages, inputs).values
    targets = torch.linspace(-1, 1, features.numel()).reshape(features.shape)
    (features - targets).square().sum().backward()
    optimizer.step()


def close(found: torch.Tensor, expected: torch.Tensor) -> None:
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4)
