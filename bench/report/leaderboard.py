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

    `rows` has backbones, strategy, scope (a number: rows of one scope cover the same tasks), rank, mean, and the numbers
    of cells scored and planned. `areas` has a column per task: missing where a budget has no score, and where the row's
    backbones are of other tasks. The mean is over all tasks of the scope, and missing if any of their areas is.
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
    areas = _areas(curves).unstack("task").reindex(counts.index)
    areas = areas[[name for name in curves["task"].cat.categories if name in areas.columns]]
    rows = counts.rename(columns={"n_seeds": "scored", "n_seeds_planned": "planned"})
    tasks = curves.groupby("backbones", observed=True)["task"].agg(lambda names: tuple(sorted(set(names.cat.codes))))
    rows.insert(0, "scope", pd.factorize(tasks[rows.index.get_level_values("backbones")])[0])
    blocks = []
    for _, block in rows.groupby("scope"):
        mine = areas.loc[block.index]
        covered = [name for name in areas.columns if name in _tasks_of(curves, block)]
        mean = mine[covered].mean(axis=1, skipna=False).round(DECIMALS)
        ranked = block.assign(rank=pd.Series(stats.competition_ranks(mean), mean.index).astype("Int64"), mean=mean)
        blocks.append(ranked.sort_values("rank", kind="stable", na_position="last"))
    board = pd.concat(blocks)
    return Leaderboard(board.reset_index(), areas.loc[board.index].reset_index(drop=True))


def shared_budgets(curves: pd.DataFrame) -> pd.DataFrame:
    """Return the points at budgets that were planned for every curve of their task: areas compare over the same ones."""
    n_curves = curves[["task", "backbone", "strategy"]].drop_duplicates().groupby("task", observed=True).size()
    planned = curves.groupby(["task", "fraction"], observed=True)["n_seeds"].transform("size")
    return curves[planned.to_numpy() == n_curves[curves["task"]].to_numpy()]


def _areas(curves: pd.DataFrame) -> pd.Series:
    """Return the area under each curve, rounded, indexed by backbones, strategy and task."""
    points = shared_budgets(curves).astype({"n_labels": "float64"})
    return (
        points.groupby([*ROW, "task"], observed=True)[["n_labels", "skill"]]
        .apply(lambda curve: stats.area_under_curve(curve["n_labels"], curve["skill"]))
        .round(DECIMALS)
    )


def _lineups(curves: pd.DataFrame) -> pd.Series:
    """Return for each point the backbones its row is about: all of the suite, or just its own."""
    names = [name for name in curves["backbone"].cat.categories if name in set(curves["backbone"])]
    if curves.groupby("task", observed=True)["backbone"].nunique().max() > 1:
        return curves["backbone"]
    together = "; ".join(names)
    return pd.Series(pd.Categorical([together] * len(curves), categories=[together], ordered=True), curves.index)


def _tasks_of(curves: pd.DataFrame, block: pd.DataFrame) -> set[str]:
    return set(curves.loc[curves["backbones"].isin(block.index.get_level_values("backbones")), "task"])
