"""Owns what is charted: the learning curves of a task, and its scores against what they cost, as lines of points."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import pandas as pd

from bench.report.curves import Curves
from bench.report.tables import SCORED, SHARED_SECONDS, Tables
from bench.report.wording import count, direction, duration, score_with_interval, shortened, strategy_title, task_title
from bench.store import Manifest

PRETRAINED_COLOURS: Final = ("blue", "green", "vermilion", "purple", "sky")
PLAIN_COLOURS: Final = ("ink", "orange")  # of strategies without pretrained weights, such as scratch
LONGEST_BACKBONE: Final = 22


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


def looks_of(manifest: Manifest, backbones: Sequence[str]) -> Mapping[tuple[str, str], Look]:
    """Return how each (backbone, strategy) is drawn: colour and marker say the strategy, the dash says the backbone."""
    looks = {}
    pretrained = [name for name, entry in manifest.strategies.items() if entry.pretrained]
    plain = [name for name, entry in manifest.strategies.items() if not entry.pretrained]
    for place, strategy in enumerate(manifest.strategies):
        names, colours = (pretrained, PRETRAINED_COLOURS) if strategy in pretrained else (plain, PLAIN_COLOURS)
        repeat, hue = divmod(names.index(strategy), len(colours))
        for index, backbone in enumerate(backbones):
            looks[backbone, strategy] = Look(colours[hue], place, index + repeat)
    return looks


def named_lines(manifest: Manifest, found: Sequence[Curves]) -> list[tuple[str, Look, Curves, str]]:
    """Return label, look, curves and strategy of each line of a task, in the order of the manifest.

    A classical strategy scores the same on every backbone, so it has one line.
    """
    looks = looks_of(manifest, [curves.backbone for curves in found])
    lines = []
    for index, curves in enumerate(found):
        planned = set(curves.points.index.get_level_values("strategy"))
        for name in manifest.strategies:
            if name not in planned or (index and manifest.strategies[name].classical):
                continue
            label = strategy_title(name)
            if len(found) > 1 and not manifest.strategies[name].classical:
                label += f" · {shortened(manifest.backbones[curves.backbone].title, LONGEST_BACKBONE)}"
            lines.append((label, looks[curves.backbone, name], curves, name))
    return lines


def task_chart(tables: Tables, task: str, found: Sequence[Curves]) -> Chart:
    """Return the learning curves of a task: score against number of labels, a line per strategy and backbone."""
    entry = tables.manifest.tasks[task]
    lines = [
        Line(label, look, _points(curves, strategy))
        for label, look, curves, strategy in named_lines(tables.manifest, found)
    ]
    stops = sorted({point.x for line in lines for point in line.points})
    return Chart(
        anchor=f"chart-{_place(tables, task)}",
        title=task_title(tables.manifest, task),
        x_title=f"number of {entry.label}",
        y_title=direction(entry.metric),
        lines=tuple(lines),
        chance=chance_of(found),
        chance_title=entry.metric.chance_title,
        stops=tuple(stops),
        stop_titles=tuple(f"{count(stop)} {entry.label}" for stop in stops),
    )


def cost_chart(tables: Tables, task: str, found: Sequence[Curves]) -> Chart:
    """Return score against the seconds that a cell costs alone, a line per strategy from few labels to many."""
    entry, scored = tables.manifest.tasks[task], tables.cells[tables.cells["status"] == SCORED]
    here = scored[scored["task"] == task]
    alone = here.assign(alone=here[["seconds", *SHARED_SECONDS]].sum(axis=1))
    costs = alone.groupby(["backbone", "strategy", "fraction"], observed=True)["alone"].median()
    lines = [
        Line(label, look, _costed(curves, strategy, costs))
        for label, look, curves, strategy in named_lines(tables.manifest, found)
    ]
    return Chart(
        anchor=f"cost-{_place(tables, task)}",
        title=task_title(tables.manifest, task),
        x_title="time of a cell by itself",
        y_title=direction(entry.metric),
        lines=tuple(line for line in lines if line.points),
        chance=chance_of(found),
        chance_title=entry.metric.chance_title,
    )


def chance_of(found: Sequence[Curves]) -> float:
    """Return the score of a guess that learns nothing; nan if there is no curve."""
    return float(found[0].points["chance"].max()) if found else float("nan")


def _place(tables: Tables, task: str) -> int:
    return list(tables.manifest.tasks).index(task) + 1


def _points(curves: Curves, strategy: str) -> tuple[Point, ...]:
    points = curves.points.xs(strategy, level="strategy").sort_index()
    rows = zip(points.index, *(points[name] for name in POINT_COLUMNS), strict=True)
    return tuple(
        Point(
            float(n_labels),
            *(float(mean), float(lower), float(upper)),
            whole=n_seeds == planned,
            said=score_with_interval(mean, lower, upper)
            + (f" ({n_seeds} of {planned} seeds)" if 0 < n_seeds < planned else ""),
        )
        for n_labels, mean, lower, upper, n_seeds, planned in rows
    )


POINT_COLUMNS: Final = ("mean", "lower", "upper", "n_seeds", "n_seeds_planned")


def _costed(curves: Curves, strategy: str, costs: pd.Series) -> tuple[Point, ...]:
    points = curves.points.xs(strategy, level="strategy").sort_index()
    nan = float("nan")
    costed = []
    for n_labels, fraction, mean in zip(points.index, points["fraction"], points["mean"], strict=True):
        seconds = float(costs.get((curves.backbone, strategy, fraction), nan))
        if seconds > 0 and not pd.isna(mean):
            said = f"{mean:.3f} in {duration(seconds)} with {count(n_labels)} {curves.entry.label}"
            costed.append(Point(seconds, float(mean), nan, nan, whole=True, said=said))
    return tuple(costed)
