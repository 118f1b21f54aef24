"""The row `suite`: `python -m bench run --suite all` with an empty cache and an empty results folder.

It runs as its user runs it, with as many workers as it takes by itself; only the peak of its memory is looked at.
"""

import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from benchmarks import ours
from benchmarks.harness import Settings, spread
from benchmarks.processes import GB, Watched, watch
from benchmarks.table import Row, Target


def measure(settings: Settings) -> Iterator[Row]:
    """Yield a row for time and one for memory."""
    name, watched = suite_name(settings), whole_suite(settings)
    n_cells, workers = len(ours.plan(suite=name)), ours.workers(settings.device)
    yield Row(
        name="suite, time",
        compares="run --suite all",
        value=spread([watched.seconds / 60]),
        unit="min",
        target=Target(10, at_most=True),
        note=f"`--suite {name}`: {n_cells} cells, {workers} workers, cold cache, report included.",
    )
    shared = watched.proportional_bytes
    yield Row(
        name="suite, memory",
        compares="peak of its processes",
        value=spread([watched.resident_bytes / GB]),
        unit="GB",
        target=Target(3, at_most=True),
        note="sum of resident memory" + (f"; shared pages counted once: {shared / GB:.2f} GB." if shared else "."),
    )


def suite_name(settings: Settings) -> str:
    """Return the suite that is run."""
    return "smoke" if settings.quick else "all"


@cache
def whole_suite(settings: Settings) -> Watched:
    """Return what the whole suite takes, measured once in a run however many rows ask."""
    with tempfile.TemporaryDirectory() as folder:
        where = ["--out", str(Path(folder) / "results"), "--device", settings.device]
        return watch(
            ours.command("run", "--suite", suite_name(settings), *where),
            environment={"BENCH_CACHE": str(Path(folder) / "cache")},
        )
