"""Products of many budgets at once, in shapes that suit the processor: whole vector registers for each budget."""

from torch import Tensor

from bench.probing.lbfgs import LANES


def widen(coordinates: Tensor) -> Tensor:
    """Return inputs [s, n', w] of coordinates [s, n, r]: zeros up to multiples of `LANES`, and last 1 for the bias."""
    s, n, r = coordinates.shape
    inputs = coordinates.new_zeros(s, _whole_lanes(n), _whole_lanes(r + 1))
    inputs[:, :n, :r] = coordinates
    inputs[:, :n, -1] = 1
    return inputs


def _whole_lanes(size: int) -> int:
    return -(-size // LANES) * LANES


def outputs(inputs: Tensor, weights: Tensor) -> Tensor:
    """Return [s, p, outputs, n]. The large factor stands to the right, where a product with few rows is fast."""
    s, p, k, w = weights.shape
    return (weights.view(s, p * k, w) @ inputs.mT).view(s, p, k, -1)


def gradients(inputs: Tensor, residuals: Tensor) -> Tensor:
    """Return [s, p, outputs, w] of residuals [s, p, outputs, n]."""
    s, p, k, n = residuals.shape
    return (residuals.reshape(s, p * k, n) @ inputs).view(s, p, k, -1)
