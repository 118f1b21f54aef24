"""The leaderboard: areas under learning curves side by side, their means, ranks and intervals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from bench import stats
from bench.analysis.points import Point, Points

DECIMALS: Final = 4  # areas are rounded before they are ranked, so that equal numbers on paper share a rank

ROW: Final = ["backbones", "strategy"]
SEPARATOR: Final = "; "  # of backbones that a row is about


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """Strategies within backbones, best first; all tables have the same rows.

    `rows` has backbones, strategy, scope (a number: rows of one scope cover the same tasks), rank, rank_low and
    rank_high (its 95 % interval), tied (it may be the best, and so may another row), win_rate with win_lower and
    win_upper, and the numbers of cells scored, failed and planned. `areas` has a column per task, `areas_lower` and
    `areas_upper` its 95 % interval; `means`, `means_lower` and `means_upper` one for each target that several tasks of
    the folder have: unlike scores have no mean.

    An area is the mean over the seeds that have a score at every budget, of the area under each seed's own curve of
    skills. It is missing where there is no such seed, and where the row's backbones are of other tasks. A win rate is
    the share of other rows of the scope that a row is ahead of, ties half, over seeds and tasks. Rows are ranked by it,
    on a single task by the area. Intervals of areas and means are over other budgets and other test examples, those of
    ranks and win rates over other tasks; of a single task ranks have those of the areas.
    """

    rows: pd.DataFrame
    areas: pd.DataFrame
    areas_lower: pd.DataFrame
    areas_upper: pd.DataFrame
    means: pd.DataFrame
    means_lower: pd.DataFrame
    means_upper: pd.DataFrame


def rank_strategies(cells: pd.DataFrame, curves: pd.DataFrame, points: Points, kinds: Mapping[str, str]) -> Leaderboard:
    """Return the leaderboard of cells, their learning curves and the points of these (see `bench.analysis.tables`).

    `kinds` says what the target of each task is called.

    Where every task has one backbone, a row is a strategy over all tasks. Otherwise a row is a strategy with one
    backbone, and ranks compare backbones that were run on the same tasks.
    """
    curves = _with_lineups(cells, curves)
    counts = curves.groupby(ROW, observed=True)[["n_seeds", "n_seeds_failed", "n_seeds_planned"]].sum()
    rows = counts.set_axis(["scored", "failed", "planned"], axis="columns")
    areas = _areas(curves, points, rows.index)
    covered = {
        names: tuple(name for name in areas if name in set(block["task"]))
        for names, block in curves.groupby("backbones", observed=True)
    }
    scopes = list(dict.fromkeys(covered.values()))
    rows.insert(0, "scope", [scopes.index(covered[names]) for names in rows.index.get_level_values("backbones")])
    blocks = [
        _ranked(block, [[areas[task][row] for task in tasks] for row in block.index])
        for scope, tasks in enumerate(scopes)
        for block in [rows[rows["scope"] == scope]]
    ]
    board = pd.concat(blocks)
    of_tasks = {task: [stats.uncertainty(areas[task][row]) for row in board.index] for task in areas}
    of_targets = {
        kind: [stats.pooled([of_tasks[task][place] for task in tasks]) for place in range(len(board))]
        for kind in dict.fromkeys(kinds[task] for task in areas)
        if len(tasks := [task for task in areas if kinds[task] == kind]) > 1
    }
    return Leaderboard(board.reset_index(), *_columns(of_tasks, len(board)), *_columns(of_targets, len(board)))


def _columns(
    found: Mapping[str, Sequence[stats.Uncertainty]], n_rows: int
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return means, lower and upper ends, each with a column for each task or target."""
    ends = {name: [(one.mean, *one.interval()) for one in column] for name, column in found.items()}
    mean, lower, upper = (
        pd.DataFrame({name: [one[end] for one in column] for name, column in ends.items()}, range(n_rows)).round(
            DECIMALS
        )
        for end in range(3)
    )
    return mean.round(DECIMALS), lower.round(DECIMALS), upper.round(DECIMALS)


