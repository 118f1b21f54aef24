"""Pictures in files, which are decoded when they are looked at and not before."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from io import BytesIO
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from bench.column import Indices
from bench.domain import DomainName, Raw
from bench.domains.vision.raw import ImageArray
from bench.errors import DataError
from bench.files.stored import Change, Stored, named, read_unchanged

WHITE_OF_16_BITS: Final = 65_535


@dataclass(frozen=True, slots=True, eq=False)
class ImageFiles:
    """Pictures of any size in files, `hashes` [n] the sha256 of their bytes; `change` is what they are seen through.

    Bytes of another hash are never shown: what is kept under the hashes was made of what they name.
    """

    domain: ClassVar[DomainName] = "vision"
    streams: ClassVar[bool] = True
    paths: tuple[Stored, ...]
    hashes: tuple[str, ...]
    change: Change[NDArray[np.uint8]] | None = None

    def __len__(self) -> int:
        return len(self.paths)

    def take(self, indices: Indices) -> "ImageFiles":
        """Return the examples at `indices`."""
        return replace(
            self,
            paths=tuple(self.paths[index] for index in indices),
            hashes=tuple(self.hashes[index] for index in indices),
        )

    def columns(self) -> tuple[bytes, ...]:
        """Return the hashes of the files, and how they are changed if they are, for hashing."""
        return ("\n".join(self.hashes).encode(), *named(self.change))

    def pictures(self) -> Iterator[NDArray[np.uint8]]:
        """Yield each picture as uint8 [height, width, 3].

        Raises `DataError` for a file that cannot be decoded, or holds other bytes than when it was hashed.
        """
        stored = zip(self.paths, self.hashes, strict=True)
        seen = (decode_picture(read_unchanged(path, sha256, "picture"), path) for path, sha256 in stored)
        return map(self.change.of, seen) if self.change else seen


def expect_pictures(raw: Raw) -> ImageArray | ImageFiles:
    """Return raw examples as the pictures that they are."""
    assert isinstance(raw, ImageArray | ImageFiles), f"expected pictures, got {type(raw).__name__}"
    return raw


def pixels_in_memory(raw: Raw) -> NDArray[np.uint8] | None:
    """Return pictures as uint8 [n, height, width, channels], None if they are in files and may be of any size."""
    pictures = expect_pictures(raw)
    return pictures.pixels if isinstance(pictures, ImageArray) else None


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
