"""The leaderboard as a terminal shows it at the end of a run."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd

from bench.analysis.leaderboard import SEPARATOR
from bench.analysis.tables import Tables
from bench.analysis.wording import MISSING, shortened

WIDEST: Final = 80
BEST: Final = "*"
NARROWEST: Final = 7  # a column: a sign, a number of five letters and the mark of the best


def leaderboard(tables: Tables) -> str:
    """Return the leaderboard as plain text of at most 80 columns: a block for rows that cover the same tasks.

    Tasks that do not fit beside each other go below.
    """
    rows = tables.leaderboard.rows
    blocks = [_block(tables, list(block.index)) for _, block in rows.groupby("scope", sort=False)]
    scored, planned = int(rows["scored"].sum()), int(rows["planned"].sum())
    note = "Areas under the learning curves: 0 is the baseline, 1 is perfect."
    if any(BEST in block for block in blocks):
        note = f"{note}\n{BEST} best of a column."
    if rows["win_lower"].notna().any():
        note += "\nWin rate: the share of other rows that a row is ahead of, over tasks and seeds."
    if (rows["rank_low"] < rows["rank_high"]).any():
        note += "\nA rank such as 1–3 is a 95 % interval."
    gap = f"\n{planned - scored} of {planned} cells have no score; without them there is no area ({MISSING})."
    return "\n\n".join(blocks) + f"\n\n{note}{gap if planned > scored else ''}"


def _block(tables: Tables, index: list[Any]) -> str:
    rows, areas = tables.leaderboard.rows.loc[index], tables.leaderboard.areas.loc[index]
    several = len(set(tables.leaderboard.rows["backbones"])) > 1
    names = [
        f"{strategy} · {backbones}" if several else strategy
        for strategy, backbones in zip(rows["strategy"], rows["backbones"], strict=True)
    ]
    scope = [name for name in areas.columns if areas[name].notna().any() or _asked(tables, str(name), rows)]
    columns = {str(name): areas[name] for name in scope}
    if len(columns) > 1:
        columns = {"win rate": rows["win_rate"], **columns}
    ranks = [_rank(row) for row in rows.to_dict("records")]
    stub = [f"{rank:>4}  {shortened(name, 34)}" for rank, name in zip(ranks, names, strict=True)]
    stub = ["rank  strategy", *stub]
    width = max(len(line) for line in stub)
    cells = [_column(title, values) for title, values in columns.items()]
    chunks: list[list[list[str]]] = [[]]
    for column in cells:
        used = width + sum(len(one[0]) + 2 for one in chunks[-1])
        if chunks[-1] and used + len(column[0]) + 2 > WIDEST:
            chunks.append([])
        chunks[-1].append(column)
    return "\n\n".join(_joined(stub, width, chunk) for chunk in chunks)


def _rank(row: Mapping[Any, Any]) -> str:
    """Return a rank as its interval: the best and the worst that seeds leave open. Where there is none, the rank."""
    low, high = row["rank_low"], row["rank_high"]
    if pd.isna(low):
        return "" if pd.isna(row["rank"]) else str(row["rank"])
    return str(low) if low == high else f"{low}–{high}"


def _column(title: str, values: pd.Series) -> list[str]:
    """Return heading and numbers, all of one width; the best number carries a mark."""
    best = values.max()
    numbers = [MISSING + " " if pd.isna(one) else f"{one:.3f}{BEST if one == best else ' '}" for one in values]
    heading = f"{shortened(title, 16)} "  # the mark hangs over the right edge
    width = max(NARROWEST, len(heading))
    return [one.rjust(width) for one in [heading, *numbers]]


def _joined(stub: Sequence[str], width: int, columns: Sequence[Sequence[str]]) -> str:
    lines = zip(stub, *columns, strict=True)
    return "\n".join("  ".join([first.ljust(width), *rest]).rstrip() for first, *rest in lines)


def _asked(tables: Tables, task: str, rows: pd.DataFrame) -> bool:
    """Return whether a task belongs to these rows: one of their backbones was to be run on it."""
    backbones = set(tables.curves.loc[tables.curves["task"] == task, "backbone"])
    return any(set(str(names).split(SEPARATOR)) & backbones for names in rows["backbones"])
