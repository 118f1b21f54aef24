"""Owns telling whether the file of a picture or a recording is whole, without decoding it where that can be avoided."""

import io
import struct
from pathlib import Path
from typing import Final, NamedTuple

import soundfile
from PIL import Image, UnidentifiedImageError

from bench.files.chunks import missing_bytes

TRUNCATED: Final = "is truncated: its end is missing"
EMPTY: Final = "is empty"

TAIL_BYTES: Final = 65_536  # an Ogg page is at most 65,307 bytes long
HEAD_BYTES: Final = 4_096


class Heard(NamedTuple):
    """What the headers of a recording say: its length in seconds, or the `problem` that leaves it unheard."""

    problem: str
    seconds: float = 0.0


def picture_problem(data: bytes) -> str:
    """Return what is wrong with the bytes of a picture, as words that follow its name, or nothing.

    JPEG, PNG and WebP are judged by their structure. Other formats, and what does not pass, are decoded to be sure.
    """
    if not data:
        return EMPTY
    try:
        with Image.open(io.BytesIO(data)) as image:
            if _is_whole(data, image.format):
                return ""
            image.load()
    except UnidentifiedImageError:
        return "is no picture that can be read, whatever its name says"
    except Image.DecompressionBombError as error:
        return f"is too large to be decoded safely: {error}"
    except (OSError, SyntaxError, ValueError, EOFError, struct.error) as error:
        return f"is damaged or truncated: {error}"
    return ""


def _is_whole(data: bytes, kind: str | None) -> bool:
    """Whether the structure says that nothing is missing."""
    if kind == "JPEG":
        return _jpeg_is_whole(data)
    if kind == "PNG":
        return _png_is_whole(data)
    return kind == "WEBP" and int.from_bytes(data[4:8], "little") + 8 <= len(data)


def _jpeg_is_whole(data: bytes) -> bool:
    """Whether the end marker stands behind the start of the scan: one before it is that of an embedded thumbnail."""
    position = 2
    while data[position : position + 1] == b"\xff":
        marker = data[position + 1 : position + 2]
        if marker == b"\xda":
            return data.find(b"\xff\xd9", position) > 0
        padding = marker == b"\xff"
        position += 1 if padding else 2 + int.from_bytes(data[position + 2 : position + 4], "big")
    return False


def _png_is_whole(data: bytes) -> bool:
    """Whether every chunk has its checksum, to the last one."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.verify()
    except (OSError, SyntaxError, ValueError, EOFError, struct.error):
        return False
    return b"IEND" in data[-TAIL_BYTES:]


def hear(path: Path) -> Heard:
    """Return what the headers of a recording say.

    Raises `OSError` if the file cannot be read at all. What is missing at the end of an MP3 file shows only where its
    first frame says how long it is meant to be; every frame of one can be played by itself.
    """
    size = path.stat().st_size
    if size == 0:
        return Heard(EMPTY)
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        file.seek(_length_of_tags(head))
        frame = file.read(HEAD_BYTES)
        file.seek(-min(size, TAIL_BYTES), io.SEEK_END)
        tail = file.read()
        missing = missing_bytes(file)
    if frame.startswith(b"\xff") and _length_of_tags(head) + _said_by_mp3(frame) > size:
        return Heard(TRUNCATED)  # not opened, since the library would complain on the terminal
    try:
        with soundfile.SoundFile(path) as sound:
            frames, rate_hz, kind = sound.frames, sound.samplerate, sound.format
            if kind == "FLAC" and frames:
                sound.seek(frames - 1)
    except soundfile.SoundFileError as error:
        if head.startswith(b"fLaC"):
            return Heard(TRUNCATED)
        said = error.error_string if isinstance(error, soundfile.LibsndfileError) else error
        return Heard(f"is no recording that can be read: {said}")
    if missing or (kind == "OGG" and not _is_last_page(tail)):
        return Heard(TRUNCATED)
    if frames <= 0:
        return Heard("has no sound in it")
    return Heard("", frames / rate_hz)


def _is_last_page(tail: bytes) -> bool:
    """Whether the last page in the tail of an Ogg file has the flag that nothing follows."""
    page = tail.rfind(b"OggS")
    return page >= 0 and bool(tail[page + 5] & 4)


def _length_of_tags(head: bytes) -> int:
    """Return how many bytes of tags (ID3v2) there are before the first frame: seven bits of the number a byte."""
    if not head.startswith(b"ID3"):
        return 0
    return 10 + sum((byte & 127) << 7 * place for place, byte in enumerate(reversed(head[6:10])))


def _said_by_mp3(frame: bytes) -> int:
    """Return how many bytes the first frame says that there are from it on, 0 if it does not say."""
    for tag in (b"Xing", b"Info"):
        place = frame.find(tag)
        if place >= 0:
            flags = int.from_bytes(frame[place + 4 : place + 8], "big")
            start = place + 8 + (4 if flags & 1 else 0)  # behind the number of frames, where that is said
            return int.from_bytes(frame[start : start + 4], "big") if flags & 2 else 0
    return 0
