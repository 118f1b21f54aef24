"""Owns the table of `run --variance`: how much scores vary when one random stream alone follows the seed."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pandas as pd

from bench import stats
from bench.cell import ALL_STREAMS
from bench.report.tables import CURVE, Tables
from bench.report.wording import listed, score, strategy_title, task_title

VARIANCE_COLUMNS: Final = (*CURVE, "fraction", "n_labels", "varied", "deviation", "lower", "upper", "n_seeds")
STREAMS: Final = ("subset", "initialisation", "order")


def variance_table(tables: Tables) -> pd.DataFrame:
    """Return a row per point of a learning curve and random stream that was varied there, then one for "all" of them.

    `deviation` is the standard deviation of the score over seeds, of which `n_seeds` were scored, in [`lower`, `upper`]
    with 95 % confidence by the chi-square distribution. Seed 0 of every stream is the ordinary cell of seed 0. Points
    at which no stream was varied alone have no rows; a strategy has no row for a stream that it does not draw from.
    """
    cells = tables.cells
    return pd.DataFrame.from_records(
        [
            (*names, varied, *_deviation(scores))
            for names, point in cells.groupby([*CURVE, "fraction"], observed=True)
            for varied, scores in _streams(point)
        ],
        columns=[name for name in VARIANCE_COLUMNS if name != "n_labels"],
    )
