"""The row `report`: tables, charts and page of a large results folder, in a process of its own."""

import importlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks import ours
from benchmarks.harness import Settings, spread
from benchmarks.processes import GB, watch
from benchmarks.table import Row, Target

CELLS: Final = 20_000
QUICK_CELLS: Final = 500


def measure(settings: Settings) -> Iterator[Row]:
    """Yield a row for time and one for memory."""
    n_cells = QUICK_CELLS if settings.quick else CELLS
    with tempfile.TemporaryDirectory() as folder:
        importlib.import_module("benchmarks.synthetic_store").synthetic_store(Path(folder), cells=n_cells)
        watched = watch(ours.command("report", folder))
    yield Row(
        name="report, time",
        compares="report of many cells",
        value=spread([watched.seconds]),
        unit="s",
        target=Target(20, at_most=True),
        note=f"{n_cells} synthetic cells, `python -m bench report`, start-up included.",
    )
    yield Row(
        name="report, memory",
        compares="peak of its processes",
        value=spread([watched.resident_bytes / GB]),
        unit="GB",
        target=Target(1, at_most=True),
        note="sum of resident memory.",
    )
