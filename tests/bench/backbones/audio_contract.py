"""What every audio backbone keeps to, asked of tiny networks that the tests make."""

import copy

import numpy as np
import torch
from torch import nn

from bench.backbone import Backbone, run_stages, state_hash
from bench.domain import Waveforms
from bench.fit import fit
from bench.inference import forward_all
from bench.strategy import Recipe
from bench.target import Classes

RATE_HZ = 16_000
RECIPE = Recipe(learning_rate=1e-2, head_learning_rate=1e-2, batch_size=4, epochs=1, penalties=(0.1,))


def clips(n: int = 6, *, seconds: float = 0.3, rate_hz: int = RATE_HZ, seed: int = 0) -> Waveforms:
    """Return noise of different loudness and colour, the last clip silent in its second half."""
    generator = np.random.default_rng(seed)
    noise = generator.normal(size=(n, round(seconds * rate_hz)))
    noise[1::2] = np.cumsum(noise[1::2], axis=1) / 10
    noise[-1, noise.shape[1] // 2 :] = 0
    loudness = np.geomspace(300, 6000, n)[:, None]
    return Waveforms((noise * loudness).clip(-32_768, 32_767).astype(np.int16), rate_hz)


def unsettle(network: nn.Module, seed: int = 0) -> None:
    """Move every weight a little, as training would: what starts at 0 or 1 is told from what is drawn anew."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.05 * torch.randn(parameter.shape, generator=generator))


def check_contract(backbone: Backbone) -> None:
    """Assert all that holds for one backbone as it is."""
    check_partition(backbone)
    check_gradients(backbone)
    check_independence(backbone)
    check_parts(backbone)
    check_initialise(backbone)
    check_devices(backbone)


def check_partition(backbone: Backbone) -> None:
    owners = [id(parameter) for stage in backbone.stages for parameter in stage.parameters()]
    assert len(owners) == len(set(owners))
    assert set(owners) == {id(parameter) for parameter in backbone.parameters()}
    assert sum(parameter.numel() for parameter in backbone.parameters()) == backbone.card.parameters
    assert len(backbone.card.stages) == len(backbone.stages) == len(set(backbone.card.stages))


def check_gradients(backbone: Backbone) -> None:
    inputs = backbone.prepare(clips())
    assert inputs.values.dtype == torch.float32
    features = backbone(inputs)
    assert features.shape == (6, backbone.card.width)
    weights = torch.randn(features.shape, generator=torch.Generator().manual_seed(0))
    (features * weights).sum().backward()
    without = [name for name, parameter in backbone.named_parameters() if parameter.grad is None]
    backbone.zero_grad(set_to_none=True)
    assert not without


def check_independence(backbone: Backbone) -> None:
    raw, before = clips(), state_hash(backbone)
    together = forward_all(backbone.stages, backbone.prepare(raw), precision="float32").values
    alone = [
        forward_all(backbone.stages, backbone.prepare(raw.take(np.array([row]))), precision="float32").values
        for row in range(len(raw))
    ]
    assert together.isfinite().all()
    assert together.std(dim=0).max() > 1e-3  # or nothing was heard
    torch.testing.assert_close(together, torch.cat(alone), rtol=1e-3, atol=1e-5)
    assert torch.equal(backbone.prepare(raw).values, backbone.prepare(raw).values)
    assert state_hash(backbone) == before


def check_parts(backbone: Backbone) -> None:
    inputs = backbone.prepare(clips())
    whole = forward_all(backbone.stages, inputs, precision="float32").values
    for boundary in range(1, len(backbone.stages)):
        middle = forward_all(backbone.stages[:boundary], inputs, precision="float32")
        upper = copy.deepcopy(backbone.stages[boundary:])
        torch.testing.assert_close(forward_all(upper, middle, precision="float32").values, whole, rtol=1e-4, atol=1e-5)
    rough = forward_all(backbone.stages, inputs, precision="bfloat16").values
    torch.testing.assert_close(rough, whole, rtol=0, atol=0.1 * float(whole.abs().max()))


def check_initialise(backbone: Backbone) -> None:
    drawn = []
    for seed in (1, 1, 2):
        fresh = copy.deepcopy(backbone)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            fresh.initialise()
        drawn.append(fresh)
    assert state_hash(drawn[0]) == state_hash(drawn[1]) != state_hash(drawn[2])
    pretrained = dict(backbone.named_parameters())
    same = [name for name, p in drawn[0].named_parameters() if p.ndim > 1 and torch.equal(p, pretrained[name])]
    assert not same


def check_devices(backbone: Backbone) -> None:
    """Assert that upper stages alone run where they are moved, on a device that only counts shapes."""
    values = backbone.prepare(clips()).values
    for boundary, stage in enumerate(backbone.stages):
        if boundary:
            copy.deepcopy(backbone.stages[boundary:]).to("meta")[0](values.detach().to("meta"))
        values = stage(values)


def check_training(backbone: Backbone, boundary: int) -> nn.ModuleList:
    """Assert that training a copy of the stages from `boundary` moves all of these and nothing else; return them."""
    before = state_hash(backbone)
    inputs = backbone.prepare(clips())
    # A copy, as frozen activations come from the disk: what a pass without gradients made cannot be trained on.
    frozen = forward_all(backbone.stages[:boundary], inputs, precision="float32")
    lower = type(inputs)(frozen.values.clone(), frozen.lengths)
    stages = copy.deepcopy(backbone.stages[boundary:])
    start = {name: parameter.detach().clone() for name, parameter in stages.named_parameters()}
    torch.testing.assert_close(run_stages(stages, lower).values, backbone(inputs), rtol=1e-4, atol=1e-5)
    head = nn.Linear(backbone.card.width, 2)
    encoded = torch.arange(len(inputs)) % 2
    fit(
        stages,
        head,
        lower,
        encoded,
        target=Classes(("one", "other")),
        recipe=RECIPE,
        steps=2,
        order=np.random.default_rng(0),
    )
    still = [name for name, parameter in stages.named_parameters() if torch.equal(parameter, start[name])]
    assert not still
    assert state_hash(backbone) == before
    return stages