def shared_budgets(curves: pd.DataFrame) -> pd.DataFrame:
    """Return the points at budgets that were planned for every curve of their task: areas compare over these."""
    n_curves = curves[["task", "backbone", "strategy"]].drop_duplicates().groupby("task", observed=True).size()
    planned = curves.groupby(["task", "budget"], observed=True)["n_seeds"].transform("size")
    everywhere = planned.to_numpy() == n_curves[curves["task"]].to_numpy()
    return curves.loc[pd.Series(everywhere, curves.index)]


def _ranked(rows: pd.DataFrame, areas: Sequence[Sequence[stats.Replicates]]) -> pd.DataFrame:
    """Return the rows of a scope, best first, with win rates and ranks from the areas of each row on each task."""
    n_tasks = len(areas[0])
    duels = [stats.duels(_by_seed([row[task] for row in areas]), decimals=DECIMALS) for task in range(n_tasks)]
    rates = stats.win_rates(duels)
    if n_tasks == 1:
        ranks = stats.competition_ranks([round(stats.uncertainty(row[0]).mean, DECIMALS) for row in areas])
        low, high = stats.rank_intervals(areas)[:2]
        told = any(stats.contrast(row[0]).known for row in areas)
    else:
        whole = np.array([all(map(len, row)) for row in areas], dtype=np.bool_)
        rates = stats.WinRates(*(np.where(whole, ends, np.nan) for ends in rates))
        ranks = stats.competition_ranks(rates.mean.round(DECIMALS))
        low, high = stats.ranks_over_tasks(duels)[:2]
        told = True
    unknown = np.full(len(rows), np.nan)
    low, high = (np.where(np.isnan(ranks), np.nan, ends) if told else unknown for ends in (low, high))
    best = (ranks == 1) | (low == 1)
    ranked = rows.assign(
        rank=_whole_numbers(ranks, rows.index),
        rank_low=_whole_numbers(low, rows.index),
        rank_high=_whole_numbers(high, rows.index),
        tied=best & (best.sum() > 1),
        win_rate=rates.mean.round(DECIMALS),
        win_lower=rates.lower.round(DECIMALS),
        win_upper=rates.upper.round(DECIMALS),
    )
    return ranked.sort_values("rank", kind="stable", na_position="last")


def _by_seed(areas: Sequence[stats.Replicates]) -> stats.Floats:
    """Return areas [n_rows, n_seeds], missing where a row has none with a seed."""
    seeds = sorted({seed for area in areas for seed in area.seeds})
    table = np.full((len(areas), len(seeds)), np.nan)
    for place, area in enumerate(areas):
        table[place, [seeds.index(seed) for seed in area.seeds]] = area.values
    return table


def _whole_numbers(values: stats.Floats, index: pd.Index) -> pd.Series:
    return pd.Series(values, index).astype("Int64")


def _areas(curves: pd.DataFrame, points: Points, rows: pd.Index) -> dict[str, dict[Any, stats.Replicates]]:
    """Return for each task and row the area under its curve of skills; without seeds where a budget has no score."""
    tasks = [name for name in curves["task"].cat.categories if name in set(curves["task"])]
    areas: dict[str, dict[Any, stats.Replicates]] = {task: dict.fromkeys(rows, stats.NO_REPLICATES) for task in tasks}
    for (backbones, strategy, task), block in shared_budgets(curves).groupby([*ROW, "task"], observed=True):
        ordered = block.drop_duplicates("budget").sort_values("amount")
        chance, perfect = float(ordered["chance"].iloc[0]), float(ordered["perfect"].iloc[0])
        keys = ordered[list(Point._fields)].astype(str).itertuples(index=False)
        curve = [points.models.get(Point(*key), stats.NO_REPLICATES) for key in keys]
        if all(map(len, curve)) and perfect != chance:
            area = stats.area_of_replicates(ordered["amount"], curve)
            areas[str(task)][backbones, strategy] = area.plus(-chance).scaled(1 / (perfect - chance))
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
