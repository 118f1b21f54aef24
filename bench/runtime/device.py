"""The choice of a device, without loading the tensor library where the answer is plain."""

import os
import shutil
from pathlib import Path
from typing import Final, Literal

from bench.errors import DeviceError

Device = Literal["cpu", "cuda"]

MOST_WORKERS: Final = 8
SHARES_A_GPU: Final = 50_000_000  # parameters
BYTES_OF_A_GPU_EACH: Final = 8 * 2**30


def resolve_device(wanted: str) -> Device:
    """Return the device for "auto", "cpu" or "cuda"; "auto" takes a GPU where there is one.

    Raises `DeviceError` for "cuda" where there is none.
    """
    if wanted == "cpu":
        return "cpu"
    if _has_driver():
        import torch  # noqa: PLC0415 (takes seconds, and without a driver the answer is known)

        if torch.cuda.is_available():
            return "cuda"
    if wanted == "cuda":
        raise DeviceError("--device cuda: no GPU that PyTorch can use was found here; use --device cpu or auto")
    return "cpu"


def default_workers(device: Device, *, parameters: int) -> int:
    """Return how many processes to run cells in, for backbones of up to `parameters`.

    One per core that this process may use. On a GPU small networks share it, since one alone mostly waits for its next
    kernel to be launched; each needs a core to launch from, and room. A large one has the GPU to itself.
    """
    usable = _usable_cores()
    if device == "cpu":
        return min(usable, MOST_WORKERS)
    if parameters > SHARES_A_GPU:
        return 1
    import torch  # noqa: PLC0415 (takes seconds, and a CPU needs no such answer)

    room = torch.cuda.get_device_properties(0).total_memory
    return max(1, min(usable // 2, room // BYTES_OF_A_GPU_EACH, MOST_WORKERS))


def default_decoders(workers: int) -> int:
    """Return how many threads each of so many processes reads pictures with: one for each of its cores."""
    return max(1, _usable_cores() // workers)


def _usable_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _has_driver() -> bool:
    return Path("/dev/nvidiactl").exists() or shutil.which("nvidia-smi") is not None or Path("/dev/kfd").exists()
