"""Owns how learning curves are drawn: colours, markers, lines, intervals, axes and direct labels."""

from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from bench.report.findings import Curves
from bench.report.spacing import spread
from bench.report.tables import Tables
from bench.report.wording import count, shortened, strategy_title

# Okabe and Ito (2008), Color Universal Design: told apart under every common colour blindness. Yellow is left out, it
# is too pale on white; black is for what is not pretrained.
COLOURS: Final = ("#0072B2", "#009E73", "#D55E00", "#CC79A7", "#E69F00", "#56B4E9")
BLACK: Final = "#333333"
GREY: Final = "#767676"
PALE: Final = "#E4E4E4"
MARKERS: Final = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p", "h", "*")
Dash = Literal["-", "--", ":", "-."]
DASHES: Final[tuple[Dash, ...]] = ("-", "--", ":", "-.")

LABEL_INCHES: Final = 0.19  # least distance between two direct labels
LEADER_X: Final = 1.045  # of the markers beside direct labels, as a share of the axes' width
LEADER_GAP_POINTS: Final = 4.0
MANY_TIMES: Final = 12.0  # an error that spans more than this is drawn on a logarithmic axis

CHANCE_DASH: Final = (0, (4, 3))


@dataclass(frozen=True, slots=True)
class Look:
    """How a strategy on a backbone is drawn."""

    colour: str
    marker: str
    dash: Dash


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


def lines_of(tables: Tables, found: list[Curves]) -> list[Line]:
    """Return the lines of a task's curves, in the order of the manifest."""
    manifest = tables.manifest
    pretrained = [name for name, entry in manifest.strategies.items() if entry.pretrained]
    lines = []
    for index, curves in enumerate(found):
        backbone = shortened(manifest.backbones[curves.backbone].title, 16)
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
            mean, lower, upper = (points[column].to_numpy(dtype=np.float64) for column in ("mean", "lower", "upper"))
            x = points.index.to_numpy(dtype=np.float64)
            label = strategy_title(name) if len(found) == 1 else f"{name.replace('_', ' ')} · {backbone}"
            lines.append(Line(label, look, x, mean, lower, upper, whole))
    return lines


def chance_of(found: list[Curves]) -> float:
    """Return the score of a guess that learns nothing; nan if there is no curve."""
    return float(found[0].points["chance"].max()) if found else float("nan")


def draw_lines(axes: Axes, lines: list[Line], chance: float, size: float = 6.0) -> None:
    """Draw curves, intervals and chance, and set the limits of the axes; `size` is that of the markers, in points."""
    axes.set_xscale("log")
    axes.grid(visible=True, axis="y", color=PALE, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.axhline(chance, color=GREY, linewidth=1.2, linestyle=CHANCE_DASH)
    for line in lines:
        colour = line.look.colour
        axes.fill_between(
            line.n_labels, line.lower, line.upper, color=colour, alpha=min(0.13, 0.8 / len(lines)), linewidth=0
        )
        axes.plot(
            line.n_labels,
            line.mean,
            color=colour,
            linestyle=line.look.dash,
            linewidth=size / 3,
            marker=line.look.marker,
            markevery=line.whole.tolist(),
            markersize=size,
            markeredgecolor="white",
            markeredgewidth=0.6,
        )
        if not line.whole.all():  # hollow where seeds are missing
            axes.plot(
                line.n_labels[~line.whole],
                line.mean[~line.whole],
                color=colour,
                linestyle="none",
                marker=line.look.marker,
                markersize=size,
                markerfacecolor="white",
                markeredgewidth=1.4,
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


def label_chance(axes: Axes, found: list[Curves]) -> None:
    """Write what the line of chance is."""
    chance = chance_of(found)
    if np.isnan(chance):
        return
    bottom, top = axes.get_ylim()
    above = (chance - bottom) < 0.9 * (top - bottom)
    axes.annotate(
        f"{found[0].entry.metric.chance_title} {chance:.3f}",
        (1, chance),
        xycoords=axes.get_yaxis_transform(),
        xytext=(-3, 3 if above else -3),
        textcoords="offset points",
        ha="right",
        va="bottom" if above else "top",
        color=GREY,
        fontsize=9,
        zorder=10,  # lines may cross it
        bbox={"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 1},
    )


def label_ends(axes: Axes, lines: list[Line], labels: list[str], n_slots: float) -> None:
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
        if end is not None:
            axes.add_line(_leader(axes, end, height, line.look))


def _leader(axes: Axes, end: tuple[float, float], height: float, look: Look) -> Line2D:
    """Return the thin line from a label's marker to the end of its curve, which it stops a little short of."""
    marker, tip = axes.transAxes.transform((LEADER_X, height)), axes.transData.transform(end)  # in pixels
    gap_pixels = LEADER_GAP_POINTS / 72 * axes.figure.dpi
    tip += (marker - tip) * gap_pixels / np.hypot(*(marker - tip))
    (x, y) = axes.transAxes.inverted().transform((marker, tip)).T
    return Line2D(
        x,
        y,
        color=look.colour,
        linewidth=0.8,
        marker=look.marker,
        markersize=5.5,
        markevery=[0],
        transform=axes.transAxes,
        clip_on=False,
    )


def _ink(colour: str) -> tuple[float, float, float]:
    """Return the colour dark enough for letters on white."""
    red, green, blue = (int(colour[at : at + 2], 16) / 255 * 0.8 for at in (1, 3, 5))
    return red, green, blue
