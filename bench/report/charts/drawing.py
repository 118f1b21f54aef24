"""Where the lines, intervals, ticks and labels of a chart stand on the paper; templates write the SVG."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from bench.analysis.wording import quantity, shortened
from bench.report.charts.axes import (
    DURATIONS,
    Place,
    kept_apart,
    limits,
    linear_ticks,
    logarithm_from,
    logarithmic_beside_zero,
    logarithmic_ticks,
    scaled,
)
from bench.report.charts.chart import Chart, Line, Look, Point
from bench.report.charts.spacing import spread

# Okabe and Ito (2008), Color Universal Design: told apart under every common colour blindness. Yellow is left out, it
# is too pale on white. The page has lighter ones of the same hues for dark mode, in its style sheet.
COLOURS: Final = {
    "ink": "#333333",
    "orange": "#B87A00",  # darker than theirs, for lines on white
    "blue": "#0072B2",
    "green": "#009E73",
    "vermilion": "#D55E00",
    "purple": "#CC79A7",
    "sky": "#56B4E9",
}
DASHES: Final = ("", "7 3", "2 3", "8 3 2 3")
# Outlines within a radius of about 5: circle, square, triangle, diamond, downwards, plus, cross, leftwards, rightwards,
# pentagon, hexagon, star.
MARKERS: Final = (
    "M-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0 -9 0z",
    "M-4 -4h8v8h-8z",
    "M0 -5.2L5 3.8H-5z",
    "M0 -5.6L5.6 0L0 5.6L-5.6 0z",
    "M0 5.2L5 -3.8H-5z",
    "M-1.8 -5h3.6v3.2h3.2v3.6h-3.2v3.2h-3.6v-3.2h-3.2v-3.6h3.2z",
    "M0 -2.4L2.9 -5.2L5.2 -2.9L2.4 0L5.2 2.9L2.9 5.2L0 2.4L-2.9 5.2L-5.2 2.9L-2.4 0L-5.2 -2.9L-2.9 -5.2z",
    "M-5.2 0L3.8 -5V5z",
    "M5.2 0L-3.8 -5V5z",
    "M0 -5.2L4.9 -1.6L3.1 4.2H-3.1L-4.9 -1.6z",
    "M-5 0L-2.5 -4.3H2.5L5 0L2.5 4.3H-2.5z",
    "M0 -5.8L1.5 -1.8L5.5 -1.8L2.3 0.7L3.5 4.8L0 2.4L-3.5 4.8L-2.3 0.7L-5.5 -1.8L-1.5 -1.8z",
)
LABEL_GAP: Final = 17.0  # least distance between two direct labels
LONGEST_LABEL: Final = 46

ALIKE: Final = 1.001
"""Values that differ by a smaller factor are drawn as one: an axis between them has no length."""

Drawn = Callable[[Sequence[Point], Place, Place], str]
"""What returns path data of points."""


class Frame(NamedTuple):
    """The size of a drawing and its margins, in user units of the SVG, which are pixels at full size."""

    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float


PAGE: Final = Frame(720, 400, left=64, right=20, top=34, bottom=56)
SMALL: Final = Frame(300, 210, left=44, right=14, top=14, bottom=30)


class Tick(NamedTuple):
    """A tick on an axis, at `at`."""

    at: float
    label: str


class Both(NamedTuple):
    """What a logarithmic x-axis shows, and what a linear one shows."""

    logarithmic: str
    linear: str


@dataclass(frozen=True, slots=True)
class Dot:
    """A point as drawn; `stop` is its place among the stops of the chart, -1 without any."""

    x: Both
    y: str
    stop: int
    whole: bool
    said: str


@dataclass(frozen=True, slots=True)
class Ink:
    """A line as drawn: path data of the curve and of its interval, and where its direct label stands."""

    label: str
    colour: str
    paint: str
    dash: str
    marker: str
    curve: Both
    band: Both
    dots: tuple[Dot, ...]
    end: str
    label_y: float
    leader: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """A chart as drawn; `chance_y` is None where it is not known.

    `gap_x` is where a logarithmic axis is broken, between 0 and the first that has a logarithm; None without both.
    """

    chart: Chart
    frame: Frame
    lines: tuple[Ink, ...]
    ticks: tuple[Tick, ...]
    linear_ticks: tuple[Tick, ...]
    heights: tuple[Tick, ...]
    stops: tuple[Both, ...]
    chance_y: float | None
    chance_above: bool
    gap_x: float | None


def draw(chart: Chart, frame: Frame = PAGE) -> Drawing:
    """Return a chart as drawn into a frame."""
    xs = [point.x for line in chart.lines for point in line.points if point.x]
    zero = any(not point.x for line in chart.lines for point in line.points)
    low, high = (min(xs), max(xs)) if xs else (1.0, 1.0)
    left, right, bottom = frame.left, frame.width - frame.right, frame.height - frame.bottom
    logarithmic, linear = _places(low, high, zero=zero, alone=not xs, left=left, right=right)
    y_low, y_high, by_power = limits(chart)
    up = scaled(logarithm_from(y_low) if by_power else float, y_low, y_high, bottom, frame.top)
    budgets = [Both(_number(logarithmic(stop)), _number(linear(stop))) for stop in chart.stops]
    room = 0.085 * frame.width if frame.width > SMALL.width else 0.16 * frame.width
    most = 6 if frame.height > SMALL.height else 4
    reach = _reach(low, high)
    heights = logarithmic_ticks(y_low, y_high) if by_power else linear_ticks(y_low, y_high, most)
    known = not math.isnan(chart.chance) and y_low <= chart.chance <= y_high
    return Drawing(
        chart=chart,
        frame=frame,
        lines=_inked(chart, frame, logarithmic, linear, up),
        ticks=tuple(_ticks(chart, logarithmic, room, low / reach, high * reach)),
        linear_ticks=tuple(Tick(linear(stop), quantity(stop)) for stop in kept_apart(chart.stops, linear, room)),
        heights=tuple(Tick(up(value), f"{value:g}") for value in heights) if chart.lines else (),
        stops=tuple(budgets),
        chance_y=up(chart.chance) if known else None,
        chance_above=known and up(chart.chance) > frame.top + 18,
        gap_x=(logarithmic(0.0) + logarithmic(low)) / 2 if zero and xs else None,
    )


def _places(low: float, high: float, *, zero: bool, alone: bool, left: float, right: float) -> tuple[Place, Place]:
    """Return where values stand on a logarithmic axis and on a linear one; where 0 is `alone`, in the middle."""
    middle = (left + right) / 2
    if zero and alone:
        return (lambda _: middle), (lambda _: middle)
    reach = _reach(low, high)
    start = 0.0 if high > low or zero else low / 2
    linear = scaled(float, start, high + (high - start) * 0.03, left, right)
    if zero:
        return logarithmic_beside_zero(low / reach, high * reach, left, right), linear
    return scaled(math.log, low / reach, high * reach, left, right), linear


def _reach(low: float, high: float) -> float:
    """Return by what factor a logarithmic axis reaches beyond its lowest and its highest value."""
    return (high / low) ** 0.03 if high > ALIKE * low else 2.0


def _ticks(chart: Chart, place: Place, room: float, low: float, high: float) -> list[Tick]:
    if not chart.lines:  # of which it is not known whether they would be labels or seconds
        return []
    if chart.stops:
        shown = kept_apart([stop for stop in chart.stops if stop], place, room)
        if 0.0 in chart.stops:  # which is narrow
            shown = [0.0, *(stop for stop in shown if place(stop) - place(0.0) >= room / 2)]
        return [Tick(place(stop), quantity(stop)) for stop in shown]
    titles = {seconds: title for title, seconds in DURATIONS if low <= seconds <= high}
    return [Tick(place(seconds), titles[seconds]) for seconds in kept_apart(sorted(titles), place, room)]


def _inked(chart: Chart, frame: Frame, logarithmic: Place, linear: Place, up: Place) -> tuple[Ink, ...]:
    ends = [next((point for point in reversed(line.points) if not math.isnan(point.y)), None) for line in chart.lines]
    bottom = frame.height - frame.bottom
    wanted = np.array([bottom if end is None else up(end.y) for end in ends])
    places = spread(wanted, gap=LABEL_GAP, low=frame.top, high=bottom)
    lines = []
    for line, end, place in zip(chart.lines, ends, places, strict=True):
        leader = ""
        if end is not None:
            tip, right = logarithmic(end.x), frame.width - frame.right
            leader = f"M{_number(tip + 8)} {_number(up(end.y))}L{_number(right + 14)} {_number(place)}"
        lines.append(_ink(line, chart.stops, logarithmic, linear, up, place=float(place), leader=leader))
    return tuple(lines)


def _ink(
    line: Line, stops: Sequence[float], logarithmic: Place, linear: Place, up: Place, *, place: float, leader: str
) -> Ink:
    look, last = line.look, next((point.said for point in reversed(line.points) if not math.isnan(point.y)), "")
    return Ink(
        label=shortened(line.label, LONGEST_LABEL),
        colour=look.colour,
        paint=COLOURS[look.colour],
        dash=DASHES[look.dash % len(DASHES)],
        marker=marker_of(look),
        curve=Both(_beside_zero(_curve, line.points, logarithmic, up), _curve(line.points, linear, up)),
        band=Both(_beside_zero(_band, line.points, logarithmic, up), _band(line.points, linear, up)),
        dots=tuple(
            Dot(
                Both(_number(logarithmic(point.x)), _number(linear(point.x))),
                _number(up(point.y)),
                stops.index(point.x) if stops else -1,
                point.whole,
                point.said,
            )
            for point in line.points
            if not math.isnan(point.y)
        ),
        end=last,
        label_y=place,
        leader=leader,
    )


def marker_of(look: Look) -> str:
    """Return the outline of a marker, as path data."""
    return MARKERS[look.marker % len(MARKERS)]


def _beside_zero(path: Drawn, points: Sequence[Point], across: Place, up: Place) -> str:
    """Return path data on a logarithmic axis: a point at 0 is joined to no other."""
    there, others = [point for point in points if not point.x], [point for point in points if point.x]
    return path(there, across, up) + path(others, across, up)


def _curve(points: Sequence[Point], across: Place, up: Place) -> str:
    """Return the path through points; where one has no score there is a gap."""
    path, pen = [], "M"
    for point in points:
        if math.isnan(point.y):
            pen = "M"
            continue
        path.append(f"{pen}{_number(across(point.x))} {_number(up(point.y))}")
        pen = "L"
    return "".join(path)


def _band(points: Sequence[Point], across: Place, up: Place) -> str:
    """Return the outline of the intervals of points, a closed path for each stretch that has them."""
    stretches: list[list[Point]] = [[]]
    for point in points:
        if math.isnan(point.lower) or math.isnan(point.upper):
            stretches.append([])
        else:
            stretches[-1].append(point)
    paths = []
    for stretch in stretches:
        there = [f"{_number(across(point.x))} {_number(up(point.upper))}" for point in stretch]
        back = [f"{_number(across(point.x))} {_number(up(point.lower))}" for point in reversed(stretch)]
        if len(stretch) == 1:  # no width of its own: a bar
            x, (upper, lower) = across(stretch[0].x), (up(stretch[0].upper), up(stretch[0].lower))
            paths.append(f"M{_number(x - 2)} {_number(upper)}h4V{_number(lower)}h-4z")
        elif stretch:
            paths.append(f"M{'L'.join([*there, *back])}z")
    return "".join(paths)


def _number(value: float) -> str:
    return f"{value:.1f}"
