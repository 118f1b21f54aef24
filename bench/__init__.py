"""The benchmark of transfer learning: what a pretrained backbone is worth, at your number of labels."""

from typing import Final

__version__: Final = "0.1.0"
