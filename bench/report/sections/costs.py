"""What a report says of costs: where the time went, what a strategy costs, and scores against it."""

import math
from collections.abc import Callable, Mapping
from typing import Final

from bench.analysis.costs import PHASES
from bench.analysis.curves import Curves
from bench.analysis.tables import CHARGED_SECONDS, SCORED, Tables
from bench.analysis.wording import capitalised, count, duration, score, strategy_title
from bench.cell import LOADING
from bench.report.charts.chart import cost_charts
from bench.report.document import Column, Paragraph, Picture, Section, Table, Value
from bench.report.sections.learning import file_name

TINY: Final = 1e-9  # seconds


def cost_section(tables: Tables, found: Mapping[str, list[Curves]]) -> Section | None:
    """Return the costs of what was scored, None where nothing was."""
    if not (tables.cells["status"] == SCORED).any():
        return None
    note = Paragraph(
        "“Shared” is what a cell uses and other cells use too: frozen stages run over the examples, a linear head "
        "solved. Done once, it is in no cell's own time. Loading data and backbones, the cold start of a process, is "
        "charged to no cell.",
        note=True,
    )
    costs = tables.costs
    saved = costs.alone - (costs.total - costs.spent[LOADING])
    summed = Paragraph(
        f"Times are added up over all processes. Had each cell done alone what it shares, it would have been "
        f"{duration(costs.alone)} and loading: sharing saved {duration(saved)}, {saved / max(costs.alone, TINY):.0%}."
    )
    charts = []
    for task, chart in cost_charts(tables, found).items():
        if chart.lines:
            told = f"{chart.title}: score against own and shared time, a line per strategy from few labels to many."
            picture = Picture(chart, f"charts/cost-{file_name(tables, task)}.svg", told)
            charts.append(Section(f"{chart.anchor}-section", chart.title, (picture,)))
    return Section("cost", "Cost against score", (_strategies(tables), note, _phases(tables), summed), tuple(charts))


def _strategies(tables: Tables) -> Table:
    scored = tables.cells[tables.cells["status"] == SCORED]
    costs = (
        scored.assign(shared=scored[list(CHARGED_SECONDS)].sum(axis=1))
        .groupby("strategy", observed=True)
        .agg(
            cells=("seconds", "size"),
            total=("seconds", "sum"),
            median=("seconds", "median"),
            shared=("shared", "median"),
            trained=("trainable_parameters", "median"),
            peak=("peak_mib", "max"),
        )
    )
    rates = tables.leaderboard.rows.groupby("strategy", observed=True)["win_rate"].mean()
    rows = [
        (
            Value(strategy_title(str(strategy))),
            _amount(rates.get(strategy, float("nan")), score),
            _amount(cost["median"] + cost["shared"], duration),
            *(_amount(cost[name], duration) for name in ("total", "median", "shared")),
            *(_amount(cost[name], count) for name in ("cells", "trained", "peak")),
        )
        for strategy, cost in costs.to_dict("index").items()
    ]
    titles = ("Win rate", "Own and shared, median", "Time, all", "Own time, median", "Shared, median")
    columns = (*titles, "Cells", "Trained parameters, median", "Peak MiB")
    headings = (Column("Strategy"), *(Column(title, numeric=True) for title in columns))
    return Table("What each strategy costs", headings, tuple(rows), sortable=True)


def _amount(value: float, written: Callable[[float], str]) -> Value:
    return Value(written(value), order=None if math.isnan(value) else float(value))


def _phases(tables: Tables) -> Table:
    """Return the table of seconds by phase, over all processes."""
    costs = tables.costs
    rows = [
        (
            Value(capitalised(title)),
            _amount(costs.spent[phase], duration),
            _amount(costs.spent[phase] / max(costs.total, TINY), "{:.0%}".format),
        )
        for phase, title in PHASES.items()
    ]
    rows.append((Value("All", mark="total"), Value(duration(costs.total), mark="total"), Value("")))
    columns = (Column("Phase"), Column("Time", numeric=True), Column("Share", numeric=True))
    return Table("Where the time went", columns, tuple(rows))
