"""Owns reading pictures and recordings from their files, when they are looked at and not before."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Final

import numpy as np
import soundfile
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError
from scipy.signal import resample_poly

from bench.domain import Domain, Indices, Waveforms
from bench.errors import DataError

LOUDEST: Final = 32_767


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """Pictures of any size in files, `hashes` [n] the sha256 of their bytes."""

    domain: ClassVar[Domain] = "vision"
    paths: tuple[Path, ...]
    hashes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.paths)

    def take(self, indices: Indices) -> "Pictures":
        """Return the examples at `indices`."""
        return Pictures(tuple(self.paths[index] for index in indices), tuple(self.hashes[index] for index in indices))

    def columns(self) -> tuple[bytes, ...]:
        """Return the hashes of the files, for hashing."""
        return ("\n".join(self.hashes).encode(),)

    def pictures(self) -> Iterator[NDArray[np.uint8]]:
        """Yield each picture as uint8 [height, width, 3]. Raises `DataError` for a file that cannot be decoded."""
        return (read_picture(path) for path in self.paths)


@dataclass(frozen=True, slots=True, eq=False)
class Recordings:
    """Recordings in files, to be heard as mono at `rate_hz` and cut or padded to `length` samples."""

    domain: ClassVar[Domain] = "audio"
    paths: tuple[Path, ...]
    hashes: tuple[str, ...]
    rate_hz: int
    length: int

    def __len__(self) -> int:
        return len(self.paths)

    def take(self, indices: Indices) -> "Recordings":
        """Return the examples at `indices`."""
        return replace(
            self,
            paths=tuple(self.paths[index] for index in indices),
            hashes=tuple(self.hashes[index] for index in indices),
        )

    def columns(self) -> tuple[bytes, ...]:
        """Return the hashes of the files and how they are heard, for hashing."""
        return (f"{self.rate_hz} {self.length}".encode(), "\n".join(self.hashes).encode())

    def waveforms(self) -> Waveforms:
        """Return the recordings, read now. Raises `DataError` for a file that cannot be decoded."""
        clips = [fit_length(read_recording(path, self.rate_hz), self.length) for path in self.paths]
        return Waveforms(np.stack(clips), self.rate_hz)


def read_picture(path: Path) -> NDArray[np.uint8]:
    """Return a picture as uint8 [height, width, 3], turned as its camera says, transparency on white.

    Raises `DataError` if the file cannot be decoded to its end.
    """
    try:
        with Image.open(path) as opened:
            image = ImageOps.exif_transpose(opened)
            if image.has_transparency_data:
                image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
            return np.array(image.convert("RGB"))  # a copy: what shares memory with a picture cannot be written
    except (OSError, UnidentifiedImageError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise DataError(f"cannot read the picture {path}: {error}") from error


def read_recording(path: Path, rate_hz: int) -> NDArray[np.int16]:
    """Return a recording as mono int16 [length] at `rate_hz`. Raises `DataError` if the file cannot be decoded."""
    try:
        samples, own_rate = soundfile.read(path, dtype="float32", always_2d=True)  # [length, channels]
    except (OSError, soundfile.SoundFileError) as error:
        raise DataError(f"cannot read the recording {path}: {error}") from error
    mono = samples.mean(axis=1)
    if own_rate != rate_hz:
        shared = int(np.gcd(own_rate, rate_hz))
        mono = resample_poly(mono, rate_hz // shared, own_rate // shared)
    scaled: NDArray[np.int16] = (mono * LOUDEST).round().clip(-LOUDEST - 1, LOUDEST).astype(np.int16)
    return scaled


def fit_length(samples: NDArray[np.int16], length: int) -> NDArray[np.int16]:
    """Return the middle `length` samples of a longer recording, or a shorter one with silence on both sides."""
    surplus = len(samples) - length
    if surplus >= 0:
        return samples[surplus // 2 : surplus // 2 + length]
    return np.pad(samples, (-surplus // 2, -surplus - -surplus // 2))
