"""The history as CSV: a line per night and series."""

import csv
import io
import math

from bench.gate.history import History
from bench.gate.wording import plain
from bench.report.spreadsheets import harmless

COLUMNS = ("night", "task", "backbone", "strategy", "area", "lower", "upper", "changed", "step")


def to_csv(history: History) -> str:
    """Return the history as CSV. No name can act as a formula; backbone and strategy are empty for a whole task."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    for series in history.series:
        steps = {step.first: step.after - step.before for step in series.steps}
        for index, night in enumerate(history.nights):
            area, margin = series.areas[index], series.margins[index]
            writer.writerow(
                [
                    *map(_text, (night.name, series.task, series.backbone or "", series.strategy or "")),
                    *map(_number, (area, area - margin, area + margin)),
                    _text(series.changes.get(index, "")),
                    _number(steps.get(index, math.nan)),
                ]
            )
    return file.getvalue()


def _text(text: str) -> str:
    return harmless(plain(text))


def _number(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.6f}"
