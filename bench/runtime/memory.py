"""What memory a process has taken, and giving it back to the system."""

import ctypes
import gc
import resource
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

import torch

MIB: Final = 2**20
CLEAR_REFS: Final = Path("/proc/self/clear_refs")


def release() -> None:
    """Collect what only refers to itself, and return freed memory to the system.

    glibc keeps what lies between blocks still in use: after a task that was a few hundred megabytes per process.
    """
    gc.collect()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)


def forget_peak(device: torch.device) -> None:
    """Let the peak be that from now on: on a GPU, and on Linux; elsewhere it stays that of the process so far."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    elif sys.platform == "linux":
        with suppress(OSError):  # where this is not allowed it is as elsewhere
            CLEAR_REFS.write_text("5")  # resets the peak of resident memory: see proc(5)


def peak_mib(device: torch.device) -> float:
    """Return the peak resident memory of this process, or on a GPU the peak that was allocated there, in MiB."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / MIB
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return resident / (MIB if sys.platform == "darwin" else 1024)  # bytes on macOS, kibibytes elsewhere
