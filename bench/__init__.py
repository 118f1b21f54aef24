"""The benchmark of transfer learning: what a pretrained backbone is worth, at your number of labels."""

from pathlib import Path
from typing import TYPE_CHECKING

from bench.versions import VERSION

if TYPE_CHECKING:
    import pandas as pd

__version__ = VERSION


def load(folder: str | Path) -> "pd.DataFrame":
    """Return a results folder as a table: a row per planned cell, the columns of `results.csv`.

    Names of tasks, backbones and strategies are categories in the order of the config; a number that is missing, since
    its cell failed or was not run, is missing here too. Raises `StoreError` if there are no results in the folder.
    """
    # This file is read before anything else of the package, and tables take half a second to load that `--help` and
    # `list` need not wait for.
    from bench.analysis.cells import read_cells  # noqa: PLC0415 (see above)

    return read_cells(Path(folder))
