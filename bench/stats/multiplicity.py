"""Many comparisons at a time: p-values, adjusted for how many there are."""

import numpy as np
from numpy.typing import ArrayLike

from bench.stats.intervals import Floats


def holm(p: ArrayLike) -> Floats:
    """Return p-values [n] adjusted so that those at most alpha hold one false alarm or more with probability alpha.

    The i-th smallest of m is multiplied by m - i + 1, and none falls below the one before it; at most 1. It needs no
    assumption on how the tests depend on each other. A missing value (nan) stays missing and is no comparison. Source:
    Holm (1979), A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6(2).
    """
    adjusted, order, ordered = _in_order(p)
    n_tests = len(order)
    stepped = np.maximum.accumulate(ordered * (n_tests - np.arange(n_tests)))
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


def benjamini_hochberg(p: ArrayLike) -> Floats:
    """Return p-values [n] adjusted so that of those at most q a share of q is expected to be false alarms.

    The i-th smallest of m is multiplied by m / i, and none exceeds the one after it. It holds for tests that are
    independent or positively dependent. A missing value (nan) stays missing and is no comparison. Source: Benjamini and
    Hochberg (1995), Controlling the false discovery rate, Journal of the Royal Statistical Society B 57(1).
    """
    adjusted, order, ordered = _in_order(p)
    n_tests = len(order)
    scaled = ordered * n_tests / (1.0 + np.arange(n_tests))
    adjusted[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return adjusted


def simes(p: ArrayLike) -> float:
    """Return the p-value of several tests [n] together: how likely they are if none of them has anything to find.

    The least of m / i times the i-th smallest: one very small value counts, and so do many rather small ones. It holds
    for tests that are independent or positively dependent. A missing value (nan) is no test, and of no test at all the
    value is missing. Source: Simes (1986), An improved Bonferroni procedure for multiple tests of significance,
    Biometrika 73(3).
    """
    adjusted = benjamini_hochberg(p)
    known = adjusted[~np.isnan(adjusted)]
    return float(known.min()) if len(known) else float("nan")


def _in_order(p: ArrayLike) -> tuple[Floats, np.ndarray[tuple[int], np.dtype[np.intp]], Floats]:
    """Return an array of nan for all of [n], where the known values lie, smallest first, and these values."""
    values = np.asarray(p, dtype=np.float64)
    order = np.argsort(values, kind="stable")  # nan comes last
    order = order[: int((~np.isnan(values)).sum())]
    return np.full(len(values), np.nan), order, values[order]
