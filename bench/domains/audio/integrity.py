"""Telling whether the file of a recording is whole, without decoding it where that can be avoided."""

import hashlib
import io
from io import BytesIO
from pathlib import Path
from typing import Final, NamedTuple

import soundfile

from bench.files.chunks import missing_bytes
from bench.files.stored import EMPTY, TRUNCATED, Finding
from bench.runtime.cache import file_sha256

TAIL_BYTES: Final = 65_536  # an Ogg page is at most 65,307 bytes long
HEAD_BYTES: Final = 4_096


class Headers(NamedTuple):
    """What the headers of a recording say: its length in seconds, or the `problem` that leaves it out."""

    problem: str
    seconds: float = 0.0


def look(path: Path) -> Finding:
    """Return hash, integrity and length of a recording. Raises `OSError` if the file cannot be read at all."""
    sha256 = file_sha256(path)
    found = read_headers(path)
    return Finding(sha256, found.problem, found.seconds)


def look_at_bytes(content: bytes) -> Finding:
    """Return hash, integrity and length of the recording in a file's content."""
    sha256 = hashlib.sha256(content).hexdigest()
    try:
        found = soundfile.info(BytesIO(content))
    except soundfile.SoundFileError as error:
        return Finding(sha256, f"is no recording that can be read: {error}")
    if missing_bytes(BytesIO(content)):
        return Finding(sha256, TRUNCATED)
    return Finding(sha256, "" if found.frames else "has no sound in it", found.frames / found.samplerate)


def read_headers(path: Path) -> Headers:
    """Return what the headers of a recording say.

    Raises `OSError` if the file cannot be read at all. What is missing at the end of an MP3 file shows only where its
    first frame says how long it is meant to be; every frame of one can be played by itself.
    """
    size = path.stat().st_size
    if size == 0:
        return Headers(EMPTY)
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        file.seek(_length_of_tags(head))
        frame = file.read(HEAD_BYTES)
        file.seek(-min(size, TAIL_BYTES), io.SEEK_END)
        tail = file.read()
        missing = missing_bytes(file)
    if frame.startswith(b"\xff") and _length_of_tags(head) + _said_by_mp3(frame) > size:
        return Headers(TRUNCATED)  # not opened, since the library would complain on the terminal
    try:
        with soundfile.SoundFile(path) as sound:
            frames, rate_hz, kind = sound.frames, sound.samplerate, sound.format
            if kind == "FLAC" and frames:
                sound.seek(frames - 1)
    except soundfile.SoundFileError as error:
        if head.startswith(b"fLaC"):
            return Headers(TRUNCATED)
        said = error.error_string if isinstance(error, soundfile.LibsndfileError) else error
        return Headers(f"is no recording that can be read: {said}")
    if missing or (kind == "OGG" and not _is_last_page(tail)):
        return Headers(TRUNCATED)
    if frames <= 0:
        return Headers("has no sound in it")
    return Headers("", frames / rate_hz)


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
