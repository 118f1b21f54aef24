"""Owns the parts of the spread over seeds: what subset, initialisation and order of data do each by themselves."""

from dataclasses import dataclass

import numpy as np

from bench import stats
from bench.cell import ALL_STREAMS
from bench.report.tables import CURVE, Tables


@dataclass(frozen=True, slots=True)
class StreamSpread:
    """How far scores spread, in units of the metric, where one random stream follows the seed, or all do ("all").

    `deviation` is the standard deviation over `n_seeds` seeds, from `lower` to `upper` its 95 % interval, the root of
    that of the variance (see `stats.variance_parts`); nan with fewer than two scores.
    """

    task: str
    backbone: str
    strategy: str
    fraction: float
    varied: str
    deviation: float
    lower: float
    upper: float
    n_seeds: int


def spreads_of(tables: Tables) -> list[StreamSpread]:
    """Return the spread of every stream, wherever one was varied by itself, in the order of the tables; else none."""
    found = []
    for (task, backbone, strategy, fraction), block in tables.cells.groupby([*CURVE, "fraction"], observed=True):
        streams = [name for name in dict.fromkeys(block["varied"]) if name != ALL_STREAMS]
        if not streams:
            continue
        scores = {name: block.loc[block["varied"] == name, "score"] for name in (*streams, ALL_STREAMS)}
        for varied, part in stats.variance_parts(scores).items():
            deviation, lower, upper = (float(np.sqrt(one)) for one in part[:3])
            place = (str(task), str(backbone), str(strategy), float(str(fraction)), varied)
            found.append(StreamSpread(*place, deviation, lower, upper, part.n_values))
    return found
