"""Every backbone keeps the contract: stages hold all parameters once, and features depend on the example alone."""

from pathlib import Path

import numpy as np
import pytest
import torch

from bench.backbone import Backbone, Batch, run_stages, state_hash
from bench.backbones import catalog
from bench.backbones.loading import load_backbone
from bench.cache import Cache
from bench.domain import Raw
from bench.inference import forward_all
from tasks import FAMILIES

N = 24


@pytest.fixture(scope="module", params=catalog.names())
def backbone(request: pytest.FixtureRequest) -> Backbone:
    return load_backbone(request.param)


@pytest.fixture(scope="module")
def raw(backbone: Backbone, tmp_path_factory: pytest.TempPathFactory) -> Raw:
    """Return a few test examples of the first task that the backbone can read."""
    task = next(task for task in FAMILIES.values() if task.card.domain == backbone.card.domain)
    examples = task.load(Cache(tmp_path_factory.mktemp("data"))).test
    return examples.raw.take(np.arange(N) * (len(examples) // N))


def test_every_parameter_belongs_to_exactly_one_stage(backbone: Backbone) -> None:
    owners = [id(parameter) for stage in backbone.stages for parameter in stage.parameters()]
    assert len(owners) == len(set(owners))
    assert set(owners) == {id(parameter) for parameter in backbone.parameters()}
    assert sum(parameter.numel() for parameter in backbone.parameters()) == backbone.card.parameters


def test_every_parameter_can_be_trained_and_matters(backbone: Backbone, raw: Raw) -> None:
    backbone(backbone.prepare(raw)).square().sum().backward()
    unused = [name for name, parameter in backbone.stages.named_parameters() if parameter.grad is None]
    backbone.zero_grad(set_to_none=True)
    assert not unused


def test_the_card_names_every_stage_and_the_width(backbone: Backbone, raw: Raw) -> None:
    assert len(backbone.card.stages) == len(backbone.stages)
    features = forward_all(backbone.stages, backbone.prepare(raw), precision="float32").values
    assert features.shape == (N, backbone.card.width)
    assert features.isfinite().all()


def test_features_do_not_depend_on_the_other_examples(backbone: Backbone, raw: Raw) -> None:
    together = forward_all(backbone.stages, backbone.prepare(raw), precision="float32").values
    alone = torch.cat(
        [
            forward_all(backbone.stages, backbone.prepare(raw.take(np.array([index]))), precision="float32").values
            for index in range(N)
        ]
    )
    torch.testing.assert_close(together, alone, rtol=1e-3, atol=1e-4)


def test_running_in_two_parts_is_running_as_one(backbone: Backbone, raw: Raw) -> None:
    inputs = backbone.prepare(raw)
    whole = forward_all(backbone.stages, inputs, precision="float32").values
    for boundary in range(1, len(backbone.stages)):
        middle = forward_all(backbone.stages[:boundary], inputs, precision="float32")
        torch.testing.assert_close(
            forward_all(backbone.stages[boundary:], middle, precision="float32").values, whole, rtol=1e-3, atol=1e-4
        )


def test_evaluation_moves_neither_parameter_nor_buffer(backbone: Backbone, raw: Raw) -> None:
    before = state_hash(backbone)
    forward_all(backbone.stages, backbone.prepare(raw), precision="float32")
    assert state_hash(backbone) == before


def test_preparation_is_deterministic(backbone: Backbone, raw: Raw) -> None:
    one, other = backbone.prepare(raw), backbone.prepare(raw)
    assert torch.equal(one.values, other.values)


def test_initialising_forgets_the_weights_and_follows_the_seed(backbone: Backbone) -> None:
    drawn = []
    for seed in (1, 1, 2):
        fresh = load_backbone(backbone.card.name)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            fresh.initialise()
        drawn.append(fresh)
    assert state_hash(drawn[0]) == state_hash(drawn[1]) != state_hash(drawn[2])
    pretrained = dict(backbone.named_parameters())
    same = [n for n, p in drawn[0].named_parameters() if p.ndim > 1 and torch.equal(p, pretrained[n])]
    assert not same


def test_longer_padding_changes_no_feature(backbone: Backbone, raw: Raw) -> None:
    inputs = backbone.prepare(raw)
    if inputs.lengths is None:  # only sequences are padded
        return
    longer = Batch(torch.nn.functional.pad(inputs.values, (0, 9)), inputs.lengths)
    with torch.inference_mode():
        padded = run_stages(backbone.stages, longer).values
        plain = run_stages(backbone.stages, inputs).values
    torch.testing.assert_close(padded, plain, rtol=1e-3, atol=1e-4)


def test_weights_and_data_are_found_without_the_working_folder(
    backbone: Backbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert state_hash(load_backbone(backbone.card.name)) == state_hash(backbone)
