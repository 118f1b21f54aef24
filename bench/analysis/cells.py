"""The cells of a results folder as a table for whoever computes on: what `bench.load` returns."""

from pathlib import Path

import pandas as pd

from bench.analysis.tables import tabulate_cells
from bench.results.store import Store


def read_cells(folder: Path) -> pd.DataFrame:
    """Return a row per planned cell with the columns of `results.csv`, each of one type.

    Columns of words are of the type `str` even where every one of them is missing. Raises `StoreError` if there are no
    results in the folder.
    """
    store = Store(folder)
    cells = tabulate_cells(store.manifest, store.outcomes())
    words = cells.columns[cells.dtypes == "object"]
    return cells.astype(dict.fromkeys(words, "str"))
