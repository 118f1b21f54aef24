"""What a report says of scores under shift: the same models on test data that are noisier, or of elsewhere."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd

from bench.analysis.curves import Curves
from bench.analysis.shifts import shifted_scores
from bench.analysis.tables import Tables
from bench.analysis.wording import MISSING, capitalised, interval, quantity, score, strategy_title, titled
from bench.report.document import Column, Paragraph, Section, Table, Value

ROBUSTNESS: Final = (
    "Every model is scored on its task's test data as they are, and once more under each shift: on the same data "
    "changed, or on examples of another place that the task brings. Nothing is trained again. Shown is the largest "
    "budget; brackets hold 95 % intervals. All budgets are in shifts.csv."
)


def robustness_section(tables: Tables, found: Mapping[str, Sequence[Curves]]) -> Section | None:
    """Return a table for each task and backbone; None where nothing was scored under a shift."""
    shifted = shifted_scores(tables)
    sections = []
    for place, (task, several) in enumerate(found.items(), start=1):
        own = shifted[shifted["task"] == task]
        blocks = []
        for curves in several:
            points = own[own["backbone"] == curves.backbone]
            if len(points):
                of = titled(tables.manifest, task, curves.backbone if len(several) > 1 else "")
                blocks.append(_scores(of, curves, points))
        if blocks:
            sections.append(Section(f"shifts-{place}", titled(tables.manifest, task), (*blocks, _shifts(own))))
    return Section("shifts", "Scores under shift", (Paragraph(ROBUSTNESS),), tuple(sections)) if sections else None


def _scores(of: str, curves: Curves, points: pd.DataFrame) -> Table:
    """Return a row for each strategy at the largest budget: its score on plain test data, then under each shift."""
    amount = float(points["amount"].max())
    points = points[points["amount"] == amount]  # two budgets of a small task can be the same labels
    points = points.drop_duplicates(["strategy", "shift"], keep="last")
    shifts = list(dict.fromkeys(points["shift"]))
    at = points.set_index(["strategy", "shift"])[["mean", "lower", "upper"]].to_dict("index")
    plain = curves.points.to_dict("index")
    rows = [
        (
            Value(strategy_title(strategy)),
            _score(plain.get((strategy, amount))),
            *(_score(at.get((strategy, shift))) for shift in shifts),
        )
        for strategy in dict.fromkeys(points["strategy"])
    ]
    columns = (Column("Strategy"), *(Column(capitalised(name), numeric=True) for name in ("plain", *shifts)))
    return Table(f"{of}: scores with {quantity(amount)} {curves.entry.unit}", columns, tuple(rows), sortable=True)


def _score(point: Mapping[Any, Any] | None) -> Value:
    if point is None:
        return Value(MISSING, mark="missing")
    return Value(score(point["mean"]), (interval(point["lower"], point["upper"]),), point["mean"])


def _shifts(own: pd.DataFrame) -> Paragraph:
    """Return what each shift is, and what a guess scores under it."""
    shifts = own.drop_duplicates("shift")[["shift", "title", "chance"]].itertuples(index=False)
    said = (f"{capitalised(shift)}: {title} (chance {score(chance)})" for shift, title, chance in shifts)
    return Paragraph(f"{'; '.join(said)}.", note=True)
