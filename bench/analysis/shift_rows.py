"""The rows of scores under shift: one per ordinary cell and shift."""

from collections.abc import Iterable, Mapping
from typing import Final

import pandas as pd

from bench.cell import ALL_STREAMS, Cell, Outcome, Result
from bench.results.manifest import Manifest

SHIFT_COLUMNS: Final = ("task", "backbone", "strategy", "budget", "seed", "shift", "title", "score", "chance")


def orders_of(manifest: Manifest) -> dict[str, Iterable[str]]:
    """Return the columns that name a point of a curve, each with its names in the order of every table."""
    budgets = map(str, sorted({cell.budget for cell in manifest.cells}))
    return {
        "task": manifest.tasks,
        "backbone": manifest.backbones,
        "strategy": manifest.strategies,
        "budget": budgets,
    }


def tabulate_shifts(manifest: Manifest, outcomes: Mapping[Cell, Outcome | None]) -> pd.DataFrame:
    """Return a row per ordinary cell and shift with `SHIFT_COLUMNS`, in the order of the manifest; often without any.

    Names are ordered categories; the shifts of a cell stay in the order in which they were taken.
    """
    rows = [
        (cell.task, cell.backbone, cell.strategy, str(cell.budget), cell.seed, *taken)
        for cell, outcome in outcomes.items()
        if cell.varied == ALL_STREAMS and isinstance(outcome, Result)
        for taken in ((one.shift, one.title, one.score, one.chance) for one in outcome.shifted)
    ]
    shifts = pd.DataFrame.from_records(rows, columns=list(SHIFT_COLUMNS))
    shifts = shifts.astype({"seed": "int64", "score": "float64", "chance": "float64"})
    for column, names in orders_of(manifest).items():
        shifts[column] = pd.Categorical(shifts[column], categories=list(names), ordered=True)
    return shifts.sort_values(["task", "backbone", "strategy", "budget", "seed"], kind="stable", ignore_index=True)
