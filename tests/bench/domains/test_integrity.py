"""Whole pictures and recordings pass, and what is cut, empty or something else is told, in every format."""

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from bench.domains.audio.integrity import read_headers
from bench.domains.vision.integrity import picture_problem

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM")


def picture(kind: str) -> bytes:
    pixels = np.random.default_rng(0).integers(0, 256, (24, 20, 3), dtype=np.uint8)
    written = io.BytesIO()
    Image.fromarray(pixels).save(written, kind)
    return written.getvalue()


@pytest.mark.parametrize("kind", FORMATS)
def test_a_whole_picture_passes_and_a_cut_one_does_not(kind: str) -> None:
    data = picture(kind)
    assert picture_problem(data) == ""
    for length in (len(data) * 9 // 10, len(data) - 40):
        assert "damaged or truncated" in picture_problem(data[:length])


def test_a_picture_may_be_followed_by_padding() -> None:
    for kind in ("JPEG", "PNG", "WEBP"):
        assert picture_problem(picture(kind) + b"\0" * 100) == ""


def test_the_end_of_a_thumbnail_is_not_taken_for_that_of_the_picture() -> None:
    data, thumbnail = picture("JPEG"), b"Exif\0\0" + picture("JPEG")
    segment = b"\xff\xe1" + (len(thumbnail) + 2).to_bytes(2, "big") + thumbnail
    assert picture_problem(data[:2] + segment + data[2:]) == ""
    assert "truncated" in picture_problem(data[:2] + segment + data[2:-60])


def test_a_changed_byte_within_a_png_is_found() -> None:
    data = bytearray(picture("PNG"))
    data[len(data) // 2] ^= 255
    assert "damaged" in picture_problem(bytes(data))


def test_what_is_no_picture_is_told() -> None:
    assert picture_problem(b"") == "is empty"
    assert "is no picture" in picture_problem(b"name,label\n")


def test_a_picture_too_large_to_be_decoded_safely_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    assert "too large" in picture_problem(picture("PNG"))


@pytest.fixture
def noise() -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.random.default_rng(0).normal(scale=0.1, size=12_000)


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3"])
def test_a_whole_recording_has_its_length_and_a_cut_one_is_told(
    suffix: str, tmp_path: Path, noise: np.ndarray[tuple[int], np.dtype[np.float64]], capfd: pytest.CaptureFixture[str]
) -> None:
    whole, cut = tmp_path / f"whole.{suffix}", tmp_path / f"cut.{suffix}"
    soundfile.write(whole, noise, 8_000)
    heard = read_headers(whole)
    assert heard.problem == ""
    assert heard.seconds == pytest.approx(1.5, abs=0.1)
    data = b"ID3\x04\0\0\0\0\x40\0" + b"\0" * 8_192 if suffix == "mp3" else b""  # tags, such as a picture
    data += whole.read_bytes()
    cut.write_bytes(data)
    assert read_headers(cut) == heard
    cut.write_bytes(data[: len(data) * 9 // 10])
    assert "truncated" in read_headers(cut).problem
    assert capfd.readouterr().err == ""


def test_a_wave_file_of_unknown_size_passes(
    tmp_path: Path, noise: np.ndarray[tuple[int], np.dtype[np.float64]]
) -> None:
    path = tmp_path / "piped.wav"
    soundfile.write(path, noise, 8_000)
    data = bytearray(path.read_bytes())
    data[4:8] = b"\xff\xff\xff\xff"
    path.write_bytes(data)
    assert read_headers(path).problem == ""


def test_what_is_no_recording_or_silent_is_told(tmp_path: Path) -> None:
    for name, content, told in (("empty.wav", b"", "is empty"), ("text.mp3", b"not a sound\n" * 9, "is no recording")):
        (tmp_path / name).write_bytes(content)
        assert told in read_headers(tmp_path / name).problem
    soundfile.write(tmp_path / "none.wav", np.zeros(0), 8_000)
    assert "has no sound in it" in read_headers(tmp_path / "none.wav").problem
