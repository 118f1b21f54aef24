"""What the domain `audio` says of itself."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.domain import Raw
from bench.domains.contract import (
    FEATURES,
    LABELLED,
    Domain,
    Features,
    FileReader,
    Format,
    Noun,
    Perceived,
    Request,
    Unlabelled,
    UnlabelledReader,
)
from bench.domains.options import DataOptions
from bench.domains.shift import Shift
from bench.files.stored import Finding, Stored

if TYPE_CHECKING:
    from bench.backbone import Backbone

SUFFIXES: Final = (".wav", ".flac", ".ogg", ".mp3")
AUDIO_FORMAT: Final = frozenset({"rate_hz", "seconds"})
LONGEST_SECONDS: Final = 10.0


def _look(path: Path) -> Finding:
    from bench.domains.audio import integrity  # noqa: PLC0415 (loads a decoder)

    return integrity.look(path)


def _look_at_bytes(content: bytes) -> Finding:
    from bench.domains.audio import integrity  # noqa: PLC0415 (loads a decoder)

    return integrity.look_at_bytes(content)


def _read(stored: Sequence[Stored], findings: Sequence[Finding], options: DataOptions) -> Perceived:
    """Return recordings that are cut or padded to the longest of them, if that is not too long."""
    from bench.domains.audio.files import AudioFiles  # noqa: PLC0415 (loads a decoder)

    longest = max((found.seconds for found in findings), default=0.0)
    seconds = options.seconds or min(longest, LONGEST_SECONDS)
    length = max(1, round(seconds * options.rate_hz))
    said = f" Resampled to {options.rate_hz} Hz, cut or padded to {seconds:.3g} s; the longest lasts {longest:.3g} s."
    hashes = tuple(found.sha256 for found in findings)
    return Perceived(AudioFiles(tuple(stored), hashes, options.rate_hz, length), (options.rate_hz, length), said)


def _input_format(raw: Raw) -> Format:
    from bench.domains.audio.files import expect_recordings  # noqa: PLC0415 (loads a decoder)

    recordings = expect_recordings(raw)
    return {"rate_hz": recordings.rate_hz, "length": recordings.length}


def _read_unlabelled(request: Request) -> Unlabelled:
    from bench.domains.audio import unlabelled  # noqa: PLC0415 (loads a decoder)

    return unlabelled.read(request)


def _shifts() -> Sequence[Shift]:
    from bench.domains.audio import shifts  # noqa: PLC0415 (loads a decoder)

    return shifts.SHIFTS


def _features() -> Features:
    from bench.domains.audio import bands  # noqa: PLC0415 (loads torchaudio, a second)

    return Features("statistics of mel bands", bands.describe)


def _small(raw: Raw) -> "Backbone":
    from bench.domains.audio import small  # noqa: PLC0415 (loads torch)

    return small.BandNetwork()


DOMAIN: Final = Domain(
    name="audio",
    family="audio_classification",
    noun=Noun("recording", "recordings"),
    addresses=frozenset({"folder", "csv", "torchaudio", "hf", "python"}),
    options=LABELLED | AUDIO_FORMAT | {"audio"},
    suffixes={"recording": SUFFIXES},
    backbone="bundled:spoken-words",
    column="audio",
    files=FileReader(look=_look, look_at_bytes=_look_at_bytes, read=_read, options=AUDIO_FORMAT, hub_feature="Audio"),
    unlabelled=UnlabelledReader(read=_read_unlabelled),
    small=_small,
    shifts=_shifts,
    offers=frozenset({FEATURES}),
    features=_features,
    input_format=_input_format,
)
