"""Worker processes: a killed worker costs its cell; a killed or interrupted run leaves nothing running or half done."""

import multiprocessing
import os
import re
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import AnyStr

import pytest
from bench_tasks import FAMILIES

from bench.backbones.descriptions import describe_all
from bench.cell import Cell, Failure, Outcome, Result
from bench.config.reading import read_config
from bench.execution.executors.processes import _receive, _Worker, execute_in_processes
from bench.execution.executors.starting import EngineSettings
from bench.planning.plan import PlannedCell, group_into_jobs, plan_cells
from bench.results.store import Store
from bench.runtime.cache import Cache

ROOT = Path(__file__).parents[3]

CONFIG = """
budgets = [0.02, 0.05]
seeds = 2

[strategies.linear_probe]
kind = "probe"

[strategies.full]
kind = "finetune"
epochs = 1
min_steps = 6
max_steps = 6

[tasks.co2]
backbones = ["bundled:series"]

[suites.all]
tasks = ["co2"]
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "bench.toml"
    path.write_text(CONFIG)
    return path


def planned_cells(config: Path) -> tuple[PlannedCell, ...]:
    suite = read_config(config, FAMILIES).suite("all")
    cards = {name: task.card for name, task in FAMILIES.items()}
    return plan_cells(suite, cards, describe_all(["bundled:series"], Cache(config.parent / "cache")))


def command(folder: Path, *more: str) -> list[str]:
    return [
        sys.executable,
        "-m",
        "bench",
        "run",
        "--config",
        str(folder / "bench.toml"),
        "--out",
        str(folder / "out"),
        *more,
    ]


def environment(folder: Path) -> dict[str, str]:
    here = os.pathsep.join(map(str, (ROOT, ROOT / "tasks")))
    return {**os.environ, "BENCH_CACHE": str(folder / "cache"), "PYTHONPATH": here, "PYTHONWARNINGS": "error"}


def scores(folder: Path) -> dict[Cell, float]:
    return {result.cell: result.score for result in Store(folder / "out").results()}


def children_of(parent: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]


def wait_for(condition: Callable[[], object], seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


@contextmanager
def ended(process: "subprocess.Popen[AnyStr]") -> Iterator["subprocess.Popen[AnyStr]"]:
    """Kill a process that is still running at the end: a test that fails does not wait for hours of its work."""
    with process:
        try:
            yield process
        finally:
            process.kill()


def cells_on_disk(folder: Path) -> int:
    return len(list((folder / "out" / "cells").glob("*.json"))) if (folder / "out" / "cells").exists() else 0


def test_a_killed_worker_costs_its_cell_and_is_replaced(tmp_path: Path, config: Path) -> None:
    plan = planned_cells(config)
    outcomes = outcomes_with_a_kill(plan, tmp_path)
    assert len(outcomes) == len(plan)
    lost = [outcome for outcome in outcomes if isinstance(outcome, Failure)]
    assert len(lost) == 1
    assert re.search("its worker process ended by signal SIGKILL.*fewer --workers", lost[0].reason)
    assert len([outcome for outcome in outcomes if isinstance(outcome, Result)]) == len(plan) - 1


def test_each_cell_comes_once_if_a_worker_is_killed_after_a_cell_that_failed_before_its_turn(
    tmp_path: Path, config: Path
) -> None:
    config.write_text(CONFIG.replace("budgets = [0.02, 0.05]", "budgets = [0.02, 0.05, 100000]"))
    plan = [planned for planned in planned_cells(config) if planned.strategy.together][::-1]
    assert str(plan[0].cell.budget) != "100000", "it is not the first of its pack"
    outcomes = outcomes_with_a_kill(plan, tmp_path)
    assert isinstance(outcomes[0], Failure)
    assert "a budget of 100000 observations" in outcomes[0].reason
    assert sorted(outcome.cell for outcome in outcomes) == sorted(planned.cell for planned in plan)


def test_a_worker_killed_between_two_jobs_costs_no_cell(tmp_path: Path, config: Path) -> None:
    jobs = [job for planned in planned_cells(config)[:2] for job in group_into_jobs([planned])]
    delivered = execute_in_processes(jobs, workers=1, settings=settings_in(tmp_path))
    first = next(delivered).outcome
    worker = worker_of_this_process()
    os.kill(worker, signal.SIGKILL)
    wait_for(lambda: os.waitid(os.P_PID, worker, os.WEXITED | os.WNOWAIT | os.WNOHANG))  # it may yet have threads
    outcomes = [first, *(output.outcome for output in delivered)]
    assert [outcome for outcome in outcomes if isinstance(outcome, Failure)] == []
    assert len(outcomes) == 2


def test_a_worker_killed_while_it_delivers_costs_that_cell(tmp_path: Path, config: Path) -> None:
    job = group_into_jobs(planned_cells(config))[0]
    with hung_up("half of a message") as connection, killed_process() as process:
        worker = _Worker(process, connection, holds=job)
        output = _receive(worker, job)
    assert output.outcome.cell == job.cells[0].cell
    assert isinstance(output.outcome, Failure)
    assert "ended by signal SIGKILL" in output.outcome.reason


@contextmanager
def hung_up(message: str) -> Iterator[Connection]:
    """Give a connection whose other end was lost when half of a message was sent."""
    ours, theirs = multiprocessing.Pipe()
    with ours:
        os.write(theirs.fileno(), struct.pack("!i", 2 * len(message)) + message.encode())
        theirs.close()
        yield ours


@contextmanager
def killed_process() -> Iterator[SpawnProcess]:
    process = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(3600,))
    process.start()
    process.kill()
    yield process
    process.join()


def outcomes_with_a_kill(plan: Sequence[PlannedCell], folder: Path) -> list[Outcome]:
    """Return the outcome of the cells of a plan whose worker is killed as soon as it delivered one."""
    delivered = execute_in_processes(group_into_jobs(plan), workers=1, settings=settings_in(folder))
    first = next(delivered).outcome
    os.kill(worker_of_this_process(), signal.SIGKILL)
    return [first, *(output.outcome for output in delivered)]


def settings_in(folder: Path) -> EngineSettings:
    return EngineSettings(
        cache_root=folder / "cache",
        cache_limit_bytes=2**30,
        device="cpu",
        memory_bytes=2**30,
        decoders=1,
        trust_remote_code=False,
    )


def worker_of_this_process() -> int:
    """Return the process id of the only worker; the highest number need not be the newest, nor a worker."""
    [worker] = multiprocessing.active_children()
    assert worker.pid is not None
    return worker.pid


def test_a_run_killed_in_the_middle_and_repeated_scores_like_an_undisturbed_one(tmp_path: Path) -> None:
    for name in ("undisturbed", "killed"):
        (tmp_path / name).mkdir()
        longer = CONFIG.replace("_steps = 6", "_steps = 150")  # so that it is still running, however slow we are
        (tmp_path / name / "bench.toml").write_text(longer)
    subprocess.run(
        command(tmp_path / "undisturbed", "--workers", "2"), env=environment(tmp_path / "undisturbed"), check=True
    )
    folder = tmp_path / "killed"
    with ended(subprocess.Popen(command(folder, "--workers", "2"), env=environment(folder))) as process:
        wait_for(lambda: cells_on_disk(folder) >= 2)
        workers = children_of(process.pid)
        process.kill()
    wait_for(lambda: not any(Path(f"/proc/{worker}/cmdline").exists() for worker in workers), 20)
    before = {path.name: path.stat().st_mtime_ns for path in (folder / "out" / "cells").glob("*.json")}
    assert 2 <= len(before) < 8
    subprocess.run(command(folder, "--workers", "1"), env=environment(folder), check=True)
    after = {path.name: path.stat().st_mtime_ns for path in (folder / "out" / "cells").glob("*.json")}
    assert {name: after[name] for name in before} == before, "a finished cell was run again"
    assert scores(folder) == scores(tmp_path / "undisturbed")
    assert len(scores(folder)) == 8


def hear_interrupts() -> None:
    """Undo what a shell does to what it runs in the background, and that is handed down: to be deaf to SIGINT."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_stops_the_run_at_once_and_says_how_to_go_on(
    tmp_path: Path, config: Path, sent: signal.Signals
) -> None:
    # So long that it is still running, however slow we are.
    config.write_text(CONFIG.replace("_steps = 6", "_steps = 10000"))
    started = subprocess.Popen(
        command(tmp_path, "--workers", "2"),
        env=environment(tmp_path),
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=hear_interrupts,  # noqa: PLW1509 (nothing here has threads yet)
    )
    with ended(started) as process:
        wait_for(lambda: cells_on_disk(tmp_path) >= 1)
        start = time.monotonic()
        process.send_signal(sent)
        _, said = process.communicate(timeout=20)
        seconds = time.monotonic() - start
    assert process.returncode == 130
    assert "the same command goes on from there" in said
    assert "Traceback" not in said
    assert seconds < 5
    assert len(scores(tmp_path)) == cells_on_disk(tmp_path) >= 1


@pytest.fixture(autouse=True)
def no_process_is_left() -> Iterator[None]:
    yield
    wait_for(lambda: not [c for c in children_of(os.getpid()) if "spawn_main" in cmdline(c)], 20)


def cmdline(process: int) -> str:
    try:
        return Path(f"/proc/{process}/cmdline").read_text()
    except OSError:
        return ""
