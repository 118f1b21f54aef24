"""Owns reading pictures and recordings from their files, when they are looked at and not before."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from io import BytesIO
from typing import ClassVar, Final, Generic, Protocol, TypeVar

import numpy as np
import soundfile
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError
from scipy.signal import resample_poly

from bench.domain import Domain, Indices, Waveforms
from bench.errors import DataError
from bench.files.chunks import missing_bytes

FULL_SCALE: Final = 32_768
WHITE_OF_16_BITS: Final = 65_535

HIGHEST_RATE_HZ: Final = 1_000_000
"""More is not sound, but a damaged header."""

SLACK: Final = 0.05
"""Share of the samples that an mp3 file may lack of those it announces, which it may only estimate."""


class Stored(Protocol):
    """The bytes of a file: a `Path`, or a cell of a table (`bench.files.embedded`). As a string it says which."""

    def read_bytes(self) -> bytes:
        """Return them."""


Example = TypeVar("Example")


@dataclass(frozen=True, slots=True, eq=False)
class Change(Generic[Example]):
    """What is done to each example when it is read, and nothing but the example decides; `name` says what it is."""

    name: str
    of: Callable[[Example], Example]


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """Pictures of any size in files, `hashes` [n] the sha256 of their bytes; `change` is what they are seen through.

    Bytes of another hash are never shown: what is kept under the hashes was made of what they name.
    """

    domain: ClassVar[Domain] = "vision"
    paths: tuple[Stored, ...]
    hashes: tuple[str, ...]
    change: Change[NDArray[np.uint8]] | None = None

    def __len__(self) -> int:
        return len(self.paths)

    def take(self, indices: Indices) -> "Pictures":
        """Return the examples at `indices`."""
        return replace(
            self,
            paths=tuple(self.paths[index] for index in indices),
            hashes=tuple(self.hashes[index] for index in indices),
        )

    def columns(self) -> tuple[bytes, ...]:
        """Return the hashes of the files, and how they are changed if they are, for hashing."""
        return ("\n".join(self.hashes).encode(), *_named(self.change))

    def pictures(self) -> Iterator[NDArray[np.uint8]]:
        """Yield each picture as uint8 [height, width, 3].

        Raises `DataError` for a file that cannot be decoded, or holds other bytes than when it was hashed.
        """
        stored = zip(self.paths, self.hashes, strict=True)
        seen = (decode_picture(read_unchanged(path, sha256, "picture"), path) for path, sha256 in stored)
        return map(self.change.of, seen) if self.change else seen


@dataclass(frozen=True, slots=True, eq=False)
class Recordings:
    """Recordings in files, to be heard as mono at `rate_hz` and cut or padded to `length` samples.

    `change` is what is done to each of these clips. For `hashes` see `Pictures`.
    """

    domain: ClassVar[Domain] = "audio"
    paths: tuple[Stored, ...]
    hashes: tuple[str, ...]
    rate_hz: int
    length: int
    change: Change[NDArray[np.int16]] | None = None

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
        """Return the hashes of the files and how they are heard and changed, for hashing."""
        return (f"{self.rate_hz} {self.length}".encode(), "\n".join(self.hashes).encode(), *_named(self.change))

    def waveforms(self) -> Waveforms:
        """Return the recordings, read now.

        Raises `DataError` for a file that cannot be decoded, or holds other bytes than when it was hashed.
        """
        stored = zip(self.paths, self.hashes, strict=True)
        heard = (
            decode_recording(read_unchanged(path, sha256, "recording"), path, self.rate_hz) for path, sha256 in stored
        )
        clips = (fit_length(samples, self.length) for samples in heard)
        return Waveforms(np.stack([self.change.of(clip) if self.change else clip for clip in clips]), self.rate_hz)


def _named(change: Change[Example] | None) -> tuple[bytes, ...]:
    return (change.name.encode(),) if change else ()


def read_stored(path: Stored, noun: str) -> bytes:
    """Return the bytes of a file, a picture or a recording (`noun`). Raises `DataError` if it cannot be read."""
    try:
        return path.read_bytes()
    except (OSError, ValueError, MemoryError) as error:
        raise DataError(f"cannot read the {noun} {path}: {error}") from error


def read_unchanged(path: Stored, sha256: str, noun: str) -> bytes:
    """Return the bytes of a file that was hashed before. Raises `DataError` if they are others by now."""
    content = read_stored(path, noun)
    if hashlib.sha256(content).hexdigest() != sha256:
        raise DataError(f"the {noun} {path} changed since it was looked at: give the same command once more")
    return content


def read_picture(path: Stored) -> NDArray[np.uint8]:
    """Return the picture in a file: see `decode_picture`. Raises `DataError` also if the file cannot be read."""
    return decode_picture(read_stored(path, "picture"), path)


def decode_picture(content: bytes, path: Stored) -> NDArray[np.uint8]:
    """Return the picture in the bytes of `path` as uint8 [height, width, 3], turned as its camera says, on white.

    Of a moving one it is the first picture. Raises `DataError` if the bytes cannot be decoded to their end, or hold
    numbers for which no file says how bright they are.
    """
    try:
        with Image.open(BytesIO(content)) as opened:
            image = _eight_bits(ImageOps.exif_transpose(opened), path)
            if image.has_transparency_data:
                image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
            return np.array(image.convert("RGB"))  # a copy, which PyTorch wants to be writable
    except UnidentifiedImageError as error:
        raise DataError(f"cannot read the picture {path}: it is of no format that is known") from error
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise DataError(f"cannot read the picture {path}: {error}") from error


def _eight_bits(image: Image.Image, path: Stored) -> Image.Image:
    """Return a grey picture of 16 bits as one of 8, and any other as it is; Pillow would cut off what is above 255."""
    if not image.mode.startswith(("I", "F")):
        return image
    grey = np.asarray(image)
    if image.mode == "F" or grey.min() < 0 or grey.max() > WHITE_OF_16_BITS:
        raise DataError(
            f"cannot read the picture {path}: its grey values, from {grey.min():g} to {grey.max():g}, are not of 8 or "
            "16 bits, so that it is not known what is white; save it with 8 or 16 bits"
        )
    share = grey.astype(np.float64) / WHITE_OF_16_BITS
    return Image.fromarray((share * 255).round().astype(np.uint8))


def read_recording(path: Stored, rate_hz: int) -> NDArray[np.int16]:
    """Return the recording in a file: see `decode_recording`. Raises `DataError` also if the file cannot be read."""
    return decode_recording(read_stored(path, "recording"), path, rate_hz)


def decode_recording(content: bytes, path: Stored, rate_hz: int) -> NDArray[np.int16]:
    """Return the recording in the bytes of `path` as mono int16 [length] at `rate_hz`, the mean of its channels.

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
    scaled: NDArray[np.int16] = (mono * FULL_SCALE).round().clip(-FULL_SCALE, FULL_SCALE - 1).astype(np.int16)
    return scaled


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


def fit_length(samples: NDArray[np.int16], length: int) -> NDArray[np.int16]:
    """Return the middle `length` samples of a longer recording, or a shorter one with silence on both sides."""
    surplus = len(samples) - length
    if surplus >= 0:
        return samples[surplus // 2 : surplus // 2 + length]
    return np.pad(samples, (-surplus // 2, -surplus - -surplus // 2))
