"""What every backbone is held to, whichever source it comes from: checks of one backbone on a few raw examples."""

import copy
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn

from bench.backbone import Backbone, Batch, Head, Reader, read_stages, state_hash
from bench.column import Column, digest
from bench.domain import Raw
from bench.readout import POOLED, Kind, Readout
from bench.strategy import LoopRecipe
from bench.training.inference import forward_all, read_all
from bench.training.loop import Adaptation, Forward, Rate, Term, train

RECIPE: Final = LoopRecipe(learning_rate=1e-2, head_learning_rate=1e-2, batch_size=4, epochs=1)

PADDING: Final = 9  # positions

BackboneCheck = Callable[[Backbone, Raw], None]


def check_backbone(backbone: Backbone, raw: Raw) -> None:
    """Assert all that a backbone is held to, on some raw examples, three or more of unlike lengths or sizes."""
    for check in BACKBONE_CHECKS:
        check(backbone, raw)


def stages_partition_the_parameters(backbone: Backbone, raw: Raw) -> None:
    owners = [id(parameter) for stage in backbone.stages for parameter in stage.parameters()]
    assert len(owners) == len(set(owners)), "a parameter is of one stage"
    assert set(owners) == {id(parameter) for parameter in backbone.parameters()}, "every parameter is of a stage"
    count = sum(parameter.numel() for parameter in backbone.parameters())
    assert count == backbone.card.parameters, (
        f"the card counts {backbone.card.parameters} parameters, there are {count}"
    )


def every_parameter_matters(backbone: Backbone, raw: Raw) -> None:
    for features in _read_with_gradients(backbone, backbone.stages, backbone.prepare(raw)):
        weights = torch.randn(features.shape, generator=torch.Generator().manual_seed(0))
        (features * weights).sum().backward()
    unused = [name for name, parameter in backbone.stages.named_parameters() if parameter.grad is None]
    backbone.zero_grad(set_to_none=True)
    assert not unused, f"these change nothing that is read: {unused}"


def the_card_names_every_stage_and_the_width(backbone: Backbone, raw: Raw) -> None:
    names = backbone.card.stages
    assert len(names) == len(set(names)) == len(backbone.stages), "each stage has a name of its own"
    for readout in readouts_of(backbone):
        (features,), (width,) = _features(backbone, raw, readout), backbone.widths(readout)
        assert features.shape[0] == len(raw), f"{readout.kind}: features of each example, got {tuple(features.shape)}"
        assert features.shape[-1] == width, f"{readout.kind}: {width} features, got {tuple(features.shape)}"
        assert features.ndim == {Kind.POOLED: 2, Kind.SEQUENCE: 3, Kind.GRID: 4}[readout.kind], readout.kind
        assert features.isfinite().all(), f"{readout.kind}: features are numbers"


def features_do_not_depend_on_the_other_examples(backbone: Backbone, raw: Raw) -> None:
    for readout in readouts_of(backbone):
        (together,) = _features(backbone, raw, readout)
        for row in range(len(raw)):
            (alone,) = _features(backbone, raw.take(np.array([row])), readout)
            length = alone.shape[1]  # of sequences, padded further beside longer ones
            close(alone, together[row : row + 1, :length])


def features_do_not_depend_on_padding(backbone: Backbone, raw: Raw) -> None:
    inputs = backbone.prepare(raw)
    if inputs.lengths is None:  # only sequences are padded
        return
    values = inputs.values
    more = values.new_zeros((len(values), PADDING, *values.shape[2:]))
    longer = replace(inputs, values=torch.cat([values, more], dim=1))
    for readout in readouts_of(backbone):
        (padded,), (features,) = (_read(backbone, one, readout) for one in (longer, inputs))
        for row, length in enumerate(inputs.lengths.tolist()):
            kept = slice(None) if readout.kind is Kind.POOLED else slice(length)
            close(padded[row][kept], features[row][kept])


