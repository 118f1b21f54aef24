"""Networks of timm and torchvision keep the contract of backbones, freshly drawn and cut where their blocks begin."""

import copy
from collections.abc import Callable, Mapping
from functools import partial
from typing import cast

import numpy as np
import pytest
import timm
import torch
from timm.models.vgg import VGG
from torch import nn

from bench.backbone import Backbone, Batch, state_hash
from bench.backbones.architectures import open_untrained
from bench.backbones.opened import read_reference
from bench.backbones.vision.backbone import Design, VisionBackbone
from bench.backbones.vision.timm_models import timm_design, timm_groups
from bench.domains.vision.raw import ImageArray
from bench.errors import UnknownNameError, WeightsError
from bench.testing.backbones import BACKBONE_CHECKS, BackboneCheck

N = 3


def small_vgg() -> VisionBackbone:
    """Return a VGG of timm's that is small enough for a test."""
    draw = partial(VGG, (8, "M", 16, "M", 16, "M"), num_classes=0, mlp_ratio=0.01)
    plain = timm_design("test_resnet")
    design = Design(title="vgg", draw=draw, groups=timm_groups, preparation=plain.preparation, spare=())
    return VisionBackbone(read_reference("untrained:timm/vgg"), design, draw(), source="", licence="")


def untrained(place: str) -> VisionBackbone:
    return cast("VisionBackbone", open_untrained(read_reference(f"untrained:{place}")).backbone)


SOURCES: Mapping[str, Callable[[], VisionBackbone]] = {
    "resnet": partial(untrained, "timm/test_resnet"),
    "vit": partial(untrained, "timm/test_vit"),
    "vgg": small_vgg,
    "shufflenet": partial(untrained, "torchvision/shufflenet_v2_x0_5"),
}


@pytest.fixture(scope="module", params=SOURCES)
def backbone(request: pytest.FixtureRequest) -> Backbone:
    return SOURCES[request.param]().eval()


@pytest.fixture(scope="module")
def raw() -> ImageArray:
    return ImageArray(np.random.default_rng(0).integers(0, 256, (N, 40, 50, 3)).astype(np.uint8))


@pytest.mark.parametrize("check", BACKBONE_CHECKS)
def test_the_contract_is_kept(check: BackboneCheck, backbone: Backbone, raw: ImageArray) -> None:
    check(backbone, raw)


def test_there_are_several_stages_and_each_has_parameters(backbone: Backbone) -> None:
    assert len(backbone.stages) > 3
    assert all(any(True for _ in stage.parameters()) for stage in backbone.stages)


def test_initialising_follows_the_seed_and_forgets_what_was_there(backbone: Backbone) -> None:
    drawn = []
    for seed in (1, 1, 2):
        fresh = copy.deepcopy(backbone)
        with torch.no_grad():
            for tensor in (*fresh.parameters(), *(one for one in fresh.buffers() if one.is_floating_point())):
                tensor.add_(1)
            reset_scale(fresh, backbone)
        torch.manual_seed(seed)
        fresh.initialise()
        drawn.append(fresh)
    assert state_hash(drawn[0]) == state_hash(drawn[1]) != state_hash(drawn[2])
    before = dict(backbone.named_buffers())
    assert all(torch.equal(tensor, before[name]) for name, tensor in drawn[0].named_buffers())


def reset_scale(fresh: Backbone, backbone: Backbone) -> None:
    """Mean and deviation of the preparation are facts, not state: they are put back."""
    for name in ("mean", "std"):
        getattr(fresh.stages[0], name).copy_(getattr(backbone.stages[0], name))


def test_stages_say_what_the_network_says() -> None:
    torch.manual_seed(0)
    network = timm.create_model("test_resnet", num_classes=0).eval()
    pictures = torch.randint(256, (2, 3, 160, 160), dtype=torch.uint8)
    mean, std = (torch.tensor(network.pretrained_cfg[key])[:, None, None] for key in ("mean", "std"))
    with torch.no_grad():
        expected = network((pictures / 255 - mean) / std)
        found = untrained("timm/test_resnet").eval()(Batch(pictures))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_batch_norm_and_dropped_paths_know_that_they_are_trained() -> None:
    backbone = untrained("timm/test_resnet").train()
    norms = [module for module in backbone.stages.modules() if isinstance(module, nn.BatchNorm2d)]
    before = norms[0].running_mean
    assert before is not None
    kept = before.clone()
    backbone(backbone.prepare(ImageArray(np.zeros((2, 9, 9, 1), dtype=np.uint8))))
    assert not torch.equal(kept, before)


def test_untrained_weights_are_the_same_each_time_and_named_by_their_hash() -> None:
    torch.manual_seed(7)
    one, other = untrained("timm/test_resnet"), untrained("timm/test_resnet")
    assert one.card.sha256 == other.card.sha256 == state_hash(one)


@pytest.mark.parametrize(
    ("place", "stages"),
    [
        ("timm/test_resnet", ("conv1", "layer1", "layer2", "layer3", "layer4")),
        ("timm/test_vit", ("patch_embed", *(f"blocks.{index}" for index in range(6)))),
        ("timm/test_resnet?layers=layer2,layer4", ("conv1", "layer2", "layer4")),
    ],
)
def test_stages_are_named_by_the_blocks_they_begin_with(place: str, stages: tuple[str, ...]) -> None:
    assert untrained(place).card.stages == stages


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("timm/tets_resnet", r"unknown timm model 'tets_resnet'; did you mean 'test_resnet'.*\(there are \d+\)$"),
        ("timm/test_resnet.r160", "unknown timm weights 'test_resnet.r160'; did you mean 'test_resnet.r160_in1k'"),
        ("torchvision/mobilenetv2", "unknown torchvision model 'mobilenetv2'; did you mean 'mobilenet_v2'"),
        ("keras/resnet", "unknown library of architectures 'keras'"),
    ],
)
def test_unknown_names_are_told_with_the_nearest_few(place: str, message: str) -> None:
    with pytest.raises(UnknownNameError, match=message):
        untrained(place)


def test_an_unknown_place_for_stages_is_told_with_the_nearest() -> None:
    with pytest.raises(
        WeightsError, match=r"no module 'layers2' of ResNet; did you mean 'layer2'\?; its parts are conv1"
    ):
        untrained("timm/test_resnet?layers=layers2")
