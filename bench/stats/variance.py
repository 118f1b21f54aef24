"""The parts of the variance between runs: which random stream moves the scores, and by how much."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtri

from bench.stats.intervals import CONFIDENCE


class VariancePart(NamedTuple):
    """A sample variance (n - 1 in the denominator) and its 95 % interval; nan where there are fewer than two scores."""

    variance: float
    lower: float
    upper: float
    n_values: int


def variance_parts(scores: Mapping[str, ArrayLike]) -> dict[str, VariancePart]:
    """Return the variance of scores [n] for each varied random stream, such as subset, initialisation, order and all.

    Scores of a stream come from runs in which only that one differed; those of "all" from runs in which all did. The
    intervals are those of normal scores, (n - 1) s^2 over the quantiles of chi-square with n - 1 degrees of freedom.
    Missing scores (nan) do not count. The design is that of Bouthillier et al. (2021), Accounting for variance in
    machine learning benchmarks, arXiv:2103.03098. Parts need not add up to all: streams can act together.
    """
    return {stream: _part(np.asarray(values, dtype=np.float64)) for stream, values in scores.items()}


def _part(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> VariancePart:
    known = values[~np.isnan(values)]
    freedom = len(known) - 1
    if freedom < 1:
        return VariancePart(np.nan, np.nan, np.nan, len(known))
    squares = freedom * float(known.var(ddof=1))
    tail = (1 - CONFIDENCE) / 2
    lower, upper = (squares / float(chdtri(freedom, above)) for above in (tail, 1 - tail))
    return VariancePart(squares / freedom, lower, upper, len(known))
