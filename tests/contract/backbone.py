"""Owns what every backbone is held to, whichever source it comes from: checks of one backbone on a few raw examples."""

import copy
from collections.abc import Callable
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn

from bench.backbone import Backbone, Batch, run_stages, state_hash
from bench.domain import Raw
from bench.strategy import Recipe
from bench.target import Classes
from bench.training.fit import fit
from bench.training.inference import forward_all

RECIPE: Final = Recipe(learning_rate=1e-2, head_learning_rate=1e-2, batch_size=4, epochs=1, penalties=(0.1,))

Check = Callable[[Backbone, Raw], None]


def stages_partition_the_parameters(backbone: Backbone, raw: Raw) -> None:
    owners = [id(parameter) for stage in backbone.stages for parameter in stage.parameters()]
    assert len(owners) == len(set(owners))
    assert set(owners) == {id(parameter) for parameter in backbone.parameters()}
    assert sum(parameter.numel() for parameter in backbone.parameters()) == backbone.card.parameters


def every_parameter_matters(backbone: Backbone, raw: Raw) -> None:
    features = backbone(backbone.prepare(raw))
    weights = torch.randn(features.shape, generator=torch.Generator().manual_seed(0))
    (features * weights).sum().backward()
    unused = [name for name, parameter in backbone.stages.named_parameters() if parameter.grad is None]
    backbone.zero_grad(set_to_none=True)
    assert not unused, unused


def the_card_names_every_stage_and_the_width(backbone: Backbone, raw: Raw) -> None:
    assert len(backbone.card.stages) == len(set(backbone.card.stages)) == len(backbone.stages)
    features = features_of(backbone, raw)
    assert features.shape == (len(raw), backbone.card.width)
    assert features.isfinite().all()


def features_do_not_depend_on_the_other_examples(backbone: Backbone, raw: Raw) -> None:
    alone = [features_of(backbone, raw.take(np.array([row]))) for row in range(len(raw))]
    close(torch.cat(alone), features_of(backbone, raw))


def features_do_not_depend_on_padding(backbone: Backbone, raw: Raw) -> None:
    inputs = backbone.prepare(raw)
    if inputs.lengths is None:  # only sequences are padded
        return
    longer = Batch(nn.functional.pad(inputs.values, (0, 9)), inputs.lengths)
    with torch.inference_mode():
        close(run_stages(backbone.stages, longer).values, run_stages(backbone.stages, inputs).values)
    close(forward_all(backbone.stages, longer, precision="float32").values, features_of(backbone, raw))


def two_parts_are_one(backbone: Backbone, raw: Raw) -> None:
    inputs, whole = backbone.prepare(raw), features_of(backbone, raw)
    for boundary in range(1, len(backbone.stages)):
        middle = forward_all(backbone.stages[:boundary], inputs, precision="float32")
        for upper in (backbone.stages[boundary:], copy.deepcopy(backbone.stages[boundary:])):
            close(forward_all(upper, middle, precision="float32").values, whole)


def rounded_products_say_about_the_same(backbone: Backbone, raw: Raw) -> None:
    whole = features_of(backbone, raw)
    rough = forward_all(backbone.stages, backbone.prepare(raw), precision="bfloat16").values
    torch.testing.assert_close(rough, whole, rtol=0, atol=0.1 * float(whole.abs().max()))


def evaluation_moves_neither_parameter_nor_buffer(backbone: Backbone, raw: Raw) -> None:
    before = state_hash(backbone)
    features_of(backbone, raw)
    assert state_hash(backbone) == before


def preparation_is_deterministic(backbone: Backbone, raw: Raw) -> None:
    one, other = backbone.prepare(raw), backbone.prepare(raw)
    assert torch.equal(one.values, other.values)
    assert (one.lengths is None) == (other.lengths is None)
    assert one.lengths is None or other.lengths is None or torch.equal(one.lengths, other.lengths)
    assert torch.equal(features_of(backbone, raw), features_of(backbone, raw))


