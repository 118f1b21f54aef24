"""Telling whether the file of a picture is whole, without decoding it where that can be avoided."""

import hashlib
import io
import struct
from pathlib import Path
from typing import Final

from PIL import Image, UnidentifiedImageError

from bench.files.stored import EMPTY, Finding

TAIL_BYTES: Final = 65_536  # in which the last chunk of a whole file lies


def look(path: Path) -> Finding:
    """Return hash and integrity of a picture, read once. Raises `OSError` if the file cannot be read at all."""
    return look_at_bytes(path.read_bytes())


def look_at_bytes(content: bytes) -> Finding:
    """Return hash and integrity of the picture in a file's content."""
    return Finding(hashlib.sha256(content).hexdigest(), picture_problem(content))


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
