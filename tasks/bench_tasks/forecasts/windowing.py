"""Cutting series into windows of past and future, and what lies on which side of the split."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bench.column import Dense
from bench.domains.series.raw import Series, Windows
from bench.targets.forecast import LABEL
from bench.task import Examples, Split


class Shape(NamedTuple):
    """What a window is: `context` steps of past, `horizon` steps of future, and the steps of a seasonal cycle."""

    context: int
    horizon: int
    season: int

    @property
    def length(self) -> int:
        """Steps of past and future together."""
        return self.context + self.horizon


class Bounds(NamedTuple):
    """What is learnt from and tested on: steps 0 to `train_end`, and `test_start` to `test_end`.

    Windows lie wholly on their side, but where the pasts of test windows are meant to reach back, `test_start` is as
    much earlier.
    """

    train_end: int
    test_start: int
    test_end: int


def bounds_by_share(length: int, test_share: float) -> Bounds:
    """Hold out the last share of time: no step is on both sides."""
    end = length - round(test_share * length)
    return Bounds(end, end, length)


def bounds_by_counts(counts: tuple[int, int, int], context: int) -> Bounds:
    """Split as the literature does, by `counts` of training, validation and test steps from the start of a series.

    The futures of test windows lie within the test steps, and their pasts reach back before them (Zhou et al. 2021,
    arXiv:2012.07436). Validation steps are nobody's future.
    """
    train, validation, test = counts
    return Bounds(train, train + validation - context, train + validation + test)


def cut_split(series: Sequence[Series], bounds: Sequence[Bounds], units: Sequence[float], shape: Shape) -> Split:
    """Return every window of each series on both sides of its bounds, in order of time.

    `units` are those in which errors of each series are counted. Windows of one moment lie next to each other, in the
    order of the series.
    """
    train = [one.between(0, limit.train_end) for one, limit in zip(series, bounds, strict=True)]
    test = [one.between(limit.test_start, limit.test_end) for one, limit in zip(series, bounds, strict=True)]
    return Split(train=cut(train, units, shape), test=cut(test, units, shape))


def cut(stretches: Sequence[Series], units: Sequence[float], shape: Shape) -> Examples:
    """Return every window of past and future in each stretch, ordered by the moment of its end.

    Stretches shorter than a window have none. Of each window it is known when it begins (`moment`), of which `series`
    it is, by its place among the stretches, the number of its first `step` there, how many `steps` it holds, of how
    many series it is one (`of`), and the `unit` of that series' errors.
    """
    counts = [max(0, len(stretch) - shape.length + 1) for stretch in stretches]
    moments = np.concatenate([stretch.moments[:count] for stretch, count in zip(stretches, counts, strict=True)])
    steps = np.concatenate([np.arange(count) for count in counts])
    ends = np.concatenate([stretch.moments[shape.length - 1 :] for stretch in stretches])
    owners = np.repeat(np.arange(len(stretches)), counts)  # [n]
    order = np.lexsort((owners, ends))
    past = np.empty((len(order), shape.context))
    future = np.empty((len(order), shape.horizon))
    owners = owners[order]
    for number, stretch in enumerate(stretches):
        rows = np.flatnonzero(owners == number)
        if len(rows):
            windows = np.lib.stride_tricks.sliding_window_view(stretch.values, shape.length)
            past[rows], future[rows] = windows[:, : shape.context], windows[:, shape.context :]
    unit = np.asarray(units, dtype=np.float64)[owners]
    lengths, several = np.full(len(order), shape.length), np.full(len(order), len(stretches))
    facts = Dense(
        {
            "unit": unit,
            "moment": moments[order],
            "series": owners,
            "step": steps[order],
            "steps": lengths,
            "of": several,
        }
    )
    names = np.array([stretch.name for stretch in stretches])[owners]
    return Examples(Windows(past, shape.season, unit, names), {LABEL: Dense({LABEL: future})}, facts)