def two_parts_are_one(backbone: Backbone, raw: Raw) -> None:
    inputs = backbone.prepare(raw)
    for readout in readouts_of(backbone):
        (whole,) = _read(backbone, inputs, readout)
        for boundary in range(1, len(backbone.stages)):
            middle = forward_all(backbone.stages[:boundary], inputs, precision="float32")
            for upper in (backbone.stages[boundary:], copy.deepcopy(backbone.stages[boundary:])):
                close(read_all(backbone, upper, middle, readout, precision="float32").features[0], whole)


def rounded_products_say_about_the_same(backbone: Backbone, raw: Raw) -> None:
    for readout in readouts_of(backbone):
        (whole,) = _features(backbone, raw, readout)
        rough = read_all(backbone, backbone.stages, backbone.prepare(raw), readout, precision="bfloat16").features[0]
        torch.testing.assert_close(rough, whole, rtol=0, atol=0.1 * float(whole.abs().max()))


def evaluation_moves_neither_parameter_nor_buffer(backbone: Backbone, raw: Raw) -> None:
    before = state_hash(backbone)
    features_of(backbone, raw)
    assert state_hash(backbone) == before, "a forward pass in evaluation mode moves nothing"


def preparation_is_deterministic(backbone: Backbone, raw: Raw) -> None:
    one, other = backbone.prepare(raw), backbone.prepare(raw)
    assert torch.equal(one.values, other.values), "prepared twice it is the same"
    assert (one.lengths is None) == (other.lengths is None)
    assert one.lengths is None or other.lengths is None or torch.equal(one.lengths, other.lengths)
    geometries = [None if batch.geometry is None else digest(batch.geometry) for batch in (one, other)]
    assert geometries[0] == geometries[1], "prepared twice, it is done the same to the inputs"
    assert one.geometry is None or len(one.geometry) == len(raw), "there is an entry of geometry for each example"
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
    assert state_hash(drawn[0]) == state_hash(drawn[1]), "one seed draws one network"
    assert state_hash(drawn[0]) != state_hash(drawn[2]), "another seed draws another network"
    before = dict(backbone.named_parameters())
    varied = [(name, one) for name, one in drawn[0].named_parameters() if (one != one.flatten()[0]).any()]
    still = [name for name, one in varied if torch.equal(one, before[name]) and "positional" not in name]
    assert not still, f"these are as they were: {still}"


