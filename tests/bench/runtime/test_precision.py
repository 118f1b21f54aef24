"""The precision that follows from device and size alone; what it does not follow from is timed."""

import pytest
import torch

from bench.runtime.precision import WORTHWHILE, frozen_precision, settled_precision

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


def capable(monkeypatch: pytest.MonkeyPatch, **flags: bool) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: flags)


@pytest.mark.parametrize("flag", ["avx512_bf16", "amx_bf16"])
def test_a_large_network_is_timed_on_a_cpu_that_multiplies_bfloat16(flag: str, monkeypatch: pytest.MonkeyPatch) -> None:
    capable(monkeypatch, **{flag: True})
    assert settled_precision(CPU, WORTHWHILE, "auto") is None
    assert settled_precision(CPU, WORTHWHILE - 1, "auto") == "float32"


def test_nothing_is_timed_on_a_cpu_that_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    capable(monkeypatch, avx512_bf16=False, avx2=True)
    assert settled_precision(CPU, WORTHWHILE, "auto") == "float32"


def test_a_gpu_trains_in_bfloat16() -> None:
    assert settled_precision(CUDA, 1, "auto") == frozen_precision(CUDA) == "bfloat16"
    assert frozen_precision(CPU) == "float32"


@pytest.mark.parametrize("device", [CPU, CUDA], ids=str)
def test_what_was_asked_for_holds(device: torch.device) -> None:
    assert settled_precision(device, 1, "bfloat16") == "bfloat16"
    assert settled_precision(device, WORTHWHILE, "float32") == "float32"
