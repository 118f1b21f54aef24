"""The description of the machine and the versions a cell was run under."""

import platform
from functools import cache
from pathlib import Path

import torch

from bench.cell import Provenance
from bench.versions import VERSION


@cache
def describe_run(device: torch.device) -> Provenance:
    """Return versions and hardware of a run on `device`."""
    return Provenance(
        bench=VERSION,
        python=platform.python_version(),
        torch=str(torch.__version__),
        platform=f"{platform.system()} {platform.machine()}",
        processor=torch.cuda.get_device_name(device) if device.type == "cuda" else _processor(),
    )


def _processor() -> str:
    """Return the processor's model name, which `platform` does not know on Linux."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
