"""Recordings in files, which are decoded when they are looked at and not before."""

from dataclasses import dataclass, replace
from io import BytesIO
from typing import ClassVar, Final

import numpy as np
import soundfile
from numpy.typing import NDArray
from scipy.signal import resample_poly

from bench.column import Indices
from bench.domain import DomainName, Raw
from bench.domains.audio.raw import AudioArray, Clip
from bench.errors import DataError
from bench.files.chunks import missing_bytes
from bench.files.stored import Change, Stored, named, read_unchanged

HIGHEST_RATE_HZ: Final = 1_000_000
"""More is not sound, but a damaged header."""

SLACK: Final = 0.05
"""Share of the samples that an mp3 file may lack of those it announces, which it may only estimate."""


@dataclass(frozen=True, slots=True, eq=False)
class AudioFiles:
    """Recordings in files, decoded to mono at `rate_hz` and cut or padded to `length` samples.

    `change` is what is done to each of these clips. For `hashes` see `ImageFiles`.
    """

    domain: ClassVar[DomainName] = "audio"
    streams: ClassVar[bool] = True
    paths: tuple[Stored, ...]
    hashes: tuple[str, ...]
    rate_hz: int
    length: int
    change: Change[Clip] | None = None

    def __len__(self) -> int:
        return len(self.paths)

    def take(self, indices: Indices) -> "AudioFiles":
        """Return the examples at `indices`."""
        return replace(
            self,
            paths=tuple(self.paths[index] for index in indices),
            hashes=tuple(self.hashes[index] for index in indices),
        )

    def columns(self) -> tuple[bytes, ...]:
        """Return the hashes of the files and how they are decoded and changed, for hashing."""
        return (f"{self.rate_hz} {self.length}".encode(), "\n".join(self.hashes).encode(), *named(self.change))

    def waveforms(self) -> AudioArray:
        """Return the recordings, read now.

        Raises `DataError` for a file that cannot be decoded, or holds other bytes than when it was hashed.
        """
        stored = zip(self.paths, self.hashes, strict=True)
        decoded = (
            decode_recording(read_unchanged(path, sha256, "recording"), path, self.rate_hz) for path, sha256 in stored
        )
        clips = (fit_length(samples, self.length) for samples in decoded)
        return AudioArray(np.stack([self.change.of(clip) if self.change else clip for clip in clips]), self.rate_hz)


def expect_recordings(raw: Raw) -> AudioArray | AudioFiles:
    """Return raw examples as the recordings that they are."""
    assert isinstance(raw, AudioArray | AudioFiles), f"expected recordings, got {type(raw).__name__}"
    return raw


def decode_recording(content: bytes, path: Stored, rate_hz: int) -> Clip:
    """Return the recording in the bytes of `path` as mono float32 [length] in [-1, 1] at `rate_hz`.

    Channels are averaged. It is as precise as its file, up to 24 bits: one of 16 bits at this rate is exactly what
    `from_16_bits` gives. What is louder than the full scale, as a file of floats or a changed rate may be, is cut off
    there.

    Raises `DataError` if the bytes cannot be decoded to their end, or hold no sound or what is no number.
    """
    try:
        with soundfile.SoundFile(BytesIO(content)) as file:
            promised, own_rate = file.frames, file.samplerate
            samples = file.read(dtype="float32", always_2d=True)  # [length, channels]
    except (OSError, ValueError, MemoryError, soundfile.SoundFileError) as error:
        raise DataError(f"cannot read the recording {path}: {error}") from error
    _check_recording(path, samples, promised=promised, rate_hz=own_rate, missing=missing_bytes(BytesIO(content)))
    mono = samples.mean(axis=1)
    if own_rate != rate_hz:
        shared = int(np.gcd(own_rate, rate_hz))
        mono = resample_poly(mono, rate_hz // shared, own_rate // shared)
    decoded: Clip = mono.clip(-1.0, 1.0).astype(np.float32)
    return decoded


def _check_recording(path: Stored, samples: NDArray[np.float32], *, promised: int, rate_hz: int, missing: int) -> None:
    """Raise `DataError` for a recording that is empty, cut off or no sound."""
    fault = ""
    if not 0 < rate_hz <= HIGHEST_RATE_HZ:
        fault = f"it says that it has {rate_hz} samples a second"
    elif not len(samples):
        fault = "it holds no sound"
    elif len(samples) < (1 - SLACK) * promised:
        fault = f"it ends after {len(samples)} of {promised} samples"
    elif missing:
        fault = f"it ends {missing} bytes too early"
    elif not np.isfinite(samples).all():
        fault = "it holds samples that are no numbers"
    if fault:
        raise DataError(f"cannot read the recording {path}: {fault}; replace it, or leave it out")


def fit_length(samples: Clip, length: int) -> Clip:
    """Return the middle `length` samples of a longer recording, or a shorter one with silence on both sides."""
    surplus = len(samples) - length
    if surplus >= 0:
        return samples[surplus // 2 : surplus // 2 + length]
    return np.pad(samples, (-surplus // 2, -surplus - -surplus // 2))
