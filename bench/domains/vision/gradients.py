"""Classical features of pictures: oriented gradients and a thumbnail, to be read by a linear model.

Histograms of oriented gradients (Dalal and Triggs 2005, doi:10.1109/CVPR.2005.177) say where the edges are, the
thumbnail what is bright and of which colour where. Chosen on parts of training splits: on 8 x 8 digits the gradients
leave three quarters of the errors of pixels at 13 labels and a quarter at 948; on photographs of two insects it is the
thumbnail that tells them apart.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from skimage.feature import hog

from bench.domain import Raw
from bench.domains.contract import Floats
from bench.domains.vision.files import expect_pictures

SIDE: Final = 32  # pixels, of the square that gradients are counted in, whatever shape the picture has
CELL: Final = 8
BLOCK: Final = 2  # cells to a side; four histograms share one normalisation
ORIENTATIONS: Final = 9
THUMBNAIL: Final = 8
WHITE: Final = 255


def describe(raw: Raw) -> Floats:
    """Return float32 [n, 324 + 64 * channels]: block-normalised histograms, then a thumbnail from 0 to 1.

    One picture is held at its full size at a time.
    """
    return np.stack([_describe(picture) for picture in expect_pictures(raw).pictures()])


def _describe(picture: NDArray[np.uint8]) -> Floats:
    grey = picture.shape[2] == 1
    image = Image.fromarray(picture[..., 0] if grey else picture)
    histograms = hog(
        np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BILINEAR)),
        orientations=ORIENTATIONS,
        pixels_per_cell=(CELL, CELL),
        cells_per_block=(BLOCK, BLOCK),
        channel_axis=None if grey else -1,
    )
    thumbnail = np.asarray(image.resize((THUMBNAIL, THUMBNAIL), Image.Resampling.BILINEAR)) / WHITE
    return np.concatenate((histograms, thumbnail.ravel())).astype(np.float32)
