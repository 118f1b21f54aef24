"""What a report says, as data: sections of blocks, which the page and the Markdown both render.

Texts are plain: whoever renders a block escapes them.
"""

from dataclasses import dataclass
from typing import Literal

from bench.report.charts.chart import Chart

Mark = Literal["", "best", "missing", "failed", "good", "bad", "open", "total", "code"]


@dataclass(frozen=True, slots=True)
class Value:
    """A cell of a table.

    `details` are said after the text and smaller, such as an interval; empty ones are not. `order` is what a column of
    numbers is sorted by, None where there is no number. `mark` says how the text stands out, and never alone: the text
    or its neighbours say the same. `link` is an address that came with the text, whoever renders it decides whether it
    may be followed.
    """

    text: str
    details: tuple[str, ...] = ()
    order: float | None = None
    mark: Mark = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """The heading of a column, of text or of numbers."""

    title: str
    numeric: bool = False


@dataclass(frozen=True, slots=True)
class Spreadsheet:
    """A table's numbers with all their digits: a file's name and its content, CSV in which no name is a formula."""

    name: str
    content: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table; `heads` is the column that names a row, and `folded` one that need not be seen at once."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]
    heads: int = 0
    sortable: bool = False
    folded: bool = False
    spreadsheet: Spreadsheet | None = None


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph that may begin with some words in bold; a note explains how to read what is around it."""

    text: str
    lead: str = ""
    note: bool = False


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list."""

    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart; `file` is its name in the folder, `told` what it shows, for whoever does not see it."""

    chart: Chart
    file: str
    told: str


@dataclass(frozen=True, slots=True)
class Overview:
    """Charts side by side, small, under one legend; each belongs to the section of its `anchors`."""

    charts: tuple[Chart, ...]
    anchors: tuple[str, ...]
    file: str
    told: str


Block = Paragraph | Bullets | Table | Picture | Overview


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands below it: blocks, then sections, then closing blocks.

    `anchor` is unique within a document and made of letters, digits and -.
    """

    anchor: str
    title: str
    blocks: tuple[Block, ...] = ()
    sections: tuple["Section", ...] = ()
    closing: tuple[Block, ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """All that a report says; `lead` says what was run and how much of it was scored."""

    title: str
    lead: str
    sections: tuple[Section, ...]
