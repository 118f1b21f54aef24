"""Owns the charts of a report: one per task and an overview, as SVG and PNG, the same bytes for the same numbers."""

import io
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from bench.report.findings import Curves, curves_of, headline
from bench.report.spacing import spread
from bench.report.tables import Tables
from bench.report.wording import (
    backbone_titles,
    capitalised,
    chance_title,
    count,
    direction,
    shortened,
    strategy_title,
    task_title,
)

# Okabe and Ito (2008), Color Universal Design: told apart under every common colour blindness. Yellow is left out, it
# is too pale on white; black is for what is not pretrained.
COLOURS: Final = ("#0072B2", "#009E73", "#D55E00", "#CC79A7", "#E69F00", "#56B4E9")
BLACK: Final = "#333333"
GREY: Final = "#767676"
PALE: Final = "#E4E4E4"
MARKERS: Final = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p", "h", "*")
DASHES: Final = ("-", "--", ":", "-.")

STYLE: Final[Mapping[str, Any]] = {
    "svg.hashsalt": "bench",
    "font.family": "DejaVu Sans",  # comes with matplotlib, so that a chart looks the same everywhere
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.labelcolor": BLACK,
    "text.color": BLACK,
    "text.parse_math": False,  # a dollar in a name is a dollar
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": BLACK,
    "ytick.labelcolor": BLACK,
}
PNG_DPI: Final = 150
WIDTH: Final = 7.5  # inches of a task's chart
ROW_INCHES: Final = 0.25  # height of a row above the chart
LONGEST_ROW: Final = 108  # letters of the smallest size
LABEL_INCHES: Final = 0.19  # least distance between two direct labels
LETTER_INCHES: Final = 0.082  # mean width of a letter of a direct label
LONGEST_LABEL: Final = 30
MANY_TIMES: Final = 12.0  # an error that spans more than this is drawn on a logarithmic axis


@dataclass(frozen=True, slots=True)
class Look:
    """How a strategy on a backbone is drawn."""

    colour: str
    marker: str
    dash: str


@dataclass(frozen=True, slots=True)
class Line:
    """A learning curve as drawn: `n_labels`, `mean`, `lower`, `upper` and `whole` are arrays [n_budgets].

    `whole` is false where fewer seeds were scored than planned; missing scores are nan.
    """

    label: str
    look: Look
    n_labels: Any
    mean: Any
    lower: Any
    upper: Any
    whole: Any


def draw_task(tables: Tables, task: str) -> Figure:
    """Return the chart of a task: score against number of labels, a line per strategy and backbone."""
    entry = tables.manifest.tasks[task]
    found = curves_of(tables, task)
    lines = _lines(tables, found)
    labels = [shortened(line.label, LONGEST_LABEL) for line in lines]
    header = _header(tables, task, found)
    top, bottom, left = 0.22 + ROW_INCHES * len(header), 0.6, 0.75  # margins, in inches
    inner_height = max(2.6, LABEL_INCHES * len(lines))
    inner_width = WIDTH - left - 0.6 - LETTER_INCHES * max((len(label) for label in labels), default=0)
    height = top + inner_height + bottom
    figure = Figure(figsize=(WIDTH, height), facecolor="white")
    axes = figure.add_axes((left / WIDTH, bottom / height, inner_width / WIDTH, inner_height / height))
    _draw_lines(axes, lines, _chance(found))
    _label_chance(axes, found)
    _label_ends(axes, lines, labels, inner_height / LABEL_INCHES)
    axes.set_xlabel(f"number of {entry.label} (logarithmic)")
    axes.set_ylabel(entry.metric.title)
    for row, (text, look) in enumerate(header):
        figure.text(0.2 / WIDTH, 1 - (0.28 + ROW_INCHES * row) / height, text, va="center", **look)
    return figure


