"""The writing of a report: every file of it, from the outcomes of a results folder."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from bench.analysis.curves import find_curves
from bench.analysis.shifts import shifted_scores
from bench.analysis.tables import Tables, read_tables
from bench.analysis.variance import variance_table
from bench.report.content import contents
from bench.report.document import Overview, Paragraph, Picture, Section
from bench.report.html.rendering import write_html, write_overview, write_svg
from bench.report.page import write_markdown
from bench.report.spreadsheets import curves_csv, leaderboard_csv, results_csv, shifts_csv, variance_csv
from bench.report.stamp import origin, write_stamp
from bench.report.terminal import leaderboard
from bench.results.store import Store

ALLOCATIONS: Final = 100_000  # between two looks for garbage while a report is made


def write_report(store: Store) -> str:
    """Write page, tables, charts and a stamp into the results folder; return the leaderboard for a terminal.

    Every planned cell counts, whether it is finished or not: what is missing is shown as missing.
    """
    with _rare_collection():
        made_from = origin(store)
        tables = read_tables(store)
        files = []
        for name, content in _files_of(tables):
            store.write_text(name, content)
            files.append(name)
        board = leaderboard(tables)
        write_stamp(store, made_from=made_from, files=files, leaderboard=board)
    return board


def _files_of(tables: Tables) -> Iterator[tuple[str, str]]:
    """Yield name and content of every file."""
    document = contents(tables, find_curves(tables))
    yield "index.html", write_html(document)
    yield "report.md", write_markdown(document)
    yield "leaderboard.csv", leaderboard_csv(tables.leaderboard)
    yield "curves.csv", curves_csv(tables.curves)
    yield "results.csv", results_csv(tables.cells)
    shifted, varied = shifted_scores(tables), variance_table(tables)
    if not shifted.empty:
        yield "shifts.csv", shifts_csv(shifted)
    if not varied.empty:
        yield "variance.csv", variance_csv(varied)
    for section in document.sections:
        yield from _charts(section)


def _charts(section: Section) -> Iterator[tuple[str, str]]:
    """Yield the charts of a section and of those within it; above a chart stand its title and what notes say of it."""
    for block in section.blocks:
        if isinstance(block, Overview):
            yield block.file, write_overview(block)
        elif isinstance(block, Picture):
            said = [one for one in section.blocks if isinstance(one, Paragraph)]
            finding = " ".join(one.lead for one in said if not one.text)
            yield block.file, write_svg(block, finding=finding, note=" ".join(one.text for one in said if one.note))
    for inner in section.sections:
        yield from _charts(inner)


@contextmanager
def _rare_collection() -> Iterator[None]:
    """Look for garbage rarely: by default that is done thousands of times among cells, which are none."""
    usual = gc.get_threshold()
    gc.set_threshold(ALLOCATIONS, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)
