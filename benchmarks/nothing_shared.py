"""The row `nothing_shared`: the whole suite with every cell alone in a process of its own, over ours.

Each run has an empty cache and an empty results folder, so it makes its data, loads its backbone and runs its frozen
stages for itself; as many run at a time as the product has workers. A sample is measured: of every task and strategy
the cells of seed 0 at the budgets 0.03 and all. A cell between them takes a share of the way from the one's seconds to
the other's, as its gradient steps lie between theirs, or for probes its labels; smaller budgets count as 0.03, and all
seeds alike.
"""

import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks import ours
from benchmarks.harness import Settings, spread
from benchmarks.processes import watch
from benchmarks.scaling import Alone, scaled
from benchmarks.suite import suite_name, whole_suite
from benchmarks.table import Row, Target

SMALL: Final = ours.Share(0.03)
LARGE: Final = ours.ALL
QUICK_LARGE: Final = ours.Share(0.1)
"""The largest budget of the suite `smoke`."""


def measure(settings: Settings) -> Iterator[Row]:
    """Yield the row."""
    suite, workers = suite_name(settings), ours.workers(settings.device)
    cells = ours.plan(suite=suite)
    budgets = (SMALL, QUICK_LARGE if settings.quick else LARGE)
    sample = [one for one in cells if one.cell.budget in budgets and one.cell.seed == 0]
    with ThreadPoolExecutor(workers) as pool:
        measured = dict(zip(sample, pool.map(partial(run_alone, settings=settings), sample), strict=True))
    alone = sum(scaled(cells, measured))
    reports = len(cells) * sum(one.report_seconds for one in measured.values()) / len(measured)
    shared = whole_suite(settings).seconds
    yield Row(
        name="nothing_shared",
        compares="each cell alone / ours",
        value=spread([alone / workers / shared]),
        target=Target(3, at_most=False),
        note=f"{len(sample)} of {len(cells)} cells measured, {workers} at a time; all would take "
        f"{alone / workers / 60:.1f} min, ours {shared / 60:.1f} min. Without the report that each of them writes the "
        f"ratio is {(alone - reports) / workers / shared:.2f}.",
    )


def run_alone(planned: ours.PlannedCell, *, settings: Settings) -> Alone:
    """Run one cell with nothing to share."""
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "results"
        arguments = ["run", "--suite", suite_name(settings), "--workers", "1", "--device", settings.device]
        arguments += ["--task", planned.cell.task, "--strategy", planned.cell.strategy, "--seeds", "1"]
        arguments += ["--budget", str(planned.cell.budget), "--out", str(results)]
        run = watch(ours.command(*arguments), environment={"BENCH_CACHE": str(Path(folder) / "cache")})
        report = watch(ours.command("report", str(results)))
        return Alone(run.seconds, report.seconds, ours.results(results)[0].amount)
