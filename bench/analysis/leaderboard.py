"""The leaderboard: areas under learning curves side by side, their means, ranks and intervals."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from bench import stats

DECIMALS: Final = 4  # areas are rounded before they are ranked, so that equal numbers on paper share a rank

ROW: Final = ["backbones", "strategy"]
SEPARATOR: Final = "; "  # of backbones that a row is about
POINT: Final = ["task", "backbone", "strategy", "budget"]


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """Strategies within backbones, best first; all tables have the same rows.

    `rows` has backbones, strategy, scope (a number: rows of one scope cover the same tasks), rank, rank_low and
    rank_high (the 95 % interval of the rank, see `stats.rank_intervals`), tied (no row of its scope clearly beats it,
    and that is so of another row too), mean with mean_lower and mean_upper, iqm, and the numbers of cells scored,
    failed and planned. `areas` has a column per task, `areas_lower` and `areas_upper` its 95 % interval over seeds.

    An area is the mean over the seeds that have a score at every budget, of the area under each seed's own curve. It is
    missing where there is no such seed, and where the row's backbones are of other tasks. `mean` and `iqm`, the
    interquartile mean over tasks and seeds, are over the seeds that have every area of the scope. Without two seeds
    there are no intervals, and only equal means tie.
    """

    rows: pd.DataFrame
    areas: pd.DataFrame
    areas_lower: pd.DataFrame
    areas_upper: pd.DataFrame


def rank_strategies(cells: pd.DataFrame, curves: pd.DataFrame) -> Leaderboard:
    """Return the leaderboard of cells and their learning curves (see `bench.analysis.tables`).

    Where every task has one backbone, a row is a strategy over all tasks. Otherwise a row is a strategy with one
    backbone, and ranks compare backbones that were run on the same tasks.
    """
    curves = _with_lineups(cells, curves)
    counts = curves.groupby(ROW, observed=True)[["n_seeds", "n_seeds_failed", "n_seeds_planned"]].sum()
    rows = counts.set_axis(["scored", "failed", "planned"], axis="columns")
    areas = _areas_by_seed(cells, curves, rows.index)
    covered = {
        names: tuple(name for name in areas if name in set(block["task"]))
        for names, block in curves.groupby("backbones", observed=True)
    }
    scopes = list(dict.fromkeys(covered.values()))
    rows.insert(0, "scope", [scopes.index(covered[names]) for names in rows.index.get_level_values("backbones")])
    blocks = [
        _ranked(block, np.stack([areas[task].loc[block.index].to_numpy() for task in tasks]))
        for scope, tasks in enumerate(scopes)
        for block in [rows[rows["scope"] == scope]]
    ]
    board = pd.concat(blocks)
    found = {task: [stats.mean_interval(line) for line in areas[task].loc[board.index].to_numpy()] for task in areas}
    areas_mean, areas_lower, areas_upper = (
        pd.DataFrame({task: [one[end] for one in column] for task, column in found.items()}).round(DECIMALS)
        for end in range(3)
    )
    return Leaderboard(board.reset_index(), areas_mean, areas_lower, areas_upper)


def shared_budgets(curves: pd.DataFrame) -> pd.DataFrame:
    """Return the points at budgets that were planned for every curve of their task: areas compare over these."""
    n_curves = curves[["task", "backbone", "strategy"]].drop_duplicates().groupby("task", observed=True).size()
    planned = curves.groupby(["task", "budget"], observed=True)["n_seeds"].transform("size")
    everywhere = planned.to_numpy() == n_curves[curves["task"]].to_numpy()
    return curves.loc[pd.Series(everywhere, curves.index)]


def _ranked(rows: pd.DataFrame, areas: stats.Floats) -> pd.DataFrame:
    """Return the rows of a scope, best first, with means and ranks from areas [n_tasks, n_rows, n_seeds]."""
    seeds = areas.mean(axis=0)  # [n_rows, n_seeds]: missing where a task is
    means = [stats.mean_interval(line) for line in seeds]
    mean, lower, upper = (np.array([one[end] for one in means]).round(DECIMALS) for end in range(3))
    ranks = stats.competition_ranks(mean)
    whole = ~np.isnan(seeds)
    told = whole.sum(axis=1).max() > 1  # without two seeds there are no intervals
    unknown = np.full(len(rows), np.nan)
    low, high = stats.rank_intervals(seeds)[:2] if told else (unknown, unknown)
    best = (ranks == 1) | (low == 1)
    ranked = rows.assign(
        rank=_whole_numbers(ranks, rows.index),
        rank_low=_whole_numbers(low, rows.index),
        rank_high=_whole_numbers(high, rows.index),
        tied=best & (best.sum() > 1),
        mean=mean,
        mean_lower=lower,
        mean_upper=upper,
        iqm=[round(stats.interquartile_mean(areas[:, i, whole[i]]), DECIMALS) for i in range(len(rows))],
    )
    return ranked.sort_values("rank", kind="stable", na_position="last")


def _whole_numbers(values: stats.Floats, index: pd.Index) -> pd.Series:
    return pd.Series(values, index).astype("Int64")


def _areas_by_seed(cells: pd.DataFrame, curves: pd.DataFrame, rows: pd.Index) -> dict[str, pd.DataFrame]:
    """Return for each task the area under each seed's own curve: rows by seeds, missing where a budget has no score."""
    tasks = [name for name in curves["task"].cat.categories if name in set(curves["task"])]
    seeds = sorted(set(cells["seed"]))
    areas = {task: pd.DataFrame(float("nan"), index=rows, columns=seeds) for task in tasks}
    points = shared_budgets(curves)[[*POINT, "backbones", "amount", "chance", "perfect"]]
    scores = points.merge(cells[[*POINT, "seed", "score"]], on=POINT)
    scores["skill"] = stats.skill(scores["score"], chance=scores["chance"], perfect=scores["perfect"])
    for (backbones, strategy, task), block in scores.groupby([*ROW, "task"], observed=True):
        budgets = block.drop_duplicates("budget").sort_values("amount")
        curve = block.set_index(["seed", "budget"])["skill"].unstack("budget")  # noqa: PD010 - a series has no pivot
        found = stats.areas_of_seeds(budgets["amount"], curve[list(budgets["budget"])])
        areas[str(task)].loc[(backbones, strategy), list(curve.index)] = found
    return areas


