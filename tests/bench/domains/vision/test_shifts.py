"""Pictures under noise, blur and less contrast differ by what the titles say, at any size, in memory or in files."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from bench.domains.shift import Shift
from bench.domains.vision.files import ImageFiles
from bench.domains.vision.raw import ImageArray
from bench.domains.vision.shifts import SHIFTS, add_noise, blur, lower_contrast
from bench.runtime.cache import file_sha256
from tests.toys import labelled

Picture = NDArray[np.uint8]

GREY = 128
CHANGES = (add_noise, blur, lower_contrast)


def textured(height: int, width: int, channels: int = 3, *, seed: int = 0) -> Picture:
    """Return a picture that is different at every pixel and far from black and white."""
    generator = np.random.default_rng(seed)
    return generator.integers(60, 196, size=(height, width, channels), dtype=np.uint8)


@pytest.mark.parametrize("side", [8, 32, 224])
def test_noise_is_as_strong_as_its_title_says(side: int) -> None:
    flat = np.full((side, side, 3), GREY, dtype=np.uint8)
    noise = (add_noise(flat).astype(np.float64) - GREY) / 255
    assert noise.std() == pytest.approx(0.08, rel=0.15 if side == 8 else 0.02)
    assert abs(noise.mean()) < 0.02
    assert "0.08 of the range" in SHIFTS[0].title


def test_noise_is_of_every_channel_on_its_own() -> None:
    noise = add_noise(np.full((64, 64, 3), GREY, dtype=np.uint8)).reshape(-1, 3).astype(np.float64)
    assert np.abs(np.corrcoef(noise.T) - np.eye(3)).max() < 0.1


@pytest.mark.parametrize(("height", "width"), [(896, 1_200), (901, 1_203), (224, 300)])
def test_a_large_picture_is_as_noisy_as_a_small_one_when_a_network_looks_at_it(height: int, width: int) -> None:
    noisy = add_noise(np.full((height, width, 1), GREY, dtype=np.uint8))
    assert noisy.shape == (height, width, 1)
    small = np.asarray(Image.fromarray(noisy[:, :, 0]).resize((width * 224 // height, 224), Image.Resampling.BOX))
    assert (small / 255).std() == pytest.approx(0.08, rel=0.25)


@pytest.mark.parametrize(("side", "deviation"), [(9, 0.7), (65, 0.7), (225, 1.0), (897, 4.0)])
def test_a_blur_spreads_a_point_as_far_as_its_title_says(side: int, deviation: float) -> None:
    point = np.zeros((side, side, 1), dtype=np.uint8)
    point[side // 2 - side // 8 : side // 2 + side // 8 + 1, side // 2] = 255  # a line, lest a point be too faint
    across = blur(point)[side // 2, :, 0].astype(np.float64)
    away = np.arange(side) - side // 2
    assert (across @ away**2) / across.sum() == pytest.approx(deviation**2, rel=0.15)


@pytest.mark.parametrize(("height", "width", "channels"), [(8, 8, 1), (32, 32, 3), (300, 224, 3)])
def test_a_blur_takes_fine_detail_away_and_leaves_the_brightness(height: int, width: int, channels: int) -> None:
    before = textured(height, width, channels)
    after = blur(before)
    assert fine(after) < 0.5 * fine(before)
    assert after.mean() == pytest.approx(before.mean(), abs=2)


def fine(picture: Picture) -> float:
    """Return the power of the upper half of the frequencies."""
    spectrum = np.abs(np.fft.fft2(picture.mean(axis=2)))
    height, width = spectrum.shape
    return float(np.square(spectrum[height // 4 : -(height // 4), width // 4 : -(width // 4)]).sum())


@pytest.mark.parametrize("channels", [1, 3])
def test_contrast_is_lowered_about_the_mean_of_each_channel(channels: int) -> None:
    before = textured(32, 32, channels)
    before[:, :, 0] //= 2
    after = lower_contrast(before)
    for channel in range(channels):
        assert after[:, :, channel].std() == pytest.approx(0.4 * before[:, :, channel].std(), rel=0.02)
        assert after[:, :, channel].mean() == pytest.approx(before[:, :, channel].mean(), abs=0.1)
    assert "0.4" in SHIFTS[2].title


def test_what_is_brighter_than_white_is_white_and_does_not_wrap() -> None:
    white = np.full((16, 16, 1), 255, dtype=np.uint8)
    assert add_noise(white).min() > 128
    assert add_noise(np.zeros_like(white)).max() < 128


@pytest.mark.parametrize("change", CHANGES)
def test_a_picture_is_changed_and_stays_as_it_was(change: Callable[[Picture], Picture]) -> None:
    before = textured(8, 8)
    kept = before.copy()
    after = change(before)
    assert (after != before).any()
    assert (before == kept).all()
    assert (after.dtype, after.shape) == (before.dtype, before.shape)


@pytest.mark.parametrize("shift", SHIFTS, ids=lambda shift: shift.name)
def test_pictures_in_files_are_changed_like_those_in_memory_when_they_are_looked_at(
    shift: Shift, tmp_path: Path
) -> None:
    pixels = np.stack([textured(12, 10, seed=number) for number in range(4)])
    paths = tuple(tmp_path / f"{number}.png" for number in range(4))
    for path, picture in zip(paths, pixels, strict=True):
        Image.fromarray(picture).save(path)
    files, labels = ImageFiles(paths, tuple(map(file_sha256, paths))), np.arange(4)
    paths[0].unlink()  # nothing reads this one
    shifted, held = shift.apply(labelled(files, labels)).raw, shift.apply(labelled(ImageArray(pixels), labels)).raw
    assert isinstance(shifted, ImageFiles)
    assert isinstance(held, ImageArray)
    part = shifted.take(np.array([3, 1]))
    assert (len(shifted), len(part)) == (4, 2)
    assert (np.stack(list(part.pictures())) == held.pixels[[3, 1]]).all()
    assert (held.pixels != pixels).any(axis=(1, 2, 3)).all()


def test_changed_pictures_hash_otherwise() -> None:
    examples = labelled(ImageFiles((Path("one"),), ("sha",)), np.arange(1))
    columns = [examples.raw.columns(), *(shift.apply(examples).raw.columns() for shift in SHIFTS)]
    assert len(set(columns)) == 1 + len(SHIFTS)
