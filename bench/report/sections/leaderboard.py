"""What a report says of the leaderboard: ranks and areas with their intervals, ties and gaps marked."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from bench.analysis.leaderboard import shared_budgets
from bench.analysis.tables import Tables
from bench.analysis.wording import MISSING, count, interval, score, strategy_title, task_title
from bench.report.document import Block, Column, Mark, Paragraph, Section, Spreadsheet, Table, Value
from bench.report.spreadsheets import leaderboard_csv


def leaderboard_section(tables: Tables) -> Section:
    """Return the leaderboard: a table for each set of rows over the same tasks."""
    board = tables.leaderboard
    used = tables.curves.groupby("task", observed=True)["budget"].nunique()
    shared = shared_budgets(tables.curves).groupby("task", observed=True)["budget"].nunique().reindex(used.index)
    unlabelled = " A budget of 0 has no logarithm: it counts only where it is the only one."
    blocks: list[Block] = [
        Paragraph(
            "The area under the learning curve over the logarithm of the number of labels, on a scale where 0 is "
            "the baseline and 1 is perfect. Unlike scores have no mean: over tasks a row has its win rate, the share "
            "of other rows that it is ahead of, ties half, and is ranked by it. Brackets hold 95 % intervals: of an "
            "area over other budgets and test examples, of win rates and ranks over other tasks like these."
            + ("" if (used == shared).all() else " Only budgets that were planned for every strategy of a task count.")
            + (unlabelled if (tables.curves["amount"] == 0).any() else "")
        )
    ]
    scopes = board.rows.groupby("scope", sort=False)
    for number, (_, rows) in enumerate(scopes, start=1):
        whole = Spreadsheet("leaderboard.csv", leaderboard_csv(board)) if number == 1 else None
        caption = "Areas and ranks" + ("" if scopes.ngroups == 1 else f", {number} of {scopes.ngroups}")
        blocks.append(_standings(tables, rows, caption=caption, spreadsheet=whole))
    if (board.rows["scored"] < board.rows["planned"]).any():
        blocks.append(Paragraph(f"{MISSING}: a budget has no score, so there is no area.", note=True))
    return Section("leaderboard", "Leaderboard", tuple(blocks))


def _standings(tables: Tables, rows: pd.DataFrame, *, caption: str, spreadsheet: Spreadsheet | None) -> Table:
    board, manifest = tables.leaderboard, tables.manifest
    several = len(set(board.rows["backbones"])) > 1
    areas = board.areas.loc[rows.index]
    tasks = [name for name in areas.columns if not several or areas[name].notna().any()]
    means = board.means.loc[rows.index]
    kinds = [name for name in means if means[name].notna().any()]
    rates = rows[["win_rate", "win_lower", "win_upper"]] if len(tasks) > 1 else None
    best = {**areas[tasks].max().to_dict(), **means[kinds].max().to_dict()}
    ends = [
        pd.concat(pair, axis=1).loc[rows.index].to_dict("records")
        for pair in (
            (board.areas, board.means),
            (board.areas_lower, board.means_lower),
            (board.areas_upper, board.means_upper),
        )
    ]
    lines = []
    for row, *area in zip(rows.to_dict("records"), *ends, strict=True):
        line = [_rank(row), Value(strategy_title(row["strategy"]), ("tied for best" if row["tied"] else "",))]
        if several:
            line.append(Value(row["backbones"]))
        if rates is not None:
            line.append(_area(row["win_rate"], row["win_lower"], row["win_upper"], rows["win_rate"].max()))
        line += [_area(area[0][name], area[1][name], area[2][name], best[name]) for name in (*kinds, *tasks)]
        lines.append((*line, _cells(row)))
    titles = [*(["Win rate"] if rates is not None else []), *(f"Mean of {kind}" for kind in kinds)]
    columns = (
        *(Column("Rank", numeric=True), Column("Strategy"), *([Column("Backbone")] if several else [])),
        *(Column(title, numeric=True) for title in titles),
        *(Column(task_title(manifest, str(task)), numeric=True) for task in tasks),
        Column("Cells scored", numeric=True),
    )
    return Table(caption, columns, tuple(lines), heads=1, sortable=True, spreadsheet=spreadsheet)


def _rank(row: Mapping[Any, Any]) -> Value:
    if pd.isna(row["rank"]):
        return Value(MISSING, mark="missing")
    low, high = row["rank_low"], row["rank_high"]
    around = "" if pd.isna(low) or pd.isna(high) else f"[{low:.0f}, {high:.0f}]"
    return Value(f"{row['rank']:.0f}", (around,), order=float(row["rank"]), mark="best" if row["rank"] == 1 else "")


def _area(area: float, lower: float, upper: float, best: float) -> Value:
    if pd.isna(area):
        return Value(MISSING, mark="missing")
    return Value(score(area), (interval(lower, upper),), float(area), "best" if area == best else "")


def _cells(row: Mapping[Any, Any]) -> Value:
    scored, failed, planned = int(row["scored"]), int(row["failed"]), int(row["planned"])
    gaps = [f"{count(failed)} failed"] if failed else []
    if planned > scored + failed:
        gaps.append(f"{count(planned - scored - failed)} not run")
    mark: Mark = "failed" if failed else "missing" if gaps else ""
    return Value(f"{count(scored)} of {count(planned)}", tuple(gaps), scored / max(planned, 1), mark)
