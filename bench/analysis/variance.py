"""What `run --variance` tells: how much scores vary when one random stream alone follows the seed."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd

from bench import stats
from bench.analysis.tables import CURVE, Tables
from bench.analysis.wording import backbone_title, join_words, quantity, strategy_title
from bench.cell import ALL_STREAMS
from bench.stats import Floats

STREAMS: Final[Mapping[str, str]] = {
    "subset": "the subset",
    "initialisation": "the initialisation",
    "order": "the order of data",
}
"""The random streams that can be varied alone, with what they are called in a sentence."""

UNDECIDED: Final = "not decided"
VARIANCE_COLUMNS: Final = (*CURVE, "budget", "amount", "varied", "deviation", "lower", "upper", "n_seeds")


def variance_table(tables: Tables) -> pd.DataFrame:
    """Return a row per point of a learning curve and random stream that was varied there, then one for "all" of them.

    `deviation` is the standard deviation of the score over seeds, of which `n_seeds` were scored; it lies in [`lower`,
    `upper`] with 95 % confidence, if scores are normal (see `bench.stats.variance_parts`). Seed 0 of every stream is
    the ordinary cell of seed 0. Points at which no stream was varied alone have no rows, and a strategy has no row for
    a stream that it does not draw from: what is solved depends on its subset alone. Often there is no row at all.
    """
    varied_points = tables.cells.loc[tables.cells["varied"] != ALL_STREAMS, [*CURVE, "budget"]].drop_duplicates()
    cells = tables.cells.merge(varied_points, on=[*CURVE, "budget"])
    rows = [
        (*names, point["amount"].max(), varied, *_deviation(part))
        for names, point in cells.groupby([*CURVE, "budget"], observed=True)
        for varied, part in stats.variance_parts(_scores(point)).items()
    ]
    table = pd.DataFrame.from_records(rows, columns=list(VARIANCE_COLUMNS))
    return table.astype({"amount": "float64", "deviation": "float64", "lower": "float64", "upper": "float64"})


def variance_sentences(tables: Tables, table: pd.DataFrame, task: str) -> list[str]:
    """Return for each backbone and strategy of a task which stream moves its scores most, or that it is not decided.

    A stream does where its whole interval lies above those of the others. Strategies that draw from one stream alone
    have nothing to tell apart.
    """
    own = table[table["task"] == task].dropna(subset="amount")
    several = len(set(own["backbone"])) > 1
    said = []
    for names, curve in own.groupby(["backbone", "strategy"], observed=True):
        backbone, strategy = map(str, names)
        if len(set(curve["varied"])) > 2:
            at = {float(str(amount)): dominant_stream(point) for amount, point in curve.groupby("amount")}
            name = strategy_title(strategy)
            name += f" ({backbone_title(tables.manifest, backbone)})" if several else ""
            said.append(f"What moves scores of {name} most: {_listed_streams(at)} {tables.manifest.tasks[task].unit}.")
    return said


def dominant_stream(point: pd.DataFrame) -> str | None:
    """Return the stream of one point whose interval lies above those of all others; None where none does."""
    alone = point[point["varied"] != ALL_STREAMS].set_index("varied")
    for stream in alone.index:
        others = alone["upper"].drop(stream)
        if len(others) and bool((alone["lower"][stream] > others).all()):
            return str(stream)
    return None


def _scores(point: pd.DataFrame) -> dict[str, Floats]:
    """Return the scores of each stream that was varied at a point, in the order of `STREAMS`, and of all at once."""
    ordinary = point[point["varied"] == ALL_STREAMS]
    first = ordinary[ordinary["seed"] == 0]
    rows = {stream: pd.concat([first, point[point["varied"] == stream]]) for stream in STREAMS}
    found = {stream: own["score"] for stream, own in rows.items() if len(own) > len(first)}
    return {name: scores.to_numpy() for name, scores in (*found.items(), (ALL_STREAMS, ordinary["score"]))}


def _deviation(part: stats.VariancePart) -> tuple[float, float, float, int]:
    """Return the deviation of a variance with its interval; what is within rounding is none."""
    deviation, *ends = np.sqrt(part[:3])
    return (0.0, 0.0, 0.0, part.n_values) if deviation < stats.ROUNDING else (deviation, *ends, part.n_values)


def _listed_streams(at: Mapping[float, str | None]) -> str:
    """Return which stream moves scores most at which amounts of labels."""
    parts = []
    for stream in (*STREAMS, None):
        budgets = [quantity(amount) for amount, found in at.items() if found == stream]
        if budgets:
            parts.append(f"{UNDECIDED if stream is None else STREAMS[stream]} at {join_words(budgets)}")
    return "; ".join(parts)
