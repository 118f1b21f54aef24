"""Image models of transformers, made here as the hub has them, keep the contract and say what the library says."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import AutoImageProcessor, AutoModelForImageClassification

from bench.backbone import Backbone
from bench.backbones.huggingface.opening import open_huggingface
from bench.backbones.opened import read_reference
from bench.domains.vision.files import ImageFiles
from bench.domains.vision.raw import ImageArray
from bench.errors import WeightsError
from bench.runtime.cache import file_sha256
from bench.testing.backbones import BACKBONE_CHECKS, BackboneCheck, close
from bench.training.inference import forward_all
from tests.bench.backbones.huggingface.snapshots import IMAGES, write_image_model

RAW = ImageArray(np.random.default_rng(0).integers(0, 256, (4, 20, 24, 3), dtype=np.uint8))


@pytest.fixture(scope="module", params=sorted(IMAGES))
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_image_model(tmp_path_factory.mktemp("snapshot"), request.param)


def opened(folder: Path) -> Backbone:
    return open_huggingface(read_reference(f"hf:{folder}")).backbone


@pytest.fixture(scope="module")
def backbone(folder: Path) -> Backbone:
    return opened(folder)


@pytest.mark.parametrize("check", BACKBONE_CHECKS)
def test_every_family_keeps_the_contract(check: BackboneCheck, backbone: Backbone) -> None:
    check(backbone, RAW)


def test_the_librarys_own_classifier_on_our_features_says_what_the_library_says(folder: Path) -> None:
    network = AutoModelForImageClassification.from_pretrained(folder).eval()
    processor = AutoImageProcessor.from_pretrained(folder)
    pixels = processor(list(RAW.pixels), return_tensors="pt", input_data_format="channels_last")["pixel_values"]
    backbone = opened(folder)
    inputs = backbone.prepare(RAW)
    assert inputs.values.dtype == torch.uint8
    assert inputs.values.shape == (4, 3, 16, 16)
    with torch.inference_mode():
        expected = network(pixel_values=pixels).logits
        features = forward_all(backbone.stages, inputs, precision="float32").values
        found = network.classifier(features)
    # To the rounding of our pictures to whole numbers, which the library's own are not.
    torch.testing.assert_close(found, expected, rtol=0.02, atol=0.02)


def test_pictures_of_any_size_and_in_grey_are_read_from_their_files(tmp_path: Path) -> None:
    backbone = opened(write_image_model(tmp_path, "vit"))
    paths = tuple(tmp_path / f"{number}.png" for number in range(2))
    Image.new("RGB", (30, 20), "red").save(paths[0])
    Image.new("L", (10, 50), 100).save(paths[1])
    values = backbone.prepare(ImageFiles(paths, tuple(map(file_sha256, paths)))).values
    assert values.shape == (2, 3, 16, 16)
    assert values[0, :, 3, 3].tolist() == [255, 0, 0]
    close(values[1].float(), torch.full((3, 16, 16), 100.0))
    grey = ImageArray(np.full((1, 10, 50, 1), 100, dtype=np.uint8))
    assert torch.equal(backbone.prepare(grey).values, values[1:])


def test_a_folder_without_a_word_on_preparation_is_refused(tmp_path: Path) -> None:
    folder = write_image_model(tmp_path, "vit")
    (folder / "preprocessor_config.json").unlink()
    with pytest.raises(WeightsError, match=r"does not say how pictures are to be prepared.*preprocessor_config.json"):
        opened(folder)
