"""Owns giving memory back to the system."""

import ctypes
import gc
import sys


def release() -> None:
    """Collect what only refers to itself, and return freed memory to the system.

    glibc keeps what lies between blocks still in use: after a task that was a few hundred megabytes per process.
    """
    gc.collect()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
