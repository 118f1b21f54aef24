"""Charts as files of their own: rows of text above, labels at the ends of lines, or many small ones in a grid."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bench.analysis.wording import shortened
from bench.report.charts.chart import Chart, Line
from bench.report.charts.drawing import (
    COLOURS,
    DASHES,
    LABEL_GAP,
    LONGEST_LABEL,
    SMALL,
    Drawing,
    Frame,
    draw,
    marker_of,
)

WIDTH: Final = 820.0
LETTER: Final = 7.2  # mean width of a letter of a direct label, whatever the font, and rather more
ROW: Final = 20.0
LONGEST_ROW: Final = 105  # letters
LONGEST_TITLE: Final = 80
NO_SCORE: Final = ": no score"
LEAST_HEIGHT: Final = 310.0
COLUMNS: Final = 3
GUTTER: Final = 24.0
TITLE: Final = 44.0  # height of the two rows above a small chart
LEGEND_ROW: Final = 22.0


@dataclass(frozen=True, slots=True)
class Single:
    """A chart with rows of text above it: their heights, their words and whether they are quiet."""

    width: float
    height: float
    title: str
    rows: tuple[tuple[float, str, bool], ...]
    drawing: Drawing


@dataclass(frozen=True, slots=True)
class Key:
    """An entry of a legend, at (x, y)."""

    x: float
    y: float
    label: str
    paint: str
    dash: str
    marker: str


@dataclass(frozen=True, slots=True)
class Tile:
    """A small chart whose upper left corner is at (x, y)."""

    x: float
    y: float
    title: str
    drawing: Drawing


@dataclass(frozen=True, slots=True)
class Grid:
    """Small charts, and a legend of all lines in the place after the last."""

    width: float
    height: float
    tiles: tuple[Tile, ...]
    keys: tuple[Key, ...]
    chance: Key


def single(chart: Chart, finding: str, note: str) -> Single:
    """Return a chart laid out with its title, what was found and what is shown."""
    rows = [(row, quiet) for text, quiet in ((finding, False), (note, True)) for row in _wrapped(text)]
    drawn = draw(chart)
    longest = max((len(line.label) + (0 if line.end else len(NO_SCORE)) for line in drawn.lines), default=0)
    top = 66 + ROW * len(rows)
    height = top + max(LEAST_HEIGHT, LABEL_GAP * len(chart.lines)) + 56
    frame = Frame(WIDTH, height, left=64, right=34 + LETTER * longest, top=top, bottom=56)
    placed = tuple((48 + ROW * place, row, quiet) for place, (row, quiet) in enumerate(rows))
    return Single(WIDTH, height, shortened(chart.title, LONGEST_TITLE), placed, draw(chart, frame))


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, LONGEST_ROW, max_lines=3, placeholder=" …")


def grid(charts: Sequence[Chart]) -> Grid:
    """Return charts laid out side by side."""
    lines = {line.label: line for chart in charts for line in chart.lines}
    columns = min(COLUMNS, len(charts) + 1)
    tile_width, tile_height = SMALL.width + GUTTER, SMALL.height + TITLE + GUTTER
    tiles = []
    for place, chart in enumerate(charts):
        row, column = divmod(place, columns)
        title = shortened(chart.title, 34)
        tiles.append(Tile(GUTTER / 2 + column * tile_width, row * tile_height, title, draw(chart, SMALL)))
    row, column = divmod(len(charts), columns)
    left, top = GUTTER + column * tile_width, row * tile_height + TITLE + LEGEND_ROW
    keys = [_key(line, left, top + LEGEND_ROW * place) for place, line in enumerate(lines.values())]
    below = top + LEGEND_ROW * len(keys)
    height = max((row + 1) * tile_height, below + LEGEND_ROW)
    chance = Key(left, below, "chance or seasonal naive", COLOURS["ink"], "4 3", "")
    return Grid(columns * tile_width, height, tuple(tiles), tuple(keys), chance)


def _key(line: Line, x: float, y: float) -> Key:
    look = line.look
    dash = DASHES[look.dash % len(DASHES)]
    return Key(x, y, shortened(line.label, LONGEST_LABEL), COLOURS[look.colour], dash, marker_of(look))
