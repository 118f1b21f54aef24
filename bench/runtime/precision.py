"""Owns the arithmetic that networks run in, by device: of what is kept, and of what is trained."""

from typing import Final, Literal

import torch

Precision = Literal["float32", "bfloat16"]

WORTHWHILE: Final = 1_000_000
"""Parameters from which half the bits are faster on a CPU: below, a step is all calls and little arithmetic."""


def frozen_precision(device: torch.device) -> Precision:
    """Return the precision of frozen activations.

    On a CPU they are computed once, which is not worth a rounding.
    """
    return "bfloat16" if device.type == "cuda" else "float32"


def training_precision(device: torch.device, parameters: int) -> Precision:
    """Return the precision of the products in gradient steps, and in scoring, of so many trained parameters.

    bfloat16 on a GPU, and on a CPU that multiplies it natively; weights, their updates and the loss are float32
    everywhere (mixed precision: Micikevicius et al. 2018, arXiv:1710.03740).
    """
    if device.type == "cuda":
        return "bfloat16"
    native = bool(torch.cpu.get_capabilities().get("avx512_bf16"))
    return "bfloat16" if native and parameters >= WORTHWHILE else "float32"


def autocast(device: torch.device, precision: Precision) -> torch.autocast:
    """Return the context in which networks run in a precision."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bfloat16")
