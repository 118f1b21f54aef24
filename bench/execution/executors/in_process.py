"""Execution in this process: one cell after the other, as on a GPU and in tests."""

from collections.abc import Iterator, Sequence

from bench.execution.executors.starting import EngineSettings, start_engine
from bench.execution.output import CellOutput
from bench.planning.plan import Job


def execute_here(jobs: Sequence[Job], *, settings: EngineSettings, workers: int = 1) -> Iterator[CellOutput]:
    """Yield the outcome of each cell, in order; this process is the only one of the `workers`."""
    engine = start_engine(settings)
    for job in jobs:
        yield from engine.run(job)
