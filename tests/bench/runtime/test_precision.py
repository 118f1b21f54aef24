"""Half the bits where they pay: in steps of networks that are not tiny, never in what is kept on a CPU."""

import pytest
import torch

from bench.runtime.precision import WORTHWHILE, frozen_precision, training_precision

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


@pytest.mark.parametrize(("native", "expected"), [(True, "bfloat16"), (False, "float32")])
def test_a_cpu_trains_in_half_precision_only_if_it_multiplies_it_natively(
    *, native: bool, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": native})
    assert training_precision(CPU, WORTHWHILE) == expected
    assert training_precision(CPU, WORTHWHILE - 1) == "float32"
    assert frozen_precision(CPU) == "float32"


def test_a_gpu_always_does() -> None:
    assert training_precision(CUDA, 1) == frozen_precision(CUDA) == "bfloat16"
