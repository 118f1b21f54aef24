"""What a report says by every metric: the means at the largest budget."""

from collections.abc import Mapping, Sequence
from typing import Final

import pandas as pd

from bench.analysis.curves import Curves
from bench.analysis.tables import METRIC_PREFIX, Tables, ordinary_cells
from bench.analysis.wording import MISSING, quantity, score, strategy_title, titled
from bench.metric import MetricCard
from bench.report.document import Column, Paragraph, Section, Table, Value

METRICS: Final = (
    "Every model is scored by all metrics of its task; the first column is the one that ranks. Shown are means over "
    "seeds at the largest budget. ↑ marks a metric of which more is better, ↓ one of which less is better. All budgets "
    "are in results.csv."
)


def metrics_section(tables: Tables, found: Mapping[str, Sequence[Curves]]) -> Section | None:
    """Return a table for each task and backbone; None where no task has a second metric."""
    sections = []
    for place, (task, several) in enumerate(found.items(), start=1):
        scored = [curves for curves in several if curves.scored_budgets]
        if len(tables.manifest.tasks[task].metrics) > 1 and scored:
            blocks = tuple(_means(tables, task, curves, alone=len(several) == 1) for curves in scored)
            sections.append(Section(f"metrics-{place}", titled(tables.manifest, task), blocks))
    return Section("metrics", "All metrics", (Paragraph(METRICS),), tuple(sections)) if sections else None


def _means(tables: Tables, task: str, curves: Curves, *, alone: bool) -> Table:
    """Return a row for each strategy and a column for each metric, that which ranks first."""
    entry, amount = curves.entry, curves.scored_budgets[-1]
    metrics = sorted(entry.metrics, key=lambda metric: metric != entry.metric)
    cells = _cells(tables, task, curves, amount)
    columns = [_column(metric, cells) for metric in metrics]
    planned = set(cells["strategy"])
    rows = [
        (Value(strategy_title(name)), *(column[name] for column in columns))
        for name in curves.strategies
        if name in planned
    ]
    headings = (f"{metric.title} {'↑' if metric.higher_is_better else '↓'}" for metric in metrics)
    of = titled(tables.manifest, task, "" if alone else curves.backbone)
    return Table(
        f"{of}: all metrics with {quantity(amount)} {entry.unit}",
        (Column("Strategy"), *(Column(heading, numeric=True) for heading in headings)),
        tuple(rows),
        sortable=True,
    )


def _cells(tables: Tables, task: str, curves: Curves, amount: float) -> pd.DataFrame:
    """Return the ordinary cells of a task and backbone at an amount of labels."""
    cells = ordinary_cells(tables.cells)
    cells = cells[(cells["task"] == task) & (cells["backbone"] == curves.backbone)].astype({"strategy": "object"})
    budgets = curves.points["budget"].xs(amount, level="amount").reset_index()
    return cells.merge(budgets, on=["strategy", "budget"])


def _column(metric: MetricCard, cells: pd.DataFrame) -> dict[str, Value]:
    """Return the mean of a metric over the cells of each strategy, the best of them marked."""
    found = cells.groupby("strategy")[f"{METRIC_PREFIX}{metric.name}"].agg(["mean", "count", "size"])
    best = found["mean"].max() if metric.higher_is_better else found["mean"].min()
    return {
        str(name): _mean(row["mean"], int(row["count"]), int(row["size"]), best=row["mean"] == best)
        for name, row in found.to_dict("index").items()
    }


def _mean(mean: float, n_seeds: int, planned: int, *, best: bool) -> Value:
    if n_seeds == 0:
        return Value(MISSING, mark="missing")
    gap = f"{n_seeds} of {planned} seeds" if n_seeds < planned else ""
    return Value(score(mean), (gap,), mean, "best" if best else "")
