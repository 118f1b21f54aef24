"""Pictures and recordings of every usual format are read alike; what is damaged is named."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from PIL import Image

from bench.domains.audio.files import AudioFiles, decode_recording, fit_length
from bench.domains.audio.raw import from_16_bits
from bench.domains.vision.files import ImageFiles, decode_picture
from bench.errors import DataError
from bench.runtime.cache import file_sha256

RATE_HZ = 16_000

LOSSLESS = {
    "wav of 8 bits": ("WAV", "PCM_U8", 1 / 128),
    "wav of 16 bits": ("WAV", "PCM_16", 1 / 32_768),
    "wav of 24 bits": ("WAV", "PCM_24", 2**-23),
    "wav of floats": ("WAV", "FLOAT", 2**-25),
    "wav of doubles": ("WAV", "DOUBLE", 2**-25),
    "flac": ("FLAC", "PCM_16", 1 / 32_768),
    "aiff": ("AIFF", "PCM_16", 1 / 32_768),
}
LOSSY = {"ogg": ("OGG", "VORBIS", 0.05), "mp3": ("MP3", "MPEG_LAYER_III", 0.05)}
FORMATS = LOSSLESS | LOSSY


def tone(hz: float = 440, *, seconds: float = 0.5, rate_hz: int = RATE_HZ) -> NDArray[np.float64]:
    """Return a tone of half the full scale, swelling from nothing and dying away."""
    time = np.arange(round(seconds * rate_hz)) / rate_hz
    swelling: NDArray[np.float64] = 0.5 * np.sin(2 * np.pi * hz * time) * np.sin(np.pi * time / seconds)
    return swelling


def write(path: Path, samples: NDArray[np.float64], rate_hz: int = RATE_HZ, kind: str = "wav of 16 bits") -> Path:
    family, subtype, _ = FORMATS[kind]
    soundfile.write(path, samples, rate_hz, format=family, subtype=subtype)
    return path


def heard(path: Path, rate_hz: int = RATE_HZ) -> NDArray[np.float32]:
    samples = decode_recording(path.read_bytes(), path, rate_hz)
    assert samples.dtype == np.float32
    return samples


def seen(path: Path) -> NDArray[np.uint8]:
    return decode_picture(path.read_bytes(), path)


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_sounds_the_same(kind: str, tmp_path: Path) -> None:
    samples = heard(write(tmp_path / "sound", tone(), kind=kind))
    np.testing.assert_allclose(samples, tone(), rtol=0, atol=FORMATS[kind][2])


def test_sixteen_bits_stay_as_they_are(tmp_path: Path) -> None:
    samples = np.array([-32_768, -32_767, -1, 0, 1, 32_767], dtype=np.int16)
    soundfile.write(tmp_path / "sound.wav", samples, RATE_HZ)
    np.testing.assert_array_equal(heard(tmp_path / "sound.wav"), samples / 32_768)
    np.testing.assert_array_equal(heard(tmp_path / "sound.wav"), from_16_bits(samples))


def test_twenty_four_bits_stay_as_they_are(tmp_path: Path) -> None:
    samples = np.array([-(2**23), -1, 0, 1, 2**23 - 1]) / 2**23
    soundfile.write(tmp_path / "sound.wav", samples, RATE_HZ, subtype="PCM_24")
    np.testing.assert_array_equal(heard(tmp_path / "sound.wav"), samples)


def test_what_is_louder_than_the_full_scale_is_cut_off_there(tmp_path: Path) -> None:
    samples = np.array([-1.5, -1.0, 0.25, 1.0, 7.0])
    assert heard(write(tmp_path / "sound", samples, kind="wav of floats")).tolist() == [-1.0, -1.0, 0.25, 1.0, 1.0]


def test_what_is_too_loud_is_clipped_and_does_not_wrap(tmp_path: Path) -> None:
    loud = heard(write(tmp_path / "sound.wav", 4 * tone(), kind="wav of floats"))
    np.testing.assert_allclose(loud, (4 * tone()).clip(-1, 1), rtol=0, atol=1e-4)


def test_channels_are_mixed(tmp_path: Path) -> None:
    left, right = tone(440), tone(1000)
    stereo = write(tmp_path / "sound.wav", np.stack([left, right], axis=1))
    np.testing.assert_allclose(heard(stereo), (left + right) / 2, rtol=0, atol=1e-4)


@pytest.mark.parametrize("own_rate", [8_000, 11_025, 22_050, 44_100, 48_000, 96_000])
def test_any_rate_is_resampled(own_rate: int, tmp_path: Path) -> None:
    path = write(tmp_path / "sound.wav", tone(rate_hz=own_rate), own_rate)
    np.testing.assert_allclose(heard(path)[:8000], tone(), rtol=0, atol=0.01)


def test_what_the_new_rate_cannot_hold_is_filtered_out(tmp_path: Path) -> None:
    path = write(tmp_path / "sound.wav", tone(7_000))
    assert np.abs(heard(path, 8_000)).max() < 0.01  # and not a tone of 1 kHz


@pytest.mark.parametrize("kind", FORMATS)
def test_cut_off_recordings_are_named(kind: str, tmp_path: Path) -> None:
    path = write(tmp_path / "sound", tone(seconds=2), kind=kind)
    whole = path.read_bytes()
    for kept in (0.5, 0.8):
        path.write_bytes(whole[: int(kept * len(whole))])
        with pytest.raises(DataError, match=f"cannot read the recording {path}"):
            heard(path)


@pytest.mark.parametrize("content", [b"", b"no sound at all", b"RIFF"])
def test_what_is_no_recording_is_named(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "sound.wav"
    path.write_bytes(content)
    with pytest.raises(DataError, match=f"cannot read the recording {path}"):
        heard(path)


def test_a_missing_recording_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot read the recording .*sound\.wav"):
        AudioFiles((tmp_path / "sound.wav",), ("of nothing",), RATE_HZ, RATE_HZ).waveforms()


def test_a_recording_without_a_sample_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"sound\.wav: it holds no sound"):
        heard(write(tmp_path / "sound.wav", tone()[:0]))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_samples_that_are_no_numbers_are_refused(value: float, tmp_path: Path) -> None:
    samples = tone()
    samples[100] = value
    with pytest.raises(DataError, match=r"sound\.wav: it holds samples that are no numbers"):
        heard(write(tmp_path / "sound.wav", samples, kind="wav of floats"))


def test_a_header_with_an_absurd_rate_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "sound.wav", tone())
    content = bytearray(path.read_bytes())
    content[24:28] = (1_999_999_973).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(DataError, match="1999999973 samples a second"):
        heard(path)


@pytest.mark.parametrize("counted", [0xFFFF_FFFF, 0x7FFF_F024])
def test_a_wav_whose_length_was_not_known_when_it_was_begun_is_read(counted: int, tmp_path: Path) -> None:
    path = write(tmp_path / "sound.wav", tone())
    content = bytearray(path.read_bytes())
    content[4:8] = content[40:44] = counted.to_bytes(4, "little")
    path.write_bytes(content)
    np.testing.assert_allclose(heard(path), tone(), rtol=0, atol=1e-4)


def test_a_long_recording_keeps_its_middle_and_a_short_one_gets_silence_around() -> None:
    samples = np.arange(1, 6, dtype=np.float32)
    np.testing.assert_array_equal(fit_length(samples, 3), [2, 3, 4])
    np.testing.assert_array_equal(fit_length(samples, 5), samples)
    np.testing.assert_array_equal(fit_length(samples, 8), [0, 1, 2, 3, 4, 5, 0, 0])


def test_recordings_are_heard_in_order_at_one_rate_and_length(tmp_path: Path) -> None:
    paths = (
        write(tmp_path / "one.wav", tone(seconds=0.5)),
        write(tmp_path / "two.flac", tone(seconds=0.2, rate_hz=8_000), 8_000, kind="flac"),
    )
    hashes = tuple(map(file_sha256, paths))
    recordings = AudioFiles(paths, hashes, rate_hz=RATE_HZ, length=6_000)
    waves = recordings.waveforms()
    assert (waves.samples.shape, waves.rate_hz) == ((2, 6_000), RATE_HZ)
    swapped = recordings.take(np.array([1, 0])).waveforms().samples
    np.testing.assert_array_equal(swapped, waves.samples[::-1])
    assert recordings.columns() != AudioFiles(paths, hashes, rate_hz=RATE_HZ, length=6_001).columns()


def stripes(height: int = 20, width: int = 30) -> NDArray[np.uint8]:
    """Return a picture red on the left, green in the middle and blue on the right, dark above."""
    pixels = np.zeros((height, width, 3), dtype=np.uint8)
    for channel, columns in enumerate(np.split(np.arange(width), 3)):
        pixels[height // 4 :, columns, channel] = 240
    return pixels


def assert_close(picture: NDArray[np.uint8], expected: NDArray[np.uint8], within: float = 12) -> None:
    assert picture.dtype == np.uint8
    assert picture.shape == expected.shape
    assert np.abs(picture.astype(int) - expected).mean() < within


@pytest.mark.parametrize("name", ["picture.png", "picture.bmp", "picture.tif", "picture.ppm"])
def test_lossless_pictures_are_read_to_the_pixel(name: str, tmp_path: Path) -> None:
    Image.fromarray(stripes()).save(tmp_path / name)
    np.testing.assert_array_equal(seen(tmp_path / name), stripes())


@pytest.mark.parametrize("name", ["picture.jpg", "picture.webp", "picture.gif"])
def test_other_pictures_look_the_same(name: str, tmp_path: Path) -> None:
    Image.fromarray(stripes()).save(tmp_path / name)
    assert_close(seen(tmp_path / name), stripes(), within=20)


TURNED: dict[int, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]] = {
    1: lambda pixels: pixels,
    2: np.fliplr,
    3: lambda pixels: np.rot90(pixels, 2),
    4: np.flipud,
    6: lambda pixels: np.rot90(pixels, -1),
    8: lambda pixels: np.rot90(pixels, 1),
}


@pytest.mark.parametrize("orientation", TURNED)
def test_pictures_are_turned_as_the_camera_says(orientation: int, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(stripes(64, 96)).save(tmp_path / "picture.jpg", exif=exif, quality=95, subsampling=0)
    assert_close(seen(tmp_path / "picture.jpg"), TURNED[orientation](stripes(64, 96)))


def test_palettes_are_looked_up(tmp_path: Path) -> None:
    Image.fromarray(stripes()).convert("P", palette=Image.Palette.ADAPTIVE).save(tmp_path / "picture.png")
    assert_close(seen(tmp_path / "picture.png"), stripes(), within=2)


def test_grey_pictures_get_three_channels(tmp_path: Path) -> None:
    grey = np.arange(200, dtype=np.uint8).reshape(10, 20)
    Image.fromarray(grey).save(tmp_path / "picture.png")
    np.testing.assert_array_equal(seen(tmp_path / "picture.png"), np.repeat(grey[:, :, None], 3, axis=2))


@pytest.mark.parametrize("name", ["picture.png", "picture.tif"])
def test_grey_of_sixteen_bits_is_scaled(name: str, tmp_path: Path) -> None:
    shades = np.arange(256, dtype=np.uint16).reshape(16, 16)
    Image.fromarray(shades * 257).save(tmp_path / name)
    np.testing.assert_array_equal(seen(tmp_path / name)[:, :, 0], shades)


def test_grey_without_a_known_white_is_refused(tmp_path: Path) -> None:
    for pixels in (np.full((4, 4), 0.5, dtype=np.float32), np.full((4, 4), 70_000, dtype=np.int32)):
        Image.fromarray(pixels).save(tmp_path / "picture.tif")
        with pytest.raises(DataError, match=r"picture\.tif: its grey values, from .*not known what is white"):
            seen(tmp_path / "picture.tif")


def test_printers_colours_are_converted(tmp_path: Path) -> None:
    Image.fromarray(stripes(64, 96)).convert("CMYK").save(tmp_path / "picture.jpg", quality=95)
    assert_close(seen(tmp_path / "picture.jpg"), stripes(64, 96))


def test_what_is_transparent_is_white(tmp_path: Path) -> None:
    alpha = np.full((20, 30, 1), 255, dtype=np.uint8)
    alpha[:, :10] = 0
    alpha[:, 10:20] = 128
    Image.fromarray(np.concatenate([stripes(), alpha], axis=2)).save(tmp_path / "picture.png")
    picture = seen(tmp_path / "picture.png")
    assert (picture[:, :10] == 255).all()
    np.testing.assert_allclose(picture[10, 15], [127, 247, 127], atol=1)
    np.testing.assert_array_equal(picture[:, 20:], stripes()[:, 20:])


def test_a_transparent_colour_of_a_palette_is_white(tmp_path: Path) -> None:
    indexed = Image.fromarray(np.tile(np.array([0, 1], dtype=np.uint8), (4, 2)), mode=None).convert("P")
    indexed.putpalette([10, 20, 30, 200, 100, 50])
    indexed.save(tmp_path / "picture.png", transparency=0)
    picture = seen(tmp_path / "picture.png")
    np.testing.assert_array_equal(picture[0, :2], [[255, 255, 255], [200, 100, 50]])


@pytest.mark.parametrize("name", ["picture.jpg", "picture.png", "picture.gif", "picture.webp", "picture.bmp"])
@pytest.mark.parametrize("kept", [0.9, 0.5, 0.01, 0.0])
def test_cut_off_pictures_are_named(name: str, kept: float, tmp_path: Path) -> None:
    path = tmp_path / name
    noise = np.random.default_rng(0).integers(0, 256, (40, 60, 3)).astype(np.uint8)
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[: int(kept * path.stat().st_size)])
    with pytest.raises(DataError, match=f"cannot read the picture {path}"):
        seen(path)


def test_what_is_no_picture_is_named(tmp_path: Path) -> None:
    (tmp_path / "picture.jpg").write_text("no picture at all")
    with pytest.raises(DataError, match=r"cannot read the picture .*picture\.jpg"):
        seen(tmp_path / "picture.jpg")
    with pytest.raises(DataError, match=r"cannot read the picture .*missing\.jpg"):
        next(ImageFiles((tmp_path / "missing.jpg",), ("of nothing",)).pictures())


def test_pictures_are_read_when_they_are_looked_at(tmp_path: Path) -> None:
    Image.fromarray(stripes()).save(tmp_path / "one.png")
    hashes = (file_sha256(tmp_path / "one.png"), "of what is missing")
    pictures = ImageFiles((tmp_path / "one.png", tmp_path / "missing.png"), hashes)
    looked_at = pictures.pictures()
    np.testing.assert_array_equal(next(looked_at), stripes())
    with pytest.raises(DataError, match=r"missing\.png"):
        next(looked_at)
    assert len(list(pictures.take(np.array([0])).pictures())) == 1


def test_pictures_that_changed_after_they_were_hashed_are_not_shown(tmp_path: Path) -> None:
    paths = tuple(tmp_path / f"{number}.png" for number in range(2))
    for path in paths:
        Image.fromarray(stripes()).save(path)
    pictures = ImageFiles(paths, tuple(map(file_sha256, paths)))
    Image.fromarray(stripes()[::-1]).save(paths[1])
    assert len(list(pictures.take(np.array([0])).pictures())) == 1
    with pytest.raises(DataError, match=r"the picture .*1\.png changed since it was looked at: give the same command"):
        list(pictures.pictures())


def test_recordings_that_changed_after_they_were_hashed_are_not_heard(tmp_path: Path) -> None:
    paths = tuple(write(tmp_path / f"{number}.wav", tone()) for number in range(2))
    recordings = AudioFiles(paths, tuple(map(file_sha256, paths)), rate_hz=RATE_HZ, length=6_000)
    write(paths[1], -tone())
    assert len(recordings.take(np.array([0])).waveforms()) == 1
    with pytest.raises(
        DataError, match=r"the recording .*1\.wav changed since it was looked at: give the same command"
    ):
        recordings.waveforms()