def steps_move_exactly_the_copied_stages(backbone: Backbone, raw: Raw) -> None:
    for boundary in sorted({0, 1, len(backbone.stages) // 2, len(backbone.stages) - 1}):
        stepped(backbone, raw, boundary)


def training_leaves_the_backbone_as_it_was(backbone: Backbone, raw: Raw) -> None:
    for boundary in sorted({0, 1, len(backbone.stages) - 1}):
        fitted(backbone, raw, boundary)


def a_head_that_is_brought_fits_its_readout(backbone: Backbone, raw: Raw) -> None:
    """What is brought for targets that a backbone was not pretrained with is checked with these targets."""
    if backbone.pretrained is None:
        return
    target = backbone.pretrained.target
    assert target.among(backbone.card.brings), f"the card says that it brings a head for {target.identity}"
    brought = backbone.brings(target)
    assert brought is not None, "what was pretrained for a target is brought for it"
    if isinstance(brought, Head):
        (width,), shape = backbone.widths(target.readout), tuple(brought.weight.shape)
        assert shape == (width, len(brought.bias)), f"weights are [width, outputs]: got {shape}"
    else:
        assert len(predictions_of(brought, backbone, raw)) == len(raw), "a prediction for each example"


BACKBONE_CHECKS: Final[tuple[BackboneCheck, ...]] = (
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
    a_head_that_is_brought_fits_its_readout,
)
"""Each asserts one thing of a backbone on some raw examples, three or more, and leaves both as they were."""


def stepped(backbone: Backbone, raw: Raw, boundary: int) -> nn.ModuleList:
    """Assert that two steps on copied stages from `boundary` move all of them and nothing else; return them."""
    before = state_hash(backbone)
    inputs = backbone.prepare(raw)
    lower = forward_all(backbone.stages[:boundary], inputs, precision="float32")
    stages = copy.deepcopy(backbone.stages[boundary:])
    kept = dict(backbone.stages[boundary:].named_parameters())
    still = list(kept)
    for _ in range(2):  # some are drawn with zeros that let nothing through to the layers below in the first step
        step(backbone, stages, lower)
        moving = dict(stages.named_parameters())
        still = [name for name in still if torch.equal(moving[name], kept[name])]
    assert not still, f"two steps did not move {still}"
    assert all(parameter.grad is None for parameter in backbone.parameters()), "copies share no parameter"
    assert state_hash(backbone) == before, "steps on copies leave the backbone as it was"
    return stages


def fitted(backbone: Backbone, raw: Raw, boundary: int) -> nn.ModuleList:
    """Assert that training copied stages from `boundary` as a cell does moves them and nothing else; return them."""
    before = state_hash(backbone)
    found = forward_all(backbone.stages[:boundary], backbone.prepare(raw), precision="float32")
    stages, readout = copy.deepcopy(backbone.stages[boundary:]), readouts_of(backbone)[0]
    start, head = state_hash(stages), nn.Linear(backbone.widths(readout)[0], 1)

    def loss(forward: Forward, batch: Batch, rows: Tensor, generator: torch.Generator) -> Tensor:
        outputs = head(forward(batch, readout)[0]).flatten(1).mean(1)
        mean: Tensor = (outputs - (rows % 2)).square().mean()
        return mean

    rates = [Rate(list(module.parameters()), RECIPE.learning_rate) for module in (stages, head)]
    term = Term(replace(found, values=found.values.clone()), loss, (head,))  # out of inference mode
    adaptation = Adaptation(stages, partial(read_stages, backbone, stages), rates, [term])
    train(adaptation, RECIPE, steps=2, order=np.random.default_rng(0))
    assert state_hash(stages) != start, "training moves the stages that learn"
    assert state_hash(backbone) == before, "training leaves the backbone as it was"
    return stages


def step(backbone: Backbone, stages: nn.ModuleList, inputs: Batch) -> None:
    """Take one step that moves every parameter of `stages` that has any gradient; they are the backbone's uppermost."""
    optimizer = torch.optim.Adam(stages.train().parameters(), lr=0.01, eps=1e-30)
    for features in _read_with_gradients(backbone, stages, replace(inputs, values=inputs.values.clone())):
        targets = torch.linspace(-1, 1, features.numel()).reshape(features.shape)
        (features - targets).square().sum().backward()
    optimizer.step()


def features_of(backbone: Backbone, raw: Raw) -> Tensor:
    """Return the features of all examples, [n, width] if they can be pooled."""
    return _features(backbone, raw, readouts_of(backbone)[0])[0]


def readouts_of(backbone: Backbone) -> tuple[Readout, ...]:
    """Return a readout of the last stage for each kind that the backbone offers, pooled features first."""
    kinds = sorted(map(Kind, backbone.card.readouts), key=lambda kind: kind is not POOLED.kind)
    return tuple(map(Readout, kinds))


def predictions_of(reader: Reader, backbone: Backbone, raw: Raw) -> Column:
    """Return what a whole reader predicts of examples."""
    read = read_all(backbone, backbone.stages, backbone.prepare(raw), reader.readout, precision="float32")
    return reader.predict(read.features, read.geometry)


def close(found: Tensor, expected: Tensor) -> None:
    """Assert that features are the same but for the order of additions."""
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-5 * max(1.0, float(expected.abs().max())))


def _features(backbone: Backbone, raw: Raw, readout: Readout) -> tuple[Tensor, ...]:
    return _read(backbone, backbone.prepare(raw), readout)


def _read(backbone: Backbone, inputs: Batch, readout: Readout) -> tuple[Tensor, ...]:
    return read_all(backbone, backbone.stages, inputs, readout, precision="float32").features


def _read_with_gradients(backbone: Backbone, stages: nn.ModuleList, inputs: Batch) -> tuple[Tensor, ...]:
    """Return what each readout has of a batch after the uppermost stages."""
    return tuple(read_stages(backbone, stages, inputs, readout)[0] for readout in readouts_of(backbone))
