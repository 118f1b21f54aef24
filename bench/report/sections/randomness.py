"""What a report says of the spread over seeds: how much of it comes from which random stream."""

import math
from collections.abc import Mapping
from typing import Any

from bench.analysis.tables import CURVE, Tables
from bench.analysis.variance import STREAMS, variance_sentences, variance_table
from bench.analysis.wording import MISSING, capitalised, interval, quantity, score, strategy_title, titled
from bench.cell import ALL_STREAMS
from bench.report.document import Bullets, Column, Paragraph, Section, Table, Value


def randomness_section(tables: Tables) -> Section | None:
    """Return a row for each point at which one stream was varied by itself; None where none was."""
    varied = variance_table(tables)
    if varied.empty:
        return None
    streams = [name for name in (*STREAMS, ALL_STREAMS) if name in set(varied["varied"])]
    several = varied["backbone"].nunique() > varied["task"].nunique()
    rows = []
    for (task, backbone, strategy, _), point in varied.groupby([*CURVE, "budget"], sort=False):
        at = point.set_index("varied").to_dict("index")
        amount = point["amount"].iloc[0]
        rows.append(
            (
                Value(titled(tables.manifest, str(task), str(backbone) if several else "")),
                Value(strategy_title(str(strategy))),
                Value(quantity(amount), order=float(amount)),
                *(_spread(at.get(stream)) for stream in streams),
            )
        )
    columns = (Column("Task"), Column("Strategy"), Column("Labels", numeric=True))
    headings = (Column(capitalised(stream), numeric=True) for stream in streams)
    said = [said for task in tables.manifest.tasks for said in variance_sentences(tables, varied, task)]
    folded = any(tables.manifest.tasks[str(task)].card.folds > 1 for task in varied["task"].unique())
    fold = " Where a single stream does, the test fold is that of seed 0; where all do, it follows too."
    note = Paragraph(
        "The standard deviation of scores where only one random stream follows the seed: which examples are labelled, "
        "how weights are initialised, in which order data come; beside it that where all do. Brackets hold 95 % "
        f"intervals.{fold if folded else ''}"
    )
    table = Table("Standard deviation over seeds", (*columns, *headings), tuple(rows), sortable=True)
    blocks = (note, Bullets(tuple(said)), table) if said else (note, table)
    return Section("randomness", "Where the spread comes from", blocks)


def _spread(part: Mapping[Any, Any] | None) -> Value:
    if part is None or math.isnan(part["deviation"]):
        return Value(MISSING, mark="missing")
    details = (interval(part["lower"], part["upper"]), f"{part['n_seeds']} seeds")
    return Value(score(part["deviation"]), details, part["deviation"])
