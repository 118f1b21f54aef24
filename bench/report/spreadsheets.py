"""The CSV files of a report: which columns, how numbers are written, and that no name can act as a formula."""

from collections.abc import Mapping
from typing import Final

import pandas as pd

from bench.analysis.leaderboard import DECIMALS, Leaderboard
from bench.analysis.tables import METRIC_PREFIX

FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")

CURVE_COLUMNS: Final = (
    "task",
    "backbone",
    "strategy",
    "budget",
    "amount",
    "metric",
    "mean",
    "lower",
    "upper",
    "n_seeds",
    "n_seeds_planned",
    "chance",
)

RANK_COLUMNS: Final = ("rank", "rank_low", "rank_high", "tied", "backbones", "strategy")

FORMATS: Final[Mapping[str, str]] = {
    "amount": "{:.10g}",
    "score": "{:.6f}",
    "chance": "{:.6f}",
    "penalty": "{:.6g}",
    "learning_rate": "{:.6g}",
    "seconds": "{:.3f}",
    "training_seconds": "{:.3f}",
    "evaluation_seconds": "{:.3f}",
    "loading_seconds": "{:.3f}",
    "frozen_seconds": "{:.3f}",
    "head_seconds": "{:.3f}",
    "peak_mib": "{:.1f}",
    "mean": "{:.6f}",
    "lower": "{:.6f}",
    "upper": "{:.6f}",
    "deviation": "{:.6f}",
}


def results_csv(cells: pd.DataFrame) -> str:
    """Return `results.csv`: a row per planned cell; status says whether it was scored, and reason why not."""
    metrics = [str(name) for name in cells if str(name).startswith(METRIC_PREFIX)]
    return _csv(cells, {**FORMATS, **dict.fromkeys(metrics, FORMATS["score"])})


def curves_csv(curves: pd.DataFrame) -> str:
    """Return `curves.csv`: a row per point of every learning curve, its mean missing where no seed was scored."""
    return _csv(curves[list(CURVE_COLUMNS)], FORMATS)


def shifts_csv(shifted: pd.DataFrame) -> str:
    """Return `shifts.csv`: a row per point of a learning curve and shift, see `bench.analysis.shifts`."""
    return _csv(shifted, FORMATS)


def variance_csv(variance: pd.DataFrame) -> str:
    """Return `variance.csv`: a row per point and random stream that was varied, see `bench.analysis.variance`."""
    return _csv(variance, FORMATS)


def leaderboard_csv(board: Leaderboard) -> str:
    """Return `leaderboard.csv`: ranks, strategies, win rates, areas and means with intervals, cells."""
    several = (
        ("", board.areas, board.areas_lower, board.areas_upper),
        ("mean of ", board.means, board.means_lower, board.means_upper),
    )
    numbers = {
        f"{prefix}{name}{end}": table[name]
        for prefix, mean, lower, upper in several
        for name in mean
        for end, table in (("", mean), ("_lower", lower), ("_upper", upper))
    }
    rows, rates = board.rows, ["win_rate", "win_lower", "win_upper"]
    parts = [rows[[*RANK_COLUMNS, *rates]], pd.DataFrame(numbers), rows[["scored", "failed", "planned"]]]
    table = pd.concat(parts, axis=1)
    return _csv(table, dict.fromkeys([*numbers, *rates], f"{{:.{DECIMALS}f}}"))


def harmless(text: str) -> str:
    """Return the text so that a spreadsheet does not take it for a formula: a leading apostrophe marks it as text."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _csv(table: pd.DataFrame, formats: Mapping[str, str]) -> str:
    written = pd.concat([_written(column, formats.get(str(name))) for name, column in table.items()], axis=1)
    written.columns = pd.Index([harmless(str(name)) for name in table.columns])
    text: str = written.to_csv(index=False, lineterminator="\n")
    return text


def _written(column: pd.Series, number_format: str | None) -> pd.Series:
    if not pd.api.types.is_numeric_dtype(column):
        return column.astype("object").map(harmless, na_action="ignore")
    return column if number_format is None else column.map(number_format.format, na_action="ignore")
