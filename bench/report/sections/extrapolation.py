"""What a report says of more labels: what doubling them would bring, and how far off that was when checked."""

import math
from collections.abc import Mapping, Sequence

from bench.analysis.curves import Curves
from bench.analysis.extrapolation import MoreLabels, more_labels_of
from bench.analysis.tables import Tables
from bench.analysis.wording import interval, quantity, score, strategy_title, titled
from bench.report.document import Column, Paragraph, Section, Table, Value


def more_labels_section(tables: Tables, found: Mapping[str, Sequence[Curves]]) -> Section | None:
    """Return a row for each task and strategy; None where nothing can be predicted."""
    forecasts = more_labels_of(curves for several in found.values() for curves in several)
    rows = tuple(
        (Value(titled(tables.manifest, task, curves.backbone if len(several) > 1 else "")), *_predicted(one))
        for task, several in found.items()
        for curves in several
        for one in forecasts[task, curves.backbone]
    )
    if not rows:
        return None
    numbers = ("Labels", "Measured", "Predicted from fewer", "Off by", "Doubled to", "Predicted", "Better by")
    columns = (Column("Task"), Column("Strategy"), *(Column(title, numeric=True) for title in numbers))
    note = Paragraph(
        "A power law with an offset, fitted to all but the largest budget, predicts the score at the largest, where "
        "it can be checked: “off by” is how far it was off. Fitted to all budgets, it predicts what doubling the "
        "labels would bring; its interval has what seeds and test examples leave open, and how far off the same fit "
        "was over all curves of this run."
    )
    return Section("more", "What more labels would bring", (note, Table("More labels", columns, rows, sortable=True)))


def _predicted(one: MoreLabels) -> tuple[Value, ...]:
    return (
        Value(strategy_title(one.strategy)),
        Value(quantity(one.amount), order=one.amount),
        _number(one.measured),
        _number(one.predicted),
        _number(one.off, signed=True),
        Value(quantity(one.doubled_labels), order=one.doubled_labels),
        _number(one.doubled_score),
        _gain(one),
    )


def _gain(one: MoreLabels) -> Value:
    return Value(score(one.gain), (interval(one.gain_lower, one.gain_upper),), one.gain)


def _number(value: float, *, signed: bool = False) -> Value:
    if math.isnan(value):
        return Value(score(value), mark="missing")
    return Value(f"{value:+.3f}" if signed else score(value), order=value)
