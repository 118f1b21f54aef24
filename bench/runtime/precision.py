"""The arithmetic that networks run in, by device: of what is kept, and of what is trained."""

from typing import Final

import torch

from bench.runtime.arithmetic import Precision, WantedPrecision

WORTHWHILE: Final = 1_000_000
"""Parameters from which half the bits can be faster on a CPU: below, a step is all calls and little arithmetic."""

NATIVE: Final = ("avx512_bf16", "amx_bf16")
"""Instruction sets that multiply bfloat16. They make it possible, not fast: some processors are slower with them."""


def frozen_precision(device: torch.device) -> Precision:
    """Return the precision of frozen activations.

    On a CPU they are computed once, which is not worth a rounding.
    """
    return "bfloat16" if device.type == "cuda" else "float32"


def settled_precision(device: torch.device, parameters: int, wanted: WantedPrecision) -> Precision | None:
    """Return the precision of gradient steps, and of scoring, of so many trained parameters; None if it is to be timed.

    It is timed on CPUs that multiply bfloat16 natively. Weights, their updates and the loss are float32 everywhere
    (mixed precision: Micikevicius et al. 2018, arXiv:1710.03740).
    """
    if wanted != "auto":
        return wanted
    if device.type == "cuda":
        return "bfloat16"
    if parameters < WORTHWHILE or not multiplies_bfloat16():
        return "float32"
    return None


def multiplies_bfloat16() -> bool:
    """Return whether this processor has instructions for products in bfloat16."""
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name) for name in NATIVE)


def autocast(device: torch.device, precision: Precision) -> torch.autocast:
    """Return the context in which networks run in a precision."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bfloat16")
