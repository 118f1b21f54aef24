"""The tracker `notebook`, which writes a line for each cell, and the executor `backwards`, which begins at the end."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

from bench.execution.executors.in_process import execute_here
from bench.execution.executors.starting import EngineSettings
from bench.execution.output import CellOutput
from bench.planning.plan import Job
from bench.tracking.tracker import TrackedCell, Tracker


class Notebook(Tracker):
    """Lines in `notebook.txt`, in the folder of the results."""

    ERRORS: ClassVar[tuple[type[Exception], ...]] = (OSError,)

    def __init__(self, suite: str, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / "notebook.txt"

    def log(self, cell: TrackedCell) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(f"{cell.strategy} {cell.reason or 'scored'}\n")


def execute_backwards(jobs: Sequence[Job], *, workers: int, settings: EngineSettings) -> Iterator[CellOutput]:
    """Yield the outcome of each cell, those of the last job first, from this process alone."""
    yield from execute_here(jobs[::-1], settings=settings)