def initialising_forgets_the_weights_and_follows_the_seed(backbone: Backbone, raw: Raw) -> None:
    """Positions that are computed are where learning starts: they may be as they were."""
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
    still = [name for name, one in varied if torch.equal(one, before[name]) and "positional" not in name]
    assert not still, still


def steps_move_exactly_the_copied_stages(backbone: Backbone, raw: Raw) -> None:
    for boundary in sorted({0, 1, len(backbone.stages) // 2, len(backbone.stages) - 1}):
        stepped(backbone, raw, boundary)


def training_leaves_the_backbone_as_it_was(backbone: Backbone, raw: Raw) -> None:
    for boundary in sorted({0, 1, len(backbone.stages) - 1}):
        fitted(backbone, raw, boundary)


CONTRACT: Final[tuple[Check, ...]] = (
    stages_partition_the_parameters,
    every_parameter_matters,
    the_card_names_every_stage_and_the_width,
    features_do_not_depend_on_the_other_examples,
    features_do_not_depend_on_padding,
    two_parts_are_one,
    rounded_products_say_about_the_same,
    evaluation_moves_neither_parameter_nor_buffer,
    preparation_is_deterministic,
    initialising_forgets_the_weights_and_follows_the_seed,
    steps_move_exactly_the_copied_stages,
    training_leaves_the_backbone_as_it_was,
)
"""Each asserts one thing of a backbone on some raw examples, three or more, and leaves both as they were."""


def stepped(backbone: Backbone, raw: Raw, boundary: int) -> nn.ModuleList:
    """Assert that two steps on copied stages from `boundary` move all of them and nothing else; return them."""
    before = state_hash(backbone)
    inputs = backbone.prepare(raw)
    lower = forward_all(backbone.stages[:boundary], inputs, precision="float32")
    stages = copy.deepcopy(backbone.stages[boundary:])
    with torch.inference_mode():
        close(run_stages(stages, lower).values, run_stages(backbone.stages, inputs).values)
    kept = dict(backbone.stages[boundary:].named_parameters())
    still = list(kept)
    for _ in range(2):  # some are drawn with zeros that let nothing through to the layers below in the first step
        step(stages, lower)
        moving = dict(stages.named_parameters())
        still = [name for name in still if torch.equal(moving[name], kept[name])]
    assert not still, still
    assert all(parameter.grad is None for parameter in backbone.parameters())
    assert state_hash(backbone) == before
    return stages


def fitted(backbone: Backbone, raw: Raw, boundary: int) -> nn.ModuleList:
    """Assert that training copied stages from `boundary` as a cell does moves them and nothing else; return them."""
    before = state_hash(backbone)
    found = forward_all(backbone.stages[:boundary], backbone.prepare(raw), precision="float32")
    lower = Batch(found.values.clone(), found.lengths)  # what a pass without gradients made cannot be trained on
    stages = copy.deepcopy(backbone.stages[boundary:])
    start = state_hash(stages)
    fit(
        stages,
        nn.Linear(backbone.card.width, 2),
        lower,
        torch.arange(len(raw)) % 2,
        target=Classes(("one", "other")),
        recipe=RECIPE,
        steps=2,
        order=np.random.default_rng(0),
    )
    assert state_hash(stages) != start
    assert state_hash(backbone) == before
    return stages


def step(stages: nn.ModuleList, inputs: Batch) -> None:
    """Take one step that moves every parameter that has any gradient."""
    optimizer = torch.optim.Adam(stages.train().parameters(), lr=0.01, eps=1e-30)
    features = run_stages(stages, Batch(inputs.values.clone(), inputs.lengths)).values
    targets = torch.linspace(-1, 1, features.numel()).reshape(features.shape)
    (features - targets).square().sum().backward()
    optimizer.step()


def features_of(backbone: Backbone, raw: Raw) -> Tensor:
    """Return the features of all examples, [n, width]."""
    return forward_all(backbone.stages, backbone.prepare(raw), precision="float32").values


def close(found: Tensor, expected: Tensor) -> None:
    """Assert that features are the same but for the order of additions."""
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-5 * max(1.0, float(expected.abs().max())))
