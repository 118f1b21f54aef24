"""What a report says of the leaderboard: ranks and areas with their intervals, ties and gaps marked."""

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from bench.analysis.leaderboard import shared_budgets
from bench.analysis.tables import Tables
from bench.analysis.wording import MISSING, count, interval, score, strategy_title, task_title
from bench.report.document import Block, Column, Mark, Paragraph, Section, Spreadsheet, Table, Value
from bench.report.spreadsheets import leaderboard_csv

NAN: Final = float("nan")


def leaderboard_section(tables: Tables) -> Section:
    """Return the leaderboard: a table for each set of rows over the same tasks."""
    board = tables.leaderboard
    used = tables.curves.groupby("task", observed=True)["budget"].nunique()
    shared = shared_budgets(tables.curves).groupby("task", observed=True)["budget"].nunique().reindex(used.index)
    unlabelled = " A budget of 0 has no logarithm: it counts only where it is the only one."
    blocks: list[Block] = [
        Paragraph(
            "The area under the learning curve over the logarithm of the number of labels, on a scale where 0 is "
            "chance and 1 is perfect (for forecasts 0 is the seasonal naive, so this is the skill against it). "
            "Brackets hold 95 % intervals; a rank's are the ranks that it may have."
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
    means = ["mean", "iqm"] if rows["iqm"].notna().any() else ["mean"]
    best = {**areas[tasks].max().to_dict(), **rows[means].max().to_dict()}
    ends = [one.loc[rows.index].to_dict("records") for one in (board.areas, board.areas_lower, board.areas_upper)]
    lines = []
    for row, *area in zip(rows.to_dict("records"), *ends, strict=True):
        line = [_rank(row), Value(strategy_title(row["strategy"]), ("tied for best" if row["tied"] else "",))]
        if several:
            line.append(Value(row["backbones"]))
        line.append(_area(row["mean"], row["mean_lower"], row["mean_upper"], best["mean"]))
        if "iqm" in means:
            line.append(_area(row["iqm"], NAN, NAN, best["iqm"]))
        line += [_area(area[0][task], area[1][task], area[2][task], best[task]) for task in tasks]
        lines.append((*line, _cells(row)))
    titles = ["Mean", *(["Interquartile mean"] if "iqm" in means else [])]
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
