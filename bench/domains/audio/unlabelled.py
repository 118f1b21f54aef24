"""Recordings without labels."""

from bench.domains.audio.files import AudioFiles, decode_recording
from bench.domains.contract import Request, Unlabelled
from bench.domains.unlabelled import read_files


def read(request: Request) -> Unlabelled:
    """Return the recordings that a model is asked about, read like those that it was adapted to."""
    rate_hz, length = int(request.format["rate_hz"]), int(request.format["length"])
    found = read_files(request, lambda content, path: decode_recording(content, path, rate_hz))
    raw = AudioFiles(found.paths, found.hashes, rate_hz=rate_hz, length=length)
    return Unlabelled(raw, found.sources, found.problems)
