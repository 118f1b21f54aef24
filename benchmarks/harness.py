"""Measuring side by side: what is compared takes turns in one process, and each turn is a pair of its own.

A machine that slows down, or lends a core to somebody else, does so for both sides of a pair, so the ratio of a pair
says more than two medians taken minutes apart.
"""

import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import threadpoolctl
import torch

THREADS: Final = 1
"""On both sides of every pair: workers of the product have one each."""

Side = Callable[[], float]
"""Does the work once and returns its seconds; what it prepares before and checks after is not in them."""

Seconds = Mapping[str, Sequence[float]]
"""The seconds of each side by its name, turn by turn."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How to measure: on which device, and whether on a sample that only shows that everything runs."""

    device: str
    quick: bool

    def repetitions(self, usual: int) -> int:
        """Return how many pairs to take where `usual` are enough."""
        return 1 if self.quick else usual


class Spread(NamedTuple):
    """The middle and both ends of some measurements."""

    median: float
    low: float
    high: float


def pin_threads() -> None:
    """Give every library of this process `THREADS` threads."""
    torch.set_num_threads(THREADS)
    threadpoolctl.threadpool_limits(THREADS)


def side_by_side(sides: Mapping[str, Side], *, repetitions: int, warm_up: bool = False) -> Seconds:
    """Return what each side took: one turn of each, in the order given, `repetitions` times.

    With `warm_up` a turn of each goes before that counts for nothing.
    """
    taken: dict[str, list[float]] = {name: [] for name in sides}
    for turn in range(-int(warm_up), repetitions):
        for name, side in sides.items():
            gc.collect()
            seconds = side()
            if turn >= 0:
                taken[name].append(seconds)
    return taken


def stopwatch(work: Callable[[], object], device: str) -> float:
    """Return the seconds that `work` takes, with all that it left running on `device`."""
    synchronise(device)
    start = time.perf_counter()
    work()
    synchronise(device)
    return time.perf_counter() - start


def synchronise(device: str) -> None:
    """Wait until nothing runs on `device` any more."""
    if torch.device(device).type == "cuda":
        torch.cuda.synchronize(device)


def has_bfloat16(device: str) -> bool:
    """Return whether the device multiplies bfloat16 itself."""
    if torch.device(device).type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    found = torch.cpu.get_capabilities()
    return bool(found.get("avx512_bf16") or found.get("amx_bf16"))


def ratio(seconds: Seconds, over: str, under: str) -> Spread:
    """Return the ratios of the pairs: side `over` through side `under`, turn by turn."""
    return spread([top / bottom for top, bottom in zip(seconds[over], seconds[under], strict=True)])


def spread(values: Sequence[float]) -> Spread:
    """Return the median of the values with the least and the greatest."""
    return Spread(statistics.median(values), min(values), max(values))


def medians(seconds: Seconds) -> str:
    """Return the median seconds of every side in words."""
    pairs = len(next(iter(seconds.values())))
    said = ", ".join(f"{name} {statistics.median(values):.3g} s" for name, values in seconds.items())
    return f"{said} ({pairs} {'turns' if pairs > 1 else 'turn'} each)"
