"""Owns the writing of a report: every file of it, from the outcomes of a results folder."""

from bench.report.charts import chart_style, draw_overview, draw_task, to_png, to_svg
from bench.report.findings import find_curves
from bench.report.page import write_page
from bench.report.spreadsheets import curves_csv, leaderboard_csv, results_csv
from bench.report.tables import Tables, read_tables
from bench.store import Store


def write_report(store: Store) -> Tables:
    """Write tables, charts and the page into the results folder, and return the tables they were made from.

    Every planned cell counts, whether it is finished or not: what is missing is shown as missing.
    """
    tables = read_tables(store)
    found = find_curves(tables)
    store.write_text("report.md", write_page(tables, found))
    store.write_text("leaderboard.csv", leaderboard_csv(tables.leaderboard))
    store.write_text("curves.csv", curves_csv(tables.curves))
    store.write_text("results.csv", results_csv(tables.cells))
    with chart_style():
        figures = {"overview": draw_overview(tables, found)}
        figures |= {task: draw_task(tables, task, curves) for task, curves in found.items()}
        for name, figure in figures.items():
            store.write_bytes(f"charts/{name}.svg", to_svg(figure))
            store.write_bytes(f"charts/{name}.png", to_png(figure))
    return tables
