"""The peak of memory is that of what ran since it was last forgotten."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from bench.runtime.memory import forget_peak, peak_mib

CPU = torch.device("cpu")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the peak is that of the process so far")
def test_a_peak_is_forgotten() -> None:
    block = np.ones(2**25)  # 256 MiB
    high = peak_mib(CPU)
    del block
    forget_peak(CPU)
    low = peak_mib(CPU)
    block = np.ones(2**24)
    assert high - low > 200
    assert 100 < peak_mib(CPU) - low < 160
    assert len(block)


def test_a_system_that_does_not_forget_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.runtime.memory.CLEAR_REFS", Path("/proc/nowhere/clear_refs"))
    forget_peak(CPU)
    assert peak_mib(CPU) > 0
