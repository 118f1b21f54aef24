"""Learning curves read vertically: skill, and the area under a curve."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from bench.stats.intervals import Floats
from bench.stats.replicates import Replicates, combine


def skill(scores: ArrayLike, *, chance: ArrayLike, perfect: ArrayLike) -> Floats:
    """Return (score - chance) / (perfect - chance): 0 is chance, 1 is perfect, below 0 is worse than chance.

    The skill score of forecasting (Murphy 1988, doi:10.1175/1520-0493(1988)116<2417:SSBOTM>2.0.CO;2); for an error that
    is perfect at 0 it is 1 - score / chance, where chance is the seasonal naive forecast. Where chance itself is
    perfect there is nothing to win: nan.
    """
    room = np.asarray(perfect, dtype=np.float64) - np.asarray(chance, dtype=np.float64)
    gained = np.asarray(scores, dtype=np.float64) - np.asarray(chance, dtype=np.float64)
    skills: Floats = gained / np.where(room == 0, np.nan, room)
    return skills


def area_weights(n_labels: ArrayLike) -> Floats:
    """Return how much each budget counts in the area under a curve; the weights add up to 1, shape [n_budgets].

    The trapezoidal rule over x = log(n_labels), divided by the length: the area is the sum of (x[i+1] - x[i])
    (v[i] + v[i+1]) / 2 over x[-1] - x[0] (the ALC of Guyon et al. 2011, Results of the Active Learning Challenge, JMLR
    W&CP 16). `n_labels` must not fall. A budget without labels has no logarithm and is left out, unless it is the only
    one. A curve of one budget has the height of its point.
    """
    n = np.asarray(n_labels, dtype=np.float64)
    counted = n > 0 if n.any() else np.ones(len(n), dtype=np.bool_)
    x = np.log(n[counted]) if n.any() else np.zeros(int(counted.sum()))
    steps = np.diff(x)  # [n_budgets - 1]
    assert (steps >= 0).all(), "budgets must be in rising order"
    weights = np.zeros(len(n))
    if steps.sum() == 0:
        weights[counted] = 1 / max(1, counted.sum())
    else:
        weights[counted] = (np.append(steps, 0.0) + np.insert(steps, 0, 0.0)) / 2 / steps.sum()
    return weights


def area_of_replicates(n_labels: ArrayLike, curve: Sequence[Replicates]) -> Replicates:
    """Return the area under a curve as replicates, of the seeds that have every budget: an area is linear in scores."""
    weights = area_weights(n_labels)
    used = [(one, float(weight)) for one, weight in zip(curve, weights, strict=True) if weight > 0]
    return combine([one for one, _ in used], [weight for _, weight in used])