def _with_lineups(cells: pd.DataFrame, curves: pd.DataFrame) -> pd.DataFrame:
    """Return the points with the backbones that their row is about: all of the suite, or just their own.

    A strategy whose cells are the same work on several backbones, as those of a classical model are, has one row for
    these: points of the others are left out.
    """
    if curves.groupby("task", observed=True)["backbone"].nunique().max() == 1:
        names = [name for name in curves["backbone"].cat.categories if name in set(curves["backbone"])]
        return curves.assign(backbones=_ordered([SEPARATOR.join(names)] * len(curves), curves.index))
    keys = cells.dropna(subset="key").groupby(["strategy", "backbone"], observed=True)["key"]
    known: dict[Any, frozenset[str]] = keys.agg(frozenset).to_dict()
    alike: dict[tuple[str, frozenset[str]], list[str]] = {}
    for (strategy, backbone), work in known.items():
        alike.setdefault((strategy, work), []).append(backbone)
    together = {(strategy, names[0]): SEPARATOR.join(names) for (strategy, _), names in alike.items()}
    repeated = {(strategy, name) for (strategy, _), names in alike.items() for name in names[1:]}
    rows = list(zip(curves["strategy"], curves["backbone"], strict=True))
    labelled = curves.assign(backbones=_ordered([together.get(row, row[1]) for row in rows], curves.index))
    return labelled.loc[[row not in repeated for row in rows]]


def _ordered(names: Sequence[str], index: pd.Index) -> pd.Series:
    """Return names as ordered categories, in the order in which they come."""
    return pd.Series(list(names), index).astype(pd.CategoricalDtype(list(dict.fromkeys(names)), ordered=True))
