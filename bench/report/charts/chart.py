"""What is charted: the learning curves of a task, and its scores against what they cost, as lines of points."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from bench.analysis.curves import Curves
from bench.analysis.tables import CHARGED_SECONDS, CURVE, Tables, ordinary_cells
from bench.analysis.wording import (
    backbone_title,
    direction,
    duration,
    quantity,
    score,
    score_with_interval,
    shortened,
    strategy_title,
    task_title,
)
from bench.results.manifest import Manifest

PRETRAINED_COLOURS: Final = ("blue", "green", "vermilion", "purple", "sky")
PLAIN_COLOURS: Final = ("ink", "orange")  # of strategies without pretrained weights, such as scratch
LONGEST_BACKBONE: Final = 22
NAN: Final = float("nan")


class Look(NamedTuple):
    """How a line is drawn: the name of a colour, and the places of a marker and of a dash in `drawing`."""

    colour: str
    marker: int
    dash: int


@dataclass(frozen=True, slots=True)
class Point:
    """A mean with its interval, nan where there is none; `said` is both in words.

    `whole` is false where seeds have no score.
    """

    x: float
    y: float
    lower: float
    upper: float
    whole: bool
    said: str


@dataclass(frozen=True, slots=True)
class Line:
    """Points from left to right; those without a score have y nan."""

    label: str
    look: Look
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """What is drawn.

    `stops` are the numbers of labels that the lines share, each with its words: where values can be read side by side
    and where ticks stand. Without any, the x-axis is one of seconds. `anchor` is unique among the charts of a report.
    """

    anchor: str
    title: str
    x_title: str
    y_title: str
    lines: tuple[Line, ...]
    chance: float
    chance_title: str
    stops: tuple[float, ...] = ()
    stop_titles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NamedLine:
    """A strategy on a backbone: its label, its look, and its points by rising numbers of labels (see `Curves`)."""

    label: str
    look: Look
    backbone: str
    strategy: str
    budgets: Mapping[float, Mapping[str, Any]]


def looks_of(manifest: Manifest, backbones: Sequence[str]) -> Mapping[tuple[str, str], Look]:
    """Return how each (backbone, strategy) is drawn: colour and marker say the strategy, the dash says the backbone."""
    looks = {}
    pretrained = [name for name, entry in manifest.strategies.items() if entry.start == "pretrained"]
    plain = [name for name, entry in manifest.strategies.items() if entry.start != "pretrained"]
    for place, strategy in enumerate(manifest.strategies):
        names, colours = (pretrained, PRETRAINED_COLOURS) if strategy in pretrained else (plain, PLAIN_COLOURS)
        repeat, hue = divmod(names.index(strategy), len(colours))
        for index, backbone in enumerate(backbones):
            looks[backbone, strategy] = Look(colours[hue], place, index + repeat)
    return looks


def named_lines(manifest: Manifest, found: Sequence[Curves]) -> list[NamedLine]:
    """Return the lines of a task, in the order of the manifest.

    A strategy without a network scores the same on every backbone, so it has one line.
    """
    looks = looks_of(manifest, [curves.backbone for curves in found])
    lines = []
    for index, curves in enumerate(found):
        rows: dict[Any, Any] = curves.points.sort_index().to_dict("index")
        for name, entry in manifest.strategies.items():
            budgets = {amount: row for (strategy, amount), row in rows.items() if strategy == name}
            if not budgets or (index and entry.start == "nothing"):
                continue
            label = strategy_title(name)
            if len(found) > 1 and entry.start != "nothing":
                label += f" · {shortened(backbone_title(manifest, curves.backbone), LONGEST_BACKBONE)}"
            lines.append(NamedLine(label, looks[curves.backbone, name], curves.backbone, name, budgets))
    return lines


def task_chart(tables: Tables, task: str, found: Sequence[Curves]) -> Chart:
    """Return the learning curves of a task: score against number of labels, a line per strategy and backbone."""
    entry = tables.manifest.tasks[task]
    lines = [
        Line(one.label, one.look, tuple(_point(amount, row) for amount, row in one.budgets.items()))
        for one in named_lines(tables.manifest, found)
    ]
    stops = sorted({point.x for line in lines for point in line.points})
    return Chart(
        anchor=f"chart-{_place(tables, task)}",
        title=task_title(tables.manifest, task),
        x_title=f"number of {entry.unit}",
        y_title=direction(entry.metric),
        lines=tuple(lines),
        chance=chance_of(found),
        chance_title=entry.baseline,
        stops=tuple(stops),
        stop_titles=tuple(f"{quantity(stop)} {entry.unit}" for stop in stops),
    )


def cost_charts(tables: Tables, found: Mapping[str, Sequence[Curves]]) -> dict[str, Chart]:
    """Return for each task score against the own and shared seconds of a cell, each line from few labels to many."""
    cells = ordinary_cells(tables.cells)
    charged = cells[["seconds", *CHARGED_SECONDS]].sum(axis=1, min_count=1).rename("charged")
    costs = charged.groupby([cells[name] for name in (*CURVE, "budget")], observed=True).median().to_dict()
    charts = {}
    for task, several in found.items():
        entry = tables.manifest.tasks[task]
        lines = [
            Line(one.label, one.look, _costed(task, one, costs, entry.unit))
            for one in named_lines(tables.manifest, several)
        ]
        charts[task] = Chart(
            anchor=f"cost-{_place(tables, task)}",
            title=task_title(tables.manifest, task),
            x_title="time of a cell by itself",
            y_title=direction(entry.metric),
            lines=tuple(line for line in lines if line.points),
            chance=chance_of(several),
            chance_title=entry.baseline,
        )
    return charts


def chance_of(found: Sequence[Curves]) -> float:
    """Return the score of a guess that learns nothing; nan if there is no curve."""
    return float(found[0].points["chance"].max()) if found else float("nan")


def _place(tables: Tables, task: str) -> int:
    return list(tables.manifest.tasks).index(task) + 1


def _point(amount: float, row: Mapping[str, Any]) -> Point:
    mean, lower, upper = (float(row[name]) for name in ("mean", "lower", "upper"))
    n_seeds, planned = int(row["n_seeds"]), int(row["n_seeds_planned"])
    gap = f" ({n_seeds} of {planned} seeds)" if 0 < n_seeds < planned else ""
    said = score_with_interval(mean, lower, upper) + gap
    return Point(float(amount), mean, lower, upper, whole=n_seeds == planned, said=said)


def _costed(task: str, line: NamedLine, costs: Mapping[Any, float], unit: str) -> tuple[Point, ...]:
    """Return a point for each budget with a score; `costs` are seconds by task, backbone, strategy and budget."""
    costed = []
    for amount, row in line.budgets.items():
        seconds, mean = costs[task, line.backbone, line.strategy, row["budget"]], float(row["mean"])
        if seconds > 0 and not math.isnan(mean):
            said = f"{score(mean)} in {duration(seconds)} with {quantity(amount)} {unit}"
            costed.append(Point(seconds, mean, NAN, NAN, whole=True, said=said))
    return tuple(costed)
