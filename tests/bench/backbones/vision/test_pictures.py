"""Pictures of any size and colour become what a network was trained to see."""

import numpy as np
import pytest
import torch
from PIL import Image
from timm.data import create_transform, resolve_data_config
from timm.models import get_pretrained_cfg
from torchvision.models import MobileNet_V2_Weights

from bench.backbones.vision.pictures import Preparation, Scaled, as_image
from bench.backbones.vision.timm_models import timm_design
from bench.backbones.vision.torchvision_models import torchvision_design
from bench.domains.vision.raw import ImageArray


def photographs(n: int, height: int, width: int, channels: int = 3) -> ImageArray:
    pixels = np.random.default_rng(0).integers(0, 256, (n, height, width, channels))
    return ImageArray(pixels.astype(np.uint8))


def scaled(preparation: Preparation, raw: ImageArray) -> torch.Tensor:
    stage = Scaled(torch.fx.symbolic_trace(torch.nn.Identity()), preparation)
    return stage.scale(preparation.apply(raw))


@pytest.mark.parametrize(("height", "width"), [(300, 260), (40, 90), (8, 8)])
def test_torchvisions_networks_see_what_their_own_transform_shows(height: int, width: int) -> None:
    raw = photographs(2, height, width)
    own = MobileNet_V2_Weights.DEFAULT.transforms()
    expected = torch.stack([own(Image.fromarray(picture)) for picture in raw.pixels])
    found = scaled(torchvision_design("mobilenet_v2").preparation, raw)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["resnet18.a1_in1k", "vit_tiny_patch16_224", "inception_v3"])
def test_timms_networks_see_what_their_own_transform_shows(name: str) -> None:
    raw = photographs(2, 350, 420)
    own = create_transform(**resolve_data_config(pretrained_cfg=get_pretrained_cfg(name).to_dict()))
    expected = torch.stack([own(Image.fromarray(picture)) for picture in raw.pixels])
    found = scaled(timm_design(name).preparation, raw)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_prepared_pictures_take_a_byte_a_value() -> None:
    prepared = timm_design("test_resnet").preparation.apply(photographs(2, 8, 8, 1))
    assert (prepared.dtype, prepared.shape) == (torch.uint8, (2, 3, 160, 160))


def test_grey_is_repeated_and_colours_are_mixed() -> None:
    grey, colour = photographs(1, 5, 4, 1).pixels[0], photographs(1, 5, 4, 3).pixels[0]
    assert (np.asarray(as_image(grey, channels=3)) == grey).all()
    assert (np.asarray(as_image(grey, channels=1)) == grey[:, :, 0]).all()
    assert (np.asarray(as_image(colour, channels=3)) == colour).all()
    assert np.asarray(as_image(colour, channels=1)).shape == (5, 4)
