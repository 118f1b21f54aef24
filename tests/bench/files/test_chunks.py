"""A wav or aiff file is cut off if its sound is, and both who checks files and who reads them say so."""

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

from bench.domains.audio.files import decode_recording
from bench.domains.audio.integrity import read_headers
from bench.errors import DataError
from bench.files.chunks import SLACK_BYTES, missing_bytes

SAMPLES = np.random.default_rng(0).integers(-9_000, 9_000, 1_001).astype(np.int16)


def written(kind: str = "WAV", subtype: str = "PCM_16", endian: str = "FILE") -> bytes:
    file = io.BytesIO()
    soundfile.write(file, SAMPLES, 8_000, format=kind, subtype=subtype, endian=endian)
    return file.getvalue()


def with_size(content: bytes, chunk: bytes, change: int) -> bytes:
    """Return a wav file with another size in the header of a chunk."""
    place = content.index(chunk) + 4
    size = int.from_bytes(content[place : place + 4], "little") + change
    return content[:place] + size.to_bytes(4, "little") + content[place + 4 :]


def assert_verdict(content: bytes, folder: Path, *, whole: bool, suffix: str = "wav") -> None:
    """Assert that a recording is taken for whole, or for cut off, by all who look at it."""
    path = folder / f"sound.{suffix}"
    path.write_bytes(content)
    assert (missing_bytes(io.BytesIO(content)) == 0) == whole
    if whole:
        assert read_headers(path).problem == ""
        decode_recording(content, path, 8_000)
    else:
        assert "truncated" in read_headers(path).problem
        with pytest.raises(DataError, match="bytes too early"):
            decode_recording(content, path, 8_000)


CONTAINERS = [
    ("WAV", "PCM_16", "FILE"),
    ("WAV", "PCM_16", "BIG"),
    ("WAV", "PCM_U8", "FILE"),
    ("WAV", "FLOAT", "FILE"),
    ("WAVEX", "PCM_24", "FILE"),
    ("AIFF", "PCM_16", "FILE"),
    ("AIFF", "PCM_16", "LITTLE"),
]


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize(("cut", "whole"), [(0, True), (SLACK_BYTES, True), (SLACK_BYTES + 2, False), (400, False)])
def test_a_recording_is_cut_off_if_more_is_missing_than_a_header(
    container: tuple[str, str, str], *, cut: int, whole: bool, tmp_path: Path
) -> None:
    content = written(*container)
    end = content.index(b"PEAK") if b"PEAK" in content[1_000:] else len(content)  # what stands behind the sound
    assert_verdict(content[: end - cut], tmp_path, whole=whole)


@pytest.mark.parametrize("change", [-36, -16, -8, 8, 36, 44, 68, 100_000])
def test_a_wrong_size_in_the_header_of_the_file_cuts_nothing_off(change: int, tmp_path: Path) -> None:
    assert_verdict(with_size(written(), b"RIFF", change), tmp_path, whole=True)


@pytest.mark.parametrize("change", [8, 16, 44])
def test_a_size_of_the_sound_that_counts_headers_cuts_nothing_off(change: int, tmp_path: Path) -> None:
    assert_verdict(with_size(written(), b"data", change), tmp_path, whole=True)


@pytest.mark.parametrize("size", [0xFFFF_FFFF, 0x7FFF_F000, 0x7FFF_FFFF])
def test_a_size_that_was_not_known_cuts_nothing_off(size: int, tmp_path: Path) -> None:
    change = size - 2 * len(SAMPLES)
    assert_verdict(with_size(written(), b"data", change), tmp_path, whole=True)


@pytest.mark.parametrize("length", [16, 5_000, 5_001])
def test_the_sound_is_found_behind_other_chunks(length: int, tmp_path: Path) -> None:
    content = written()
    place = content.index(b"data")
    other = b"junk" + length.to_bytes(4, "little") + b"x" * length + bytes(length % 2)
    longer = content[:place] + other + content[place:]
    assert_verdict(longer, tmp_path, whole=True)
    assert_verdict(longer[:-200], tmp_path, whole=False)


def test_a_chunk_of_odd_length_need_not_be_padded() -> None:
    content = written()
    place = content.index(b"data")
    longer = content[:place] + b"junk" + (3).to_bytes(4, "little") + b"abc" + content[place:]
    assert missing_bytes(io.BytesIO(longer)) == 0
    assert missing_bytes(io.BytesIO(longer[:-200])) == 200


def test_what_stands_behind_the_sound_may_be_cut_off(tmp_path: Path) -> None:
    content = written() + b"LIST" + (500).to_bytes(4, "little") + b"INFO" + bytes(100)
    assert_verdict(with_size(content, b"RIFF", 508), tmp_path, whole=True)


@pytest.mark.parametrize("content", [b"", b"RIFF", b"RIFF\0\0\0\0WAVE", b"fLaC" + bytes(99), b"RIFF" + b"\xff" * 99])
def test_what_has_no_sound_to_miss_is_left_to_the_decoder(content: bytes) -> None:
    assert missing_bytes(io.BytesIO(content)) == 0
