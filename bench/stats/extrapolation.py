"""What lies beyond the measured budgets: a power law with an offset, fitted to errors."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from bench.stats.intervals import Floats

FEWEST_POINTS: Final = 3  # as many as the law has numbers

# Exponents that learning curves have been seen to have lie between 0.07 and about 1 (Hestness et al. 2017,
# arXiv:1712.00409; Viering and Loog 2022, arXiv:2103.10948).
EXPONENTS: Final = np.arange(0.02, 2.001, 0.005)  # [n_exponents]


class PowerLaw(NamedTuple):
    """error(n) = offset + factor n ^ -exponent, with an offset and a factor of at least 0."""

    offset: float
    factor: float
    exponent: float

    def at(self, n_labels: float) -> float:
        """Return the error to expect with a number of labels."""
        return self.offset + self.factor * float(n_labels**-self.exponent)


def fit_power_law(n_labels: ArrayLike, errors: ArrayLike) -> PowerLaw | None:
    """Return the power law that is closest to errors [n_budgets] by least squares, or None with fewer than 3 points.

    For each exponent of a grid (0.02 to 2 by 0.005) the offset and the factor are linear least squares, neither below
    0: no score is better than perfect, and more labels do not hurt. Every point weighs the same, since the spread of a
    few seeds is too rough a measure to weigh by. Missing points (nan) are left out.
    """
    n, e = np.asarray(n_labels, dtype=np.float64), np.asarray(errors, dtype=np.float64)
    n, e = n[~np.isnan(e)], e[~np.isnan(e)]
    if len(np.unique(n)) < FEWEST_POINTS:
        return None
    unit = n.min()  # powers of n / unit lie between 0 and 1, so that no exponent loses digits
    z = (n / unit) ** -EXPONENTS[:, None]  # [n_exponents, n_points]
    offsets, factors = _least_squares(z, e)
    squares = ((offsets[:, None] + factors[:, None] * z - e) ** 2).sum(axis=1)
    best = int(np.argmin(squares))
    exponent = float(EXPONENTS[best])
    return PowerLaw(float(offsets[best]), float(factors[best] * unit**exponent), exponent)


def _least_squares(z: Floats, errors: Floats) -> tuple[Floats, Floats]:
    """Return offset and factor [n_exponents], neither negative, of the lines closest to errors [n_points] over z.

    Of a line that would start below 0 it is the best one through 0, of one that would fall in z a constant; the sum of
    squares is convex, so that the best of both lies on the border that was crossed.
    """
    spread = z - z.mean(axis=1, keepdims=True)
    factors = (spread * errors).sum(axis=1) / (spread**2).sum(axis=1)
    offsets = errors.mean() - factors * z.mean(axis=1)
    through_zero = (z * errors).sum(axis=1) / (z**2).sum(axis=1)
    factors, offsets = np.where(offsets < 0, through_zero, factors), np.maximum(offsets, 0.0)
    flat = factors < 0
    return np.where(flat, errors.mean(), offsets), np.where(flat, 0.0, factors)
