"""Synthetic series drawn from Gaussian processes with randomly composed kernels.

The idea of KernelSynth, from Chronos: Ansari et al. 2024, arXiv:2403.07815.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.pretraining.stretches import CONTEXT, LENGTH, Series, periods

Kernel = NDArray[np.float64]

DRAWS_PER_KERNEL: Final = 50


def kernel_draws(count: int, generator: np.random.Generator) -> Series:
    """Return draws [count, 120] of Gaussian processes, 50 from each of as many random kernels as that takes.

    With a Cholesky factor L and normal z a draw is L z, and its future's mean given its past is L (z_past, 0).
    """
    kernels = np.stack([_kernel(generator) for _ in range(-(-count // DRAWS_PER_KERNEL))])  # [kernels, 120, 120]
    factors = np.linalg.cholesky(kernels + 1e-6 * np.eye(LENGTH)).astype(np.float32)
    normal = generator.standard_normal((len(kernels), LENGTH, DRAWS_PER_KERNEL), dtype=np.float32)
    normal[:, CONTEXT:] = 0
    return (factors @ normal).transpose(0, 2, 1).reshape(-1, LENGTH)[:count]


def _kernel(generator: np.random.Generator) -> Kernel:
    """Return the covariance [120, 120] of up to five elementary kernels, joined by sums and products."""
    kernel = _elementary_kernel(generator)
    for _ in range(generator.integers(5)):
        other = _elementary_kernel(generator)
        kernel = kernel + other if generator.random() < 0.5 else kernel * other
    noise = generator.choice((0.0, 0.003, 0.03, 0.3)) * np.eye(LENGTH)
    kernel *= LENGTH / np.trace(kernel)
    out: Kernel = kernel + noise
    return out


def _elementary_kernel(generator: np.random.Generator) -> Kernel:
    """Return a periodic, smooth, rational quadratic, rough or linear covariance, of variance 1 or about that."""
    steps = np.arange(LENGTH, dtype=np.float64)
    lag = np.abs(steps[:, None] - steps)
    length = np.exp(generator.uniform(np.log(2), np.log(200)))
    kind = generator.choice(("periodic", "smooth", "rational", "rough", "linear"), p=(0.5, 0.2, 0.1, 0.1, 0.1))
    kernel: Kernel
    match kind:
        case "periodic":
            period = periods(1, generator).item()
            shape = np.exp(generator.uniform(np.log(0.4), np.log(2.0)))
            kernel = np.exp(-2 * np.square(np.sin(np.pi * lag / period) / shape))
        case "smooth":
            kernel = np.exp(-0.5 * np.square(lag / length))
        case "rational":
            kernel = 1 / (1 + np.square(lag / length))
        case "rough":
            kernel = np.exp(-lag / length)
        case _:
            from_pivot = (steps - generator.uniform(0, LENGTH)) / LENGTH
            kernel = 3 * np.outer(from_pivot, from_pivot)
    return kernel
