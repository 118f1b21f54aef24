"""Oriented gradients say where edges are, the thumbnail what is bright; pictures may be plain and of any size."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from bench.domains.vision.files import ImageFiles
from bench.domains.vision.gradients import BLOCK, CELL, ORIENTATIONS, SIDE, THUMBNAIL, describe
from bench.domains.vision.raw import ImageArray
from bench.runtime.cache import file_sha256

BLOCKS = SIDE // CELL - BLOCK + 1
GRADIENTS = BLOCKS**2 * BLOCK**2 * ORIENTATIONS


def ramp(*, vertical: bool) -> NDArray[np.uint8]:
    """Return a picture that grows brighter downwards or to the right, [1, 32, 32, 1]."""
    grey = np.repeat(np.arange(0, 256, 8, dtype=np.uint8)[:, None], SIDE, axis=1)
    return (grey if vertical else grey.T)[None, ..., None]


@pytest.mark.parametrize("vertical", [True, False])
def test_a_ramp_has_gradients_of_one_orientation(*, vertical: bool) -> None:
    [features] = describe(ImageArray(ramp(vertical=vertical)))
    histograms = features[:GRADIENTS].reshape(-1, BLOCK, BLOCK, ORIENTATIONS)
    along = histograms.sum(axis=(0, 1, 2))
    # Orientations are counted from 0 degrees, a gradient to the right, on; one downwards is at 90, in the middle.
    assert along.argmax() == (ORIENTATIONS // 2 if vertical else 0)
    assert np.count_nonzero(along) == 1
    np.testing.assert_allclose(np.square(histograms).sum(axis=(1, 2, 3)), 1, atol=1e-4)  # each block by itself


def test_the_thumbnail_holds_the_colours_from_0_to_1() -> None:
    pixels = np.zeros((1, 64, 64, 3), dtype=np.uint8)
    pixels[:, :, 32:] = (255, 0, 51)
    [features] = describe(ImageArray(pixels))
    thumbnail = features[GRADIENTS:].reshape(THUMBNAIL, THUMBNAIL, 3)
    np.testing.assert_allclose(thumbnail[:, -1], np.tile([1, 0, 0.2], (THUMBNAIL, 1)), atol=1e-6)
    assert not thumbnail[:, 0].any()


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 90, 3), (8, 8, 1), (300, 260, 3)])
def test_pictures_of_one_colour_and_any_size_have_finite_features(shape: tuple[int, int, int]) -> None:
    [features] = describe(ImageArray(np.full((1, *shape), 77, dtype=np.uint8)))
    assert features.shape == (GRADIENTS + THUMBNAIL**2 * shape[2],)
    assert features.dtype == np.float32
    assert not features[:GRADIENTS].any()
    np.testing.assert_allclose(features[GRADIENTS:], 77 / 255, atol=1e-6)


def test_a_picture_has_the_same_features_in_a_file(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, size=(2, 40, 60, 3), dtype=np.uint8)
    paths = tuple(tmp_path / f"{number}.png" for number in range(2))
    for path, picture in zip(paths, pixels, strict=True):
        Image.fromarray(picture).save(path)
    np.testing.assert_array_equal(
        describe(ImageFiles(paths, tuple(map(file_sha256, paths)))), describe(ImageArray(pixels))
    )
