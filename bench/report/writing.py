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
from bench.report.tables import Tables, read_tables
from bench.store import Store

ALLOCATIONS: Final = 100_000  # between two looks for garbage while a report is made


def write_report(store: Store) -> Tables:
    """Write tables, charts and the page into the results folder, and return the tables they were made from.

    Every planned cell counts, whether it is finished or not: what is missing is shown as missing.
    """
    with _rare_collection(), chart_style():
        tables = read_tables(store)
        found = find_curves(tables)
        store.write_text("report.md", write_page(tables, found))
        store.write_text("leaderboard.csv", leaderboard_csv(tables.leaderboard))
        store.write_text("curves.csv", curves_csv(tables.curves))
        store.write_text("results.csv", results_csv(tables.cells))
        _write_chart(store, "overview", draw_overview(tables, found))
        for task, curves in found.items():
            _write_chart(store, task, draw_task(tables, task, curves))
    return tables


def _write_chart(store: Store, name: str, figure: Figure) -> None:
    store.write_bytes(f"charts/{name}.svg", to_svg(figure))
    store.write_bytes(f"charts/{name}.png", to_png(figure))


@contextmanager
def _rare_collection() -> Iterator[None]:
    """Look for garbage rarely: by default that is done thousands of times among cells, which are none."""
    usual = gc.get_threshold()
    gc.set_threshold(ALLOCATIONS, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)
