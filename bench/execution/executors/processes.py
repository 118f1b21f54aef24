"""Execution in several worker processes of this machine.

A pool from a library gives up every pending task when one worker dies; here a worker that the system kills costs the
one cell it held, and a new worker takes its place.
"""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

from bench.cell import Failure
from bench.execution.executors.starting import EngineSettings, start_engine
from bench.execution.output import CellOutput
from bench.planning.plan import Job, PlannedCell


@dataclass(slots=True, eq=False)
class _Worker:
    process: SpawnProcess
    connection: Connection
    holds: Job | None = None  # the cells of it that it has not delivered yet, the one that is running first


def execute_in_processes(jobs: Sequence[Job], *, workers: int, settings: EngineSettings) -> Iterator[CellOutput]:
    """Yield the outcome of each cell as it comes, from `workers` processes. Leaving the iterator stops them at once."""
    waiting = deque(jobs)
    pool = [_start(settings) for _ in range(min(workers, len(waiting)))]
    try:
        while waiting or any(worker.holds for worker in pool):
            for place, worker in enumerate(pool):
                if worker.holds is None and waiting:
                    pool[place] = worker if worker.process.is_alive() else _start(settings)
                    _give(pool[place], waiting.popleft())
            ready = wait([worker.connection for worker in pool if worker.holds])
            for worker in pool:
                if worker.connection not in ready:
                    continue
                assert worker.holds is not None, "only workers that hold cells are waited for"
                output = _receive(worker, worker.holds)
                worker.holds = _without(worker.holds, output)
                if worker.holds and worker.connection.closed:
                    waiting.appendleft(worker.holds)
                    worker.holds = None
                yield output
    finally:
        for worker in pool:
            worker.process.kill()
        for worker in pool:
            worker.process.join()


def _start(settings: EngineSettings) -> _Worker:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs, settings), daemon=True)
    process.start()
    theirs.close()  # so that a worker's death is the end of the stream
    return _Worker(process, ours)


def _work(connection: Connection, settings: EngineSettings) -> None:
    """Run in a worker: score cells until the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    engine = start_engine(settings)
    while True:
        for output in engine.run(connection.recv()):
            connection.send(output)


def _leave_with_parent() -> None:
    """Exit as soon as the parent does, however it ended: a killed run leaves no workers behind."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)


def _give(worker: _Worker, job: Job) -> None:
    """Send a job to a worker. If it has just died, the end of its stream says so when it is waited for."""
    worker.holds = job
    with suppress(OSError):
        worker.connection.send(job)


def _receive(worker: _Worker, held: Job) -> CellOutput:
    """Return what a worker delivers of the cells it holds; if it died, the failure of the one it was running.

    The stream of a killed worker can end between two messages (`EOFError`) or in the middle of one (`OSError`).
    """
    try:
        output: CellOutput = worker.connection.recv()
    except (EOFError, OSError):
        worker.connection.close()
        worker.process.join()
        return _lost(held.cells[0], worker.process.exitcode)
    return output


def _without(job: Job, output: CellOutput) -> Job | None:
    """Return the cells of a job that are left when one was delivered: not always the first, some fail at once."""
    left = tuple(planned for planned in job.cells if planned.key != output.outcome.key)
    return replace(job, cells=left) if left else None


def _lost(planned: PlannedCell, exit_code: int | None) -> CellOutput:
    """Return the failure of a cell whose worker died."""
    how = f"by signal {signal.Signals(-exit_code).name}" if exit_code and exit_code < 0 else f"with code {exit_code}"
    reason = f"its worker process ended {how}; if the system was out of memory, run with fewer --workers"
    return CellOutput(Failure(cell=planned.cell, key=planned.key, reason=reason, traceback=""))
