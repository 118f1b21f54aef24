"""`report.md`: what a report says, as a page that reads well as it is, on a code host and in a job summary."""

from typing import Final

from bench.analysis.wording import count
from bench.report.document import Block, Bullets, Document, Overview, Paragraph, Picture, Section, Table, Value
from bench.report.markdown import bold, escape, link, table

MOST_ROWS: Final = 60  # of a table; the page and the spreadsheets have all

BOLD: Final = ("best", "total")


def write_markdown(document: Document) -> str:
    """Return the document as Markdown."""
    parts = [f"# {escape(document.title)}", escape(document.lead)]
    for section in document.sections:
        parts += _section(section, level=2)
    return "\n\n".join(parts) + "\n"


def _section(section: Section, level: int) -> list[str]:
    parts = [f"{'#' * level} {escape(section.title)}", *(_block(block) for block in section.blocks)]
    for inner in section.sections:
        parts += _section(inner, level + 1)
    return [*parts, *(_block(block) for block in section.closing)]


def _block(block: Block) -> str:
    match block:
        case Paragraph():
            return " ".join(part for part in (block.lead and bold(escape(block.lead)), escape(block.text)) if part)
        case Bullets():
            return "\n".join(f"- {escape(item)}" for item in block.items)
        case Picture():
            return f"![{escape(block.chart.title)}]({block.file})"
        case Overview():
            return f"![All tasks]({block.file})"
        case Table():
            return _table(block)


def _table(block: Table) -> str:
    """Return a table: headings of numbers are to the right, the best of a column is bold."""
    left = [not column.numeric for column in block.columns]
    lines = [[_value(value) for value in row] for row in block.rows[:MOST_ROWS]]
    parts = [f"{bold(escape(block.caption))}", table([escape(column.title) for column in block.columns], lines, left)]
    if len(block.rows) > MOST_ROWS:
        parts.append(f"… and {count(len(block.rows) - MOST_ROWS)} more rows, all in `index.html`.")
    return "\n\n".join(parts)


def _value(value: Value) -> str:
    if value.mark == "code" and value.text.isalnum():
        return f"`{value.text}`"
    text = link(value.text, value.link) if value.link else escape(value.text)
    text = bold(text) if value.mark in BOLD and text else text
    return " ".join(part for part in (text, *map(_detail, value.details)) if part)


def _detail(text: str) -> str:
    """Return what is said after a value: intervals have brackets of their own."""
    return escape(text) if text.startswith("[") or not text else f"({escape(text)})"