def draw_overview(tables: Tables) -> Figure:
    """Return the overview: a small chart of every task, with one legend."""
    tasks = list(tables.manifest.tasks)
    n_columns = min(3, len(tasks) + 1)
    n_rows = -(-(len(tasks) + 1) // n_columns)  # the legend takes a place
    figure = Figure(figsize=(3.1 * n_columns, 2.75 * n_rows + 0.15), facecolor="white")
    places = figure.subplots(n_rows, n_columns, squeeze=False).ravel()
    figure.subplots_adjust(
        left=0.5 / (3.1 * n_columns),
        right=1 - 0.17 / (3.1 * n_columns),
        bottom=0.5 / (2.75 * n_rows + 0.15),
        top=1 - 0.5 / (2.75 * n_rows + 0.15),
        wspace=0.26,
        hspace=0.55,
    )
    looks: dict[str, Look] = {}
    for axes, task in zip(places, tasks, strict=False):
        found = curves_of(tables, task)
        lines = _lines(tables, found)
        looks |= {line.label: line.look for line in lines}
        _draw_lines(axes, lines, _chance(found), size=4.0)
        axes.set_title(
            shortened(task_title(tables.manifest, task), 30), loc="left", fontweight="bold", fontsize=11, pad=19
        )
        metric = tables.manifest.tasks[task].metric
        axes.text(0, 1.045, direction(metric), transform=axes.transAxes, fontsize=9, color=GREY)
        axes.set_xlabel(f"number of {tables.manifest.tasks[task].label}", fontsize=9.5)
    for axes in places[len(tasks) :]:
        axes.set_axis_off()
    _legend(places[len(tasks)], looks)
    return figure


def to_svg(figure: Figure) -> bytes:
    """Return the figure as SVG, without date or version."""
    file = io.BytesIO()
    FigureCanvasSVG(figure).print_svg(file, metadata={"Date": None, "Creator": None})
    return file.getvalue()


def to_png(figure: Figure) -> bytes:
    """Return the figure as PNG, without date or version."""
    file = io.BytesIO()
    figure.set_dpi(PNG_DPI)
    FigureCanvasAgg(figure).print_png(file, metadata={"Software": None})
    return file.getvalue()


@contextmanager
def chart_style() -> Iterator[None]:
    """Draw within this: the style of charts, whatever a user's own matplotlib settings are; they come back after."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(STYLE)
        yield


def _lines(tables: Tables, found: list[Curves]) -> list[Line]:
    manifest = tables.manifest
    pretrained = [name for name, entry in manifest.strategies.items() if entry.pretrained]
    lines = []
    for index, curves in enumerate(found):
        in_backbone = f" · {manifest.backbones[curves.backbone].title}" if len(found) > 1 else ""
        planned = set(curves.points.index.get_level_values("strategy"))
        for place, name in enumerate(manifest.strategies):
            if name not in planned:
                continue
            points = curves.points.xs(name, level="strategy").sort_index()
            repeat, hue = divmod(pretrained.index(name), len(COLOURS)) if name in pretrained else (0, None)
            look = Look(
                colour=BLACK if hue is None else COLOURS[hue],
                marker=MARKERS[place % len(MARKERS)],
                dash=DASHES[(index + repeat) % len(DASHES)],
            )
            whole = (points["n_seeds"] == points["n_seeds_planned"]).to_numpy()
            values = (points[column].to_numpy(dtype=np.float64) for column in ("mean", "lower", "upper"))
            x = points.index.to_numpy(dtype=np.float64)
            lines.append(Line(f"{strategy_title(name)}{in_backbone}", look, x, *values, whole))
    return lines


def _chance(found: list[Curves]) -> float:
    return float(found[0].points["chance"].max()) if found else float("nan")


def _draw_lines(axes: Axes, lines: list[Line], chance: float, size: float = 6.0) -> None:
    axes.set_xscale("log")
    axes.grid(visible=True, axis="y", color=PALE, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.axhline(chance, color=GREY, linewidth=1.2, linestyle=(0, (4, 3)))
    for line in lines:
        colour = line.look.colour
        axes.fill_between(
            line.n_labels, line.lower, line.upper, color=colour, alpha=min(0.13, 0.8 / len(lines)), linewidth=0
        )
        axes.plot(line.n_labels, line.mean, color=colour, linestyle=line.look.dash, linewidth=size / 3)
        for whole in (True, False):  # hollow where seeds are missing
            shown = line.whole == whole
            axes.plot(
                line.n_labels[shown],
                line.mean[shown],
                color=colour,
                linestyle="none",
                marker=line.look.marker,
                markersize=size,
                markerfacecolor=colour if whole else "white",
                markeredgecolor=colour if not whole else "white",
                markeredgewidth=0.6 if whole else 1.4,
            )
    _limit(axes, lines, chance)


def _limit(axes: Axes, lines: list[Line], chance: float) -> None:
    """Set limits and ticks: every mean is shown; a band that is much wider than the curves is cut at the frame."""
    budgets = sorted({n for line in lines for n in line.n_labels})
    if not budgets:
        return
    reach = (budgets[-1] / budgets[0]) ** 0.03 if len(budgets) > 1 else 2.0
    axes.set_xlim(budgets[0] / reach, budgets[-1] * reach)
    axes.xaxis.set_major_locator(FixedLocator(_apart(budgets)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: count(value)))
    means = np.concatenate([line.mean for line in lines] + [np.array([chance])])
    bands = np.concatenate([band for line in lines for band in (line.lower, line.upper)])
    if np.isnan(means).all():
        return
    low, high = np.nanmin(means), np.nanmax(means)
    if low > 0 and high > MANY_TIMES * low:
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.set_ylim(low / 1.15, high * 1.15)
        return
    span = (high - low) or abs(high) or 1.0
    if not np.isnan(bands).all():
        low, high = max(np.nanmin(bands), low - span / 4), min(np.nanmax(bands), high + span / 4)
        low, high = min(low, np.nanmin(means)), max(high, np.nanmax(means))
    axes.set_ylim(low - 0.04 * span, high + 0.04 * span)


def _apart(budgets: list[float]) -> list[float]:
    """Return the budgets whose labels do not run into each other on the axis; the largest always."""
    least = 0.115 * (np.log(budgets[-1]) - np.log(budgets[0]))
    kept = [budgets[-1]]
    for n_labels in reversed(budgets[:-1]):
        if np.log(kept[-1]) - np.log(n_labels) >= least:
            kept.append(n_labels)
    return kept


def _label_chance(axes: Axes, found: list[Curves]) -> None:
    chance = _chance(found)
    if np.isnan(chance):
        return
    bottom, top = axes.get_ylim()
    above = (chance - bottom) < 0.9 * (top - bottom)
    axes.annotate(
        f"{chance_title(found[0].entry.metric)} {chance:.3f}",
        (1, chance),
        xycoords=axes.get_yaxis_transform(),
        xytext=(-3, 3 if above else -3),
        textcoords="offset points",
        ha="right",
        va="bottom" if above else "top",
        color=GREY,
        fontsize=9,
    )


def _label_ends(axes: Axes, lines: list[Line], labels: list[str], n_slots: float) -> None:
    """Write each line's name beside its end, moved apart where they would overlap; what has no score says so."""
    to_share = axes.transData + axes.transAxes.inverted()
    ends = []
    for line in lines:
        known = np.flatnonzero(~np.isnan(line.mean))
        last = int(known[-1]) if len(known) else None
        ends.append(None if last is None else (line.n_labels[last], line.mean[last]))
    wanted = np.array([0.0 if end is None else to_share.transform(end)[1] for end in ends])
    heights = spread(wanted, gap=1 / n_slots, low=0.0, high=1.0)
    for line, label, end, height in zip(lines, labels, ends, heights, strict=True):
        axes.text(
            *(1.07, float(height)),
            label if end else f"{label}: no score",
            transform=axes.transAxes,
            va="center",
            color=_ink(line.look.colour) if end else GREY,
        )
        if end is None:
            continue
        arrow = {"arrowstyle": "-", "color": line.look.colour, "linewidth": 0.8, "shrinkA": 0, "shrinkB": 4}
        axes.annotate(
            "", end, xytext=(1.045, height), textcoords="axes fraction", annotation_clip=False, arrowprops=arrow
        )
        axes.plot(
            *([1.045], [height]),
            color=line.look.colour,
            marker=line.look.marker,
            markersize=5.5,
            transform=axes.transAxes,
            clip_on=False,
        )


def _ink(colour: str) -> tuple[float, float, float]:
    """Return the colour dark enough for letters on white."""
    red, green, blue = (int(colour[at : at + 2], 16) / 255 * 0.8 for at in (1, 3, 5))
    return red, green, blue


def _header(tables: Tables, task: str, found: list[Curves]) -> list[tuple[str, dict[str, Any]]]:
    """Return the rows above a task's chart: its title, the finding, and what is shown."""
    manifest = tables.manifest
    finding = next((said for curves in found if (said := headline(curves))), "")
    if finding and len(found) > 1:
        finding = f"{manifest.backbones[found[0].backbone].title}: {finding}"
    n_seeds = max((int(curves.points["n_seeds_planned"].max()) for curves in found), default=0)
    shown = f"mean and 95 % interval over {n_seeds} seeds" if n_seeds > 1 else "one seed, so no intervals"
    if any((curves.points["n_seeds"] < curves.points["n_seeds_planned"]).any() for curves in found):
        shown += "; hollow or missing: seeds without a score"
    about = f"{capitalised(direction(manifest.tasks[task].metric))}; {shown}"
    backbones = backbone_titles(manifest, [curves.backbone for curves in found])
    return [
        (task_title(manifest, task), {"fontsize": 14, "fontweight": "bold"}),
        *((row, {"fontsize": 10.5}) for row in textwrap.wrap(finding, 88)[:2]),
        *((row, {"fontsize": 9, "color": GREY}) for row in textwrap.wrap(f"{about}. {backbones}", LONGEST_ROW)[:3]),
    ]


def _legend(axes: Axes, looks: Mapping[str, Look]) -> None:
    handles = [
        Line2D(
            [], [], color=look.colour, marker=look.marker, linestyle=look.dash, markersize=6, label=shortened(label, 32)
        )
        for label, look in looks.items()
    ]
    handles.append(Line2D([], [], color=GREY, linestyle=(0, (4, 3)), linewidth=1.2, label="chance or seasonal naive"))
    axes.legend(handles=handles, loc="center left", frameon=False, fontsize=10.5 if len(handles) < 10 else 8)
