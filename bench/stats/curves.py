"""Learning curves read vertically: skill, and the area under a curve."""

import numpy as np
from numpy.typing import ArrayLike

from bench.stats.intervals import Floats


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


def area_under_curve(n_labels: ArrayLike, values: ArrayLike) -> float:
    """Return the mean height of a learning curve over the logarithm of the number of labels.

    The trapezoidal rule over x = log(n_labels), divided by the length: sum of (x[i+1] - x[i]) (v[i] + v[i+1]) / 2 over
    x[-1] - x[0] (the ALC of Guyon et al. 2011, Results of the Active Learning Challenge, JMLR W&CP 16).
    `n_labels` [n_budgets] must not fall. A budget without labels has no logarithm and is left out, unless it is the
    only one. A curve of one budget has the height of its point. A missing value makes the area missing (nan): an area
    over fewer points would be another quantity under the same name.
    """
    n, v = np.asarray(n_labels, dtype=np.float64), np.asarray(values, dtype=np.float64)
    if not n.any():
        return float(v.mean()) if len(v) else float("nan")
    x, v = np.log(n[n != 0]), v[n != 0]
    if len(v) == 0 or np.isnan(v).any():
        return float("nan")
    steps = np.diff(x)  # [n_budgets - 1]
    assert (steps >= 0).all(), "budgets must be in rising order"
    if steps.sum() == 0:
        return float(v.mean())
    return float((steps * (v[:-1] + v[1:]) / 2).sum() / steps.sum())


def areas_of_seeds(n_labels: ArrayLike, values: ArrayLike) -> Floats:
    """Return the area under each seed's own curve [n_seeds] from values [n_seeds, n_budgets]; nan with a gap.

    For the mean area and its interval see `mean_interval`: an area is linear in the scores, so that the mean of areas
    is the area under the mean curve, and what moves a whole curve (its seed) counts once and not once a budget.
    """
    return np.array([area_under_curve(n_labels, curve) for curve in np.asarray(values, dtype=np.float64)])
