"""Owns the rows of scores under shift: one per ordinary cell and shift."""

from collections.abc import Mapping
from typing import Final

import pandas as pd

from bench.cell import ALL_STREAMS, Cell, Outcome, Result
from bench.results.manifest import Manifest

SHIFT_COLUMNS: Final = ("task", "backbone", "strategy", "fraction", "seed", "shift", "title", "score", "chance")


def tabulate_shifts(manifest: Manifest, outcomes: Mapping[Cell, Outcome | None]) -> pd.DataFrame:
    """Return a row per ordinary cell and shift with `SHIFT_COLUMNS`, in the order of the manifest; often without any.

    Names are ordered categories; the shifts of a cell stay in the order in which they were taken.
    """
    rows = [
        (cell.task, cell.backbone, cell.strategy, cell.fraction, cell.seed, *taken)
        for cell, outcome in outcomes.items()
        if cell.varied == ALL_STREAMS and isinstance(outcome, Result)
        for taken in ((one.shift, one.title, one.score, one.chance) for one in outcome.shifted)
    ]
    shifts = pd.DataFrame.from_records(rows, columns=list(SHIFT_COLUMNS))
    shifts = shifts.astype({"fraction": "float64", "seed": "int64", "score": "float64", "chance": "float64"})
    orders = {"task": manifest.tasks, "backbone": manifest.backbones, "strategy": manifest.strategies}
    for column, names in orders.items():
        shifts[column] = pd.Categorical(shifts[column], categories=list(names), ordered=True)
    return shifts.sort_values(["task", "backbone", "strategy", "fraction", "seed"], kind="stable", ignore_index=True)
