"""The chart of a history: a panel per task, nights to the right, change points marked."""

import math
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from bench.analysis.wording import shortened
from bench.gate.history import History, Series
from bench.gate.wording import difference, plain
from bench.report.charts.axes import Place, linear_ticks, scaled
from bench.report.charts.drawing import COLOURS, Tick
from bench.report.html.rendering import standalone_svg

WIDTH: Final = 820.0  # user units of the SVG, which are pixels at full size
LEFT: Final = 64.0
RIGHT: Final = WIDTH - 24.0
ABOVE: Final = 74.0
PANEL: Final = 150.0  # height of a task, of which
TITLE: Final = 30.0  # is above its plot
GAP: Final = 14.0  # and this below
BELOW: Final = 72.0
NIGHTS: Final = 12  # at most so many are named along the axis
TICKS: Final = 3
LEAST_SPAN: Final = 0.04  # of skill: what is as good as constant is drawn flat


class Dot(NamedTuple):
    """A night's area with its interval, from `low` to `high` on the paper; hollow where something else is measured."""

    x: float
    y: float
    low: float
    high: float
    hollow: bool
    said: str


class Level(NamedTuple):
    """A level between two changes."""

    start: float
    end: float
    y: float


class Mark(NamedTuple):
    """A change of level."""

    x: float
    said: str
    paint: str


@dataclass(frozen=True, slots=True)
class Panel:
    """A task, from `top` to `bottom` on the paper."""

    title: str
    top: float
    bottom: float
    ticks: tuple[Tick, ...]
    dots: tuple[Dot, ...]
    levels: tuple[Level, ...]
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """The whole chart; `nights` are the ticks of the axis that all panels share."""

    width: float
    height: float
    left: float
    right: float
    paint: str
    panels: tuple[Panel, ...]
    nights: tuple[Tick, ...]


def chart(history: History) -> str:
    """Return the history as SVG, the same bytes for the same numbers."""
    names = [shortened(plain(night.name), 16) for night in history.nights]
    across = scaled(float, -0.5, len(names) - 0.5, LEFT, RIGHT)
    every = -(-len(names) // NIGHTS)
    shown = range((len(names) - 1) % every, len(names), every)  # the last night always
    panels = tuple(_panel(history, series, across, ABOVE + PANEL * place) for place, series in enumerate(history.tasks))
    sheet = Sheet(
        width=WIDTH,
        height=ABOVE + PANEL * len(panels) + BELOW,
        left=LEFT,
        right=RIGHT,
        paint=COLOURS["blue"],
        panels=panels,
        nights=tuple(Tick(across(index), names[index]) for index in shown),
    )
    return standalone_svg("history.svg", sheet)


def _panel(history: History, series: Series, across: Place, top: float) -> Panel:
    """Return a task: its nights with intervals, its levels, and each change with the night it came with."""
    areas, margins = np.array(series.areas), np.nan_to_num(np.array(series.margins))
    low, high = _limits(areas, margins)
    bottom = top + PANEL - GAP
    up = scaled(float, low, high, bottom, top + TITLE)
    return Panel(
        title=shortened(plain(series.task), 40),
        top=top + TITLE,
        bottom=bottom,
        ticks=tuple(Tick(up(value), f"{value:g}") for value in linear_ticks(low, high, TICKS)),
        dots=tuple(
            Dot(
                across(night),
                up(area),
                up(area - margin),
                up(area + margin),
                night in series.changes,
                f"{plain(history.nights[night].name)}: {area:.3f}",
            )
            for night, (area, margin) in enumerate(zip(areas.tolist(), margins.tolist(), strict=True))
            if not math.isnan(area)
        ),
        levels=_levels(series, areas, across, up),
        marks=tuple(
            Mark(
                across(step.first - 0.5),
                difference(step.after - step.before),
                COLOURS["vermilion" if step.after < step.before else "green"],
            )
            for step in series.steps
        ),
    )


def _limits(areas: np.ndarray[tuple[int], np.dtype[np.float64]], margins: np.ndarray) -> tuple[float, float]:
    known = ~np.isnan(areas)
    if not known.any():
        return 0.0, 1.0
    low, high = float((areas - margins)[known].min()), float((areas + margins)[known].max())
    span, middle = max(1.08 * (high - low), LEAST_SPAN), (low + high) / 2
    return middle - span / 2, middle + span / 2


def _levels(
    series: Series, areas: np.ndarray[tuple[int], np.dtype[np.float64]], across: Place, up: Place
) -> tuple[Level, ...]:
    """Return the level before, between and after the changes; none where no night has an area."""
    if np.isnan(areas).all():
        return ()
    begins = [0, *(step.first for step in series.steps)]
    heights = [series.steps[0].before if series.steps else float(np.nanmedian(areas))]
    heights += [step.after for step in series.steps]
    ends = [*begins[1:], len(areas)]
    return tuple(
        Level(across(begin - 0.5), across(end - 0.5), up(height))
        for begin, end, height in zip(begins, ends, heights, strict=True)
    )
