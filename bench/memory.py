"""Owns what memory a process has taken, and giving it back to the system."""

import ctypes
import gc
import resource
import sys
from typing import Final

import torch

MIB: Final = 2**20


def release() -> None:
    """Collect what only refers to itself, and return freed memory to the system.

    glibc keeps what lies between blocks still in use: after a task that was a few hundred megabytes per process.
    """
    gc.collect()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)


def peak_mib(device: torch.device) -> float:
    """Return the peak resident memory of this process, or on a GPU the peak that was allocated there."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / MIB
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return resident / (MIB if sys.platform == "darwin" else 1024)  # bytes on macOS, kibibytes elsewhere
