"""Owns the charts of a report: one per task and an overview, as SVG and PNG, the same bytes for the same numbers."""

import io
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bench.report.comparison import comparison
from bench.report.drawing import (
    BLACK,
    CHANCE_DASH,
    GREY,
    LABEL_INCHES,
    Look,
    chance_of,
    draw_lines,
    label_chance,
    label_ends,
    lines_of,
)
from bench.report.findings import Curves, headline
from bench.report.tables import Tables
from bench.report.wording import (
    backbone_titles,
    capitalised,
    direction,
    shortened,
    task_title,
)

STYLE: Final[dict[Any, Any]] = {
    "svg.hashsalt": "bench",
    "font.family": "DejaVu Sans",  # comes with matplotlib, so that a chart looks the same everywhere
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.labelcolor": BLACK,
    "text.color": BLACK,
    "text.hinting": "no_hinting",  # letters stand where they do in the SVG, and are drawn a third faster
    "text.parse_math": False,  # a dollar in a name is a dollar
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": BLACK,
    "ytick.labelcolor": BLACK,
}
PNG_DPI: Final = 150
PNG_COMPRESSION: Final = 3  # of 9: a third faster than the usual 6, for files 4 % larger
WIDTH: Final = 7.5  # inches of a task's chart
ROW_INCHES: Final = 0.25  # height of a row above the chart
LONGEST_ROW: Final = 108  # letters of the smallest size
LETTER_INCHES: Final = 0.082  # mean width of a letter of a direct label
LONGEST_LABEL: Final = 30


def draw_task(tables: Tables, task: str, found: list[Curves]) -> Figure:
    """Return the chart of a task with its curves: score against number of labels, a line per strategy and backbone."""
    entry = tables.manifest.tasks[task]
    lines = lines_of(tables, found)
    labels = [shortened(line.label, LONGEST_LABEL) for line in lines]
    header = _header(tables, task, found)
    top, bottom, left = 0.22 + ROW_INCHES * len(header), 0.6, 0.75  # margins, in inches
    inner_height = max(2.6, LABEL_INCHES * len(lines))
    inner_width = WIDTH - left - 0.6 - LETTER_INCHES * max((len(label) for label in labels), default=0)
    height = top + inner_height + bottom
    figure = Figure(figsize=(WIDTH, height), facecolor="white")
    axes = figure.add_axes((left / WIDTH, bottom / height, inner_width / WIDTH, inner_height / height))
    draw_lines(axes, lines, chance_of(found))
    label_chance(axes, found)
    label_ends(axes, lines, labels, inner_height / LABEL_INCHES)
    axes.set_xlabel(f"number of {entry.label} (logarithmic)")
    axes.set_ylabel(entry.metric.title)
    for row, (text, look) in enumerate(header):
        figure.text(0.2 / WIDTH, 1 - (0.28 + ROW_INCHES * row) / height, text, va="center", **look)
    return figure


def draw_overview(tables: Tables, curves: Mapping[str, list[Curves]]) -> Figure:
    """Return the overview: a small chart of every task, with one legend; `curves` has those of each task."""
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
        found = curves[task]
        lines = lines_of(tables, found)
        looks |= {line.label: line.look for line in lines}
        draw_lines(axes, lines, chance_of(found), size=4.0)
        title = shortened(task_title(tables.manifest, task), 30)
        # Its height is given, since matplotlib would otherwise lay out all tick labels twice more to find it.
        axes.set_title(title, loc="left", fontweight="bold", fontsize=11, y=1.0, pad=19)
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
    FigureCanvasSVG(figure)
    figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    return file.getvalue()


def to_png(figure: Figure) -> bytes:
    """Return the figure as PNG, without date or version."""
    file = io.BytesIO()
    FigureCanvasAgg(figure)
    options = {"compress_level": PNG_COMPRESSION}
    figure.savefig(file, format="png", dpi=PNG_DPI, metadata={"Software": None}, pil_kwargs=options)
    return file.getvalue()


@contextmanager
def chart_style() -> Iterator[None]:
    """Draw within this: the style of charts, whatever a user's own matplotlib settings are; they come back after."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(STYLE)
        yield


def _header(tables: Tables, task: str, found: list[Curves]) -> list[tuple[str, dict[str, Any]]]:
    """Return the rows above a task's chart: its title, the finding, and what is shown."""
    manifest = tables.manifest
    compared = comparison(found, manifest.backbones)
    finding = compared[-1] if compared else next((said for curves in found if (said := headline(curves))), "")
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
    handles.append(Line2D([], [], color=GREY, linestyle=CHANCE_DASH, linewidth=1.2, label="chance or seasonal naive"))
    axes.legend(handles=handles, loc="center left", frameon=False, fontsize=10.5 if len(handles) < 10 else 8)
