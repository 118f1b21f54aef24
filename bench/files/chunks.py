"""Whether the sound of a wav or aiff file reaches to its end: the one place that decides it."""

import io
from collections.abc import Mapping
from typing import BinaryIO, Final, Literal, NamedTuple


class Layout(NamedTuple):
    """How a family of files is laid out: which chunk holds the sound, and how numbers are written."""

    sound: bytes
    order: Literal["little", "big"]


# Multimedia Programming Interface and Data Specifications 1.0 (RIFF), Audio Interchange File Format 1.3 (FORM)
LAYOUTS: Final[Mapping[bytes, Layout]] = {
    b"RIFF": Layout(b"data", "little"),
    b"RIFX": Layout(b"data", "big"),
    b"FORM": Layout(b"SSND", "big"),
}

FILE_HEADER_BYTES: Final = 12  # what it is, size of the rest, kind of content
CHUNK_HEADER_BYTES: Final = 8  # what it is, size of the rest

SLACK_BYTES: Final = 44
"""How much more a file may announce than it holds: the headers of a plain wav file, which careless programs count as
sound, all or some of them. It is 22 samples of 16 bits, 1.4 ms at 16 kHz."""

UNKNOWN_SIZE: Final = 0x7F00_0000
"""Bytes from which a size is a stand-in for one that was not known when the file was begun, and could not be put right
afterwards: 0xFFFFFFFF (ffmpeg), 0x7FFFF000 (sox), 0x7FFFFFFF and others."""


def missing_bytes(file: BinaryIO) -> int:
    """Return how many bytes of sound a wav or aiff file lacks of those that it announces; 0 for other files.

    The size in the header of the file is not asked: many programs write it wrong, by the length of one header or
    another, and it counts what stands behind the sound. The chunk of the sound has a size of its own. Files without
    it, and those with sizes of 64 bits (RF64, Wave64), are left to the decoder.
    """
    length = file.seek(0, io.SEEK_END)
    file.seek(0)
    layout = LAYOUTS.get(file.read(FILE_HEADER_BYTES)[:4])
    if layout is None:
        return 0
    start = FILE_HEADER_BYTES
    while start + CHUNK_HEADER_BYTES <= length:
        file.seek(start)
        header = file.read(CHUNK_HEADER_BYTES)
        size = int.from_bytes(header[4:], layout.order)
        end = start + CHUNK_HEADER_BYTES + size
        if header[:4] == layout.sound:
            return end - length if end - length > SLACK_BYTES and size < UNKNOWN_SIZE else 0
        file.seek(end)
        start = end + (size % 2 == 1 and file.read(1) == b"\0")  # chunks begin at even places, if they are padded
    return 0
