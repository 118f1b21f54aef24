"""Running a command as its user does: how long it takes, and how much memory it and all it starts hold."""

import os
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import psutil

from benchmarks import ours

GB: Final = 1e9
INTERVAL_SECONDS: Final = 0.05
PROPORTIONAL_EVERY: Final = 20
"""Looks between two at proportional memory, which the system has to count page by page."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What a command took. Both peaks are sums over its whole process tree, of looks `INTERVAL_SECONDS` apart.

    Resident memory counts a page once for every process that maps it, proportional memory divides it among them; the
    latter is None where the system does not tell.
    """

    seconds: float
    resident_bytes: int
    proportional_bytes: int | None


def watch(command: Sequence[str], *, environment: Mapping[str, str] | None = None) -> Watched:
    """Run a command of the product to its end. Raises `BenchError` with what it printed if it fails."""
    with tempfile.TemporaryFile(mode="w+") as output:
        start = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=ours.ROOT,
            env={**os.environ, **(environment or {})},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        resident, proportional, looks = 0, 0, 0
        root = psutil.Process(process.pid)
        while True:
            try:
                process.wait(INTERVAL_SECONDS)
            except subprocess.TimeoutExpired:
                resident = max(resident, sum(_resident(one) for one in _tree(root)))
                if looks % PROPORTIONAL_EVERY == 0:
                    proportional = max(proportional, sum(_proportional(one) for one in _tree(root)))
                looks += 1
            else:
                break
        seconds = time.perf_counter() - start
        if process.returncode:
            output.seek(0)
            raise ours.BenchError(f"{' '.join(command)} ended with {process.returncode}: {output.read()[-2000:]}")
    return Watched(seconds, resident, proportional or None)


def _tree(root: psutil.Process) -> list[psutil.Process]:
    try:
        return [root, *root.children(recursive=True)]
    except psutil.Error:
        return []


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


def _proportional(process: psutil.Process) -> int:
    try:
        return int(getattr(process.memory_full_info(), "pss", 0))
    except psutil.Error:
        return 0
