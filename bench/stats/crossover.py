"""Crossovers: the number of labels from which one learning curve lies above another, with an interval."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from bench.stats.intervals import Floats
from bench.stats.inversion import stretches
from bench.stats.replicates import Replicates, combine, shared_seeds

CrossingKind = Literal["from", "none in the range", "everywhere"]


class Crossing(NamedTuple):
    """From how many labels on one curve lies above another, for all larger budgets that were measured.

    `kind` is "everywhere" where it does at every budget (`n_labels` is the smallest), "none in the range" where it does
    not at the largest (`n_labels` is nan). `lower` and `upper` are the 95 % interval: there the curve is clearly behind
    for the last time, and clearly ahead from then on. Where it never is the end is -inf or inf, where nothing is known
    of the test examples it is nan.
    """

    kind: CrossingKind
    n_labels: float
    lower: float
    upper: float


def crossover(
    ours: Sequence[Replicates], theirs: Sequence[Replicates], *, n_labels: ArrayLike, higher_is_better: bool
) -> Crossing | None:
    """Return from how many labels ours beats theirs; both have a score for each of rising `n_labels` [n_budgets].

    Mean curves are joined by straight lines over log(n_labels), and nothing is read beyond their ends. The interval
    inverts the test of the difference (see `bench.stats.inversion`) and holds that number. Seeds with a gap, other than
    at a budget that no seed has, do not count; without any there is no answer.
    """
    sign = 1.0 if higher_is_better else -1.0
    differences = [combine([one, other], [sign, -sign]) for one, other in zip(ours, theirs, strict=True)]
    labels = np.array([n for n, one in zip(np.asarray(n_labels).tolist(), differences, strict=True) if len(one)])
    differences = [one for one in differences if len(one)]
    seeds = shared_seeds(differences) if differences else ()
    if not seeds:
        return None
    differences = [one.with_seeds(seeds) for one in differences]
    kind, crossed = _crossing(labels, np.array([one.values.mean() for one in differences]))
    ahead = stretches(labels, differences)
    if ahead is None:
        return Crossing(kind, crossed, np.nan, np.nan)
    lower, upper = ahead.where_last_behind(), ahead.where_ahead()
    if kind == "from":  # where seeds agree the ends coincide with the crossing, but for rounding
        lower, upper = min(lower, crossed), max(upper, crossed)
    return Crossing(kind, crossed, lower, upper)


def _crossing(labels: Floats, means: Floats) -> tuple[CrossingKind, float]:
    """Return where mean differences [n_budgets] turn positive for good."""
    behind = np.flatnonzero(means <= 0)
    if len(behind) == 0:
        return "everywhere", float(labels[0])
    last = int(behind[-1])
    if last == len(means) - 1:
        return "none in the range", float("nan")
    share = means[last] / (means[last] - means[last + 1])
    return "from", float(labels[last] * (labels[last + 1] / labels[last]) ** share)
