"""Owns the writing of a report: every file of it, from the outcomes of a results folder."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from matplotlib.figure import Figure

from bench.report.charts import chart_style, draw_overview, draw_task, to_png, to_svg
from bench.report.findings import find_curves
from bench.report.page import write_page
from bench.report.spreadsheets import curves_csv, leaderboard_csv, results_csv
from bench.report.stamp import origin, write_stamp
from bench.report.tables import Tables, read_tables
from bench.report.terminal import leaderboard
from bench.store import Store

ALLOCATIONS: Final = 100_000  # between two looks for garbage while a report is made


def write_report(store: Store) -> str:
    """Write tables, charts, the page and a stamp into the results folder; return the leaderboard for a terminal.

    Every planned cell counts, whether it is finished or not: what is missing is shown as missing.
    """
    with _rare_collection(), chart_style():
        made_from = origin(store)
        tables = read_tables(store)
        files = []
        for name, content in _files_of(tables):
            store.write_bytes(name, content)
            files.append(name)
        board = leaderboard(tables)
        write_stamp(store, made_from=made_from, files=files, leaderboard=board)
    return board


def _files_of(tables: Tables) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of every file, one chart at a time."""
    found = find_curves(tables)
    yield "report.md", write_page(tables, found).encode()
    yield "leaderboard.csv", leaderboard_csv(tables.leaderboard).encode()
    yield "curves.csv", curves_csv(tables.curves).encode()
    yield "results.csv", results_csv(tables.cells).encode()
    yield from _charts("overview", draw_overview(tables, found))
    for task, curves in found.items():
        yield from _charts(task, draw_task(tables, task, curves))


def _charts(name: str, figure: Figure) -> Iterator[tuple[str, bytes]]:
    yield f"charts/{name}.svg", to_svg(figure)
    yield f"charts/{name}.png", to_png(figure)


@contextmanager
def _rare_collection() -> Iterator[None]:
    """Look for garbage rarely: by default that is done thousands of times among cells, which are none."""
    usual = gc.get_threshold()
    gc.set_threshold(ALLOCATIONS, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)
