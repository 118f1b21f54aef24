"""`index.html` and the SVG files: templates filled with what a report says.

The page is one file: style, script and charts are in it, and its policy lets nothing else in. Every value is escaped by
the templates.
"""

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined

from bench.report import document as said
from bench.report.charts.chart import Chart, Line
from bench.report.charts.drawing import COLOURS, DASHES, PAGE, SMALL, Drawing, draw, marker_of
from bench.report.document import Document, Overview, Picture, Spreadsheet
from bench.report.html import standalone
from bench.report.markdown import address


def write_html(document: Document) -> str:
    """Return the document as a page."""
    style, script = _source("style.css"), _source("behaviour.js")
    return (
        _environment()
        .get_template("page.html")
        .render(
            document=document,
            style=style,
            script=script,
            policy=(
                f"default-src 'none'; img-src data:; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
                "base-uri 'none'; form-action 'none'"
            ),
        )
    )


def write_svg(picture: Picture, *, finding: str, note: str) -> str:
    """Return a chart as a file of its own, with what was found and is shown above it, and labels at the lines' ends."""
    return standalone_svg("task.svg", standalone.single(picture.chart, finding, note))


def write_overview(overview: Overview) -> str:
    """Return charts side by side as a file of its own."""
    return standalone_svg("overview.svg", standalone.grid(overview.charts))


def standalone_svg(template: str, sheet: object) -> str:
    """Return a filled template of a file of its own."""
    return _environment().get_template(template).render(sheet=sheet)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("bench.report.html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(address=address, kind=_kind, drawn=_drawn, drawn_small=_drawn_small, data=_data)
    environment.filters.update(marker=_marker, paint=_paint, dash=_dash, legend=_legend)
    return environment


def _source(name: str) -> str:
    environment = _environment()
    assert environment.loader is not None
    return environment.loader.get_source(environment, name)[0]


def _hash(text: str) -> str:
    """Return the hash by which a policy knows what stands in the page (Content Security Policy 3, 2.3.1)."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _kind(block: said.Block) -> str:
    return type(block).__name__.lower()


def _drawn(chart: Chart) -> Drawing:
    return draw(chart, PAGE)


def _drawn_small(chart: Chart) -> Drawing:
    return draw(chart, SMALL)


def _marker(line: Line) -> str:
    return marker_of(line.look)


def _paint(line: Line) -> str:
    return COLOURS[line.look.colour]


def _dash(line: Line) -> str:
    return DASHES[line.look.dash % len(DASHES)]


def _legend(charts: Sequence[Chart]) -> list[Line]:
    """Return a line for each label among charts."""
    return list({line.label: line for chart in charts for line in chart.lines}.values())


def _data(spreadsheet: Spreadsheet) -> str:
    """Return the address of a file that is in the page itself."""
    return f"data:text/csv;charset=utf-8,{quote(spreadsheet.content)}"
