"""The row `startup`: how long the command line takes to answer, beside an interpreter that does nothing."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

from benchmarks import ours
from benchmarks.harness import Settings, ratio, side_by_side, spread, stopwatch
from benchmarks.table import Row, Target

REPETITIONS: Final = 9
TARGET: Final = Target(0.3, at_most=True)


def measure(settings: Settings) -> Iterator[Row]:
    """Yield a row for each command."""
    commands = {
        "nothing": [sys.executable, "-c", "pass"],
        "--help": ours.command("--help"),
        "list": ours.command("list"),
    }
    sides = {name: partial(answer, command) for name, command in commands.items()}
    seconds = side_by_side(sides, repetitions=settings.repetitions(REPETITIONS), warm_up=True)
    idle = spread(seconds["nothing"]).median
    for name in ("--help", "list"):
        yield Row(
            name=f"startup {name}",
            compares=f"python -m bench {name}",
            value=spread(seconds[name]),
            unit="s",
            target=TARGET,
            note=f"{ratio(seconds, name, 'nothing').median:.1f} times `python -c pass`, which takes {idle:.3f} s.",
        )


def answer(command: Sequence[str]) -> float:
    """Return the seconds until a command has ended."""
    return stopwatch(lambda: subprocess.run(command, cwd=ours.ROOT, check=True, capture_output=True), "cpu")
