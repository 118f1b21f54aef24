"""Owns the leaderboard: areas under learning curves side by side, their means and ranks."""

from dataclasses import dataclass
from typing import Final

import pandas as pd

from bench import stats

DECIMALS: Final = 4  # areas are rounded before they are ranked, so that equal numbers on paper share a rank

ROW: Final = ["backbones", "strategy"]


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """Strategies within backbones, best first; both tables have the same rows.

    `rows` has backbones, strategy, scope (a number: rows of one scope cover the same tasks), rank, mean, and the
    numbers of cells scored and planned. `areas` has a column per task: missing where a budget has no score, and where
    the row's backbones are of other tasks. The mean is over all tasks of the scope, and missing if any area is.
    """

    rows: pd.DataFrame
    areas: pd.DataFrame


def rank_strategies(curves: pd.DataFrame) -> Leaderboard:
    """Return the leaderboard of learning curves (see `bench.report.tables.average_seeds`).

    Where every task has one backbone, a row is a strategy over all tasks. Otherwise a row is a strategy with one
    backbone, and ranks compare backbones that were run on the same tasks.
    """
    curves = curves.assign(backbones=_lineups(curves))
    counts = curves.groupby(ROW, observed=True)[["n_seeds", "n_seeds_planned"]].sum()
    rows = counts.rename(columns={"n_seeds": "scored", "n_seeds_planned": "planned"})
    areas = _areas(curves, rows.index)
    covered = {
        names: tuple(name for name in areas.columns if name in set(block["task"]))
        for names, block in curves.groupby("backbones", observed=True)
    }
    scopes = list(dict.fromkeys(covered.values()))
    rows.insert(0, "scope", [scopes.index(covered[names]) for names in rows.index.get_level_values("backbones")])
    blocks = []
    for scope, tasks in enumerate(scopes):
        block = rows[rows["scope"] == scope]
        mean = areas[list(tasks)].loc[block.index].mean(axis="columns", skipna=False).round(DECIMALS)
        ranked = block.assign(rank=pd.Series(stats.competition_ranks(mean), mean.index).astype("Int64"), mean=mean)
        blocks.append(ranked.sort_values("rank", kind="stable", na_position="last"))
    board = pd.concat(blocks)
    return Leaderboard(board.reset_index(), areas.loc[board.index].reset_index(drop=True))


def shared_budgets(curves: pd.DataFrame) -> pd.DataFrame:
    """Return the points at budgets that were planned for every curve of their task: areas compare over these."""
    n_curves = curves[["task", "backbone", "strategy"]].drop_duplicates().groupby("task", observed=True).size()
    planned = curves.groupby(["task", "fraction"], observed=True)["n_seeds"].transform("size")
    everywhere = planned.to_numpy() == n_curves[curves["task"]].to_numpy()
    return curves.loc[pd.Series(everywhere, curves.index)]


def _areas(curves: pd.DataFrame, rows: pd.Index) -> pd.DataFrame:
    """Return the area under each curve, rounded: a row per backbones and strategy, a column per task."""
    tasks = [name for name in curves["task"].cat.categories if name in set(curves["task"])]
    areas = pd.DataFrame(float("nan"), index=rows, columns=tasks)
    points = shared_budgets(curves).astype({"n_labels": "float64"})
    for (backbones, strategy, task), curve in points.groupby([*ROW, "task"], observed=True):
        area = stats.area_under_curve(curve["n_labels"], curve["skill"])
        areas.loc[(backbones, strategy), task] = round(area, DECIMALS)
    return areas


def _lineups(curves: pd.DataFrame) -> pd.Series:
    """Return for each point the backbones its row is about: all of the suite, or just its own."""
    names = [name for name in curves["backbone"].cat.categories if name in set(curves["backbone"])]
    if curves.groupby("task", observed=True)["backbone"].nunique().max() > 1:
        return curves["backbone"]
    together = "; ".join(names)
    return pd.Series(pd.Categorical([together] * len(curves), categories=[together], ordered=True), curves.index)
