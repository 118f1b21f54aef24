"""Owns the chart of a history: a panel per task, nights to the right, change points marked."""

from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.gate.history import History, Series
from bench.gate.wording import difference, plain
from bench.report.charts import chart_style, to_svg
from bench.report.drawing import BLACK, COLOURS, GREY, PALE
from bench.report.wording import shortened

WIDTH: Final = 7.5  # inches
PANEL: Final = 1.6  # inches of height of a task
BELOW: Final = 0.85
ABOVE: Final = 0.9
NIGHTS: Final = 12  # at most so many are named along the axis
FELL: Final = "#B3261E"
ROSE: Final = COLOURS[1]
LEAST_SPAN: Final = 0.04  # of skill: what is as good as constant is drawn flat


def chart(history: History) -> str:
    """Return the history as SVG, the same bytes for the same numbers."""
    with chart_style():
        return to_svg(_draw(history)).decode()


def _draw(history: History) -> Figure:
    tasks = history.tasks
    height = ABOVE + PANEL * len(tasks) + BELOW
    figure = Figure(figsize=(WIDTH, height), facecolor="white")
    panels = figure.subplots(len(tasks), 1, squeeze=False, sharex=True).ravel()
    figure.subplots_adjust(
        left=0.7 / WIDTH, right=1 - 0.25 / WIDTH, bottom=BELOW / height, top=1 - ABOVE / height, hspace=0.38
    )
    for axes, series in zip(panels, tasks, strict=True):
        _panel(axes, history, series)
    names = [shortened(plain(night.name), 16) for night in history.nights]
    every = -(-len(names) // NIGHTS)
    shown = range((len(names) - 1) % every, len(names), every)  # the last night always
    panels[-1].set_xticks(list(shown), [names[index] for index in shown], rotation=30, ha="right", fontsize=8.5)
    panels[-1].set_xlim(-0.5, len(names) - 0.5)
    figure.text(0.2 / WIDTH, 1 - 0.26 / height, "Areas under the learning curves by night", fontsize=13, weight="bold")
    about = "0 is chance, 1 is perfect. Bars: 95 % over seeds. Lines: levels. Hollow: other data or recipe than before."
    figure.text(0.2 / WIDTH, 1 - 0.48 / height, about, fontsize=8.5, color=GREY)
    return figure


def _panel(axes: Axes, history: History, series: Series) -> None:
    """Draw a task: its nights with intervals, its levels, and each change with the night it came with."""
    nights = np.arange(len(history.nights))
    areas, margins = np.array(series.areas), np.nan_to_num(np.array(series.margins))
    other = np.isin(nights, list(series.changes))
    axes.grid(visible=True, axis="y", color=PALE, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.errorbar(nights, areas, yerr=margins, fmt="none", ecolor=COLOURS[0], alpha=0.4, linewidth=1.2)
    axes.plot(nights, areas, linestyle="none", marker="o", markersize=4.5, color=COLOURS[0])
    axes.plot(nights[other], areas[other], linestyle="none", marker="o", markersize=5.5, color=COLOURS[0], mfc="white")
    axes.set_title(shortened(plain(series.task), 40), loc="left", fontsize=10, fontweight="bold", pad=5)
    _levels(axes, series, areas)
    low, high = axes.get_ylim()
    if high - low < LEAST_SPAN:
        middle = (low + high) / 2
        axes.set_ylim(middle - LEAST_SPAN / 2, middle + LEAST_SPAN / 2)


def _levels(axes: Axes, series: Series, areas: np.ndarray[tuple[int], np.dtype[np.float64]]) -> None:
    """Draw the level between changes, and each change."""
    if np.isnan(areas).all():
        axes.text(0.5, 0.5, "no night has an area", transform=axes.transAxes, ha="center", color=GREY)
        return
    begins = [0, *(step.first for step in series.steps)]
    levels = [float(np.nanmedian(areas)), *(step.after for step in series.steps)]
    if series.steps:
        levels[0] = series.steps[0].before
    ends = [*begins[1:], len(areas)]
    for begin, end, level in zip(begins, ends, levels, strict=True):
        axes.plot([begin - 0.5, end - 0.5], [level, level], color=BLACK, linewidth=1.2)
    for step in series.steps:
        colour = FELL if step.after < step.before else ROSE
        axes.axvline(step.first - 0.5, color=colour, linewidth=1.2, linestyle=(0, (4, 2)))
        axes.annotate(
            difference(step.after - step.before),
            (step.first - 0.5, 1),
            xycoords=axes.get_xaxis_transform(),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize=9,
            color=colour,
        )
