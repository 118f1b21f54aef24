"""Owns the choice of a device, without loading the tensor library where the answer is plain."""

import importlib
import os
import shutil
from pathlib import Path
from typing import Final, Literal

from bench.errors import DeviceError

Device = Literal["cpu", "cuda"]

MOST_WORKERS: Final = 8


def resolve_device(wanted: str) -> Device:
    """Return the device for "auto", "cpu" or "cuda"; "auto" takes a GPU where there is one.

    Raises `DeviceError` for "cuda" where there is none.
    """
    if wanted == "cpu":
        return "cpu"
    if _has_driver() and importlib.import_module("torch").cuda.is_available():
        return "cuda"
    if wanted == "cuda":
        raise DeviceError("--device cuda: no GPU that PyTorch can use was found here; use --device cpu or auto")
    return "cpu"


def default_workers(device: Device) -> int:
    """Return how many processes to run cells in: one on a GPU, else one per core that this process may use."""
    if device == "cuda":
        return 1
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(usable, MOST_WORKERS)


def _has_driver() -> bool:
    return Path("/dev/nvidiactl").exists() or shutil.which("nvidia-smi") is not None or Path("/dev/kfd").exists()
