"""Owns what a report says of the worth of pretraining: label savings, crossovers, claims, and more labels."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from bench.report.document import Column, Mark, Paragraph, Section, Table, Value
from bench.report.findings import Curves
from bench.report.standins import (
    Claim,
    Crossover,
    LabelSavings,
    MoreLabels,
    claims_of,
    crossovers_of,
    label_savings_of,
    more_labels_of,
)
from bench.report.tables import Tables
from bench.report.wording import about, count, rounded, score, strategy_title, task_title

Found = Mapping[str, list[Curves]]
Row = tuple[Value, ...]

MOST_OPEN: Final = 30  # rows of a table that is not folded
VERDICTS: Final[Mapping[str, Mark]] = {"supported": "good", "not supported": "bad", "not decided": "open"}


def savings_section(tables: Tables, found: Found) -> Section | None:
    """Return how many labels pretraining saves, and from how many on one strategy beats another."""
    saved = _rows(tables, found, lambda curves: [_saved(one) for one in label_savings_of(curves)])
    crossed = _rows(tables, found, lambda curves: [_crossed(one) for one in crossovers_of(curves)])
    blocks = []
    if saved:
        columns = (*_named(found), Column("Strategy"), Column("Labels", numeric=True), Column("Against"))
        columns += (Column("Labels it would need", numeric=True), Column("Times the labels", numeric=True))
        blocks.append(Table("Label savings", columns, saved, sortable=True, folded=len(saved) > MOST_OPEN))
    if crossed:
        columns = (*_named(found), Column("Strategy"), Column("Against"), Column("Ahead from labels", numeric=True))
        blocks.append(Table("Crossovers", columns, crossed, sortable=True, folded=len(crossed) > MOST_OPEN))
    note = Paragraph(
        "How many labels the other strategy needs for the same score, read off its learning curve between measured "
        "budgets, never beyond: “more than” where its curve ends below the score. Brackets hold 95 % intervals."
    )
    return Section("savings", "What pretraining saves", (note, *blocks)) if blocks else None


def claims_section(tables: Tables, found: Found) -> Section | None:
    """Return the verdict on each claim for transfer learning, side by side for all tasks, then what was measured."""
    claimed = {
        (task, curves.backbone): claims_of(tables, task, curves)
        for task, several in found.items()
        for curves in several
    }
    claims = {claim.name: claim.title for one in claimed.values() for claim in one}
    if not claims:
        return None
    verdicts = [
        (Value(title), *(_verdict(next((one for one in said if one.name == name), None)) for said in claimed.values()))
        for name, title in claims.items()
    ]
    headings = tuple(Column(_of(tables, found, task, backbone)) for task, backbone in claimed)
    overview = Table("Verdict on each claim", (Column("Claim"), *headings), tuple(verdicts))
    details = tuple(
        (Value(_of(tables, found, task, backbone)), Value(claim.title), _verdict(claim), Value(claim.said))
        for (task, backbone), said in claimed.items()
        for claim in said
    )
    columns = (Column("Task"), Column("Claim"), Column("Verdict"), Column("Measured"))
    measured = Table("What the verdicts rest on", columns, details, sortable=True, folded=True)
    return Section("claims", "The six claims made for transfer learning", (overview, measured))


def more_labels_section(tables: Tables, found: Found) -> Section | None:
    """Return what doubling the labels would bring, and how far off that prediction was where it could be checked."""
    rows = _rows(tables, found, lambda curves: [_foretold(one) for one in more_labels_of(curves)])
    if not rows:
        return None
    columns = (
        *(*_named(found), Column("Strategy"), Column("Labels", numeric=True), Column("Measured", numeric=True)),
        *(Column("Foretold from fewer", numeric=True), Column("Off by", numeric=True)),
        *(Column("Doubled to", numeric=True), Column("Foretold", numeric=True), Column("Gain", numeric=True)),
    )
    note = Paragraph(
        "A power law with an offset, fitted to all but the largest budget, foretells the score at the largest, where "
        "it can be checked; “off by” is how far it was off. What doubling the labels would bring is foretold likewise."
    )
    return Section("more", "What more labels would bring", (note, Table("More labels", columns, rows, sortable=True)))


def _rows(tables: Tables, found: Found, rows_of: Callable[[Curves], list[Row]]) -> tuple[Row, ...]:
    """Return the rows of all tasks, each with its task and, where tasks have several, its backbone."""
    several = _several(found)
    return tuple(
        (
            Value(task_title(tables.manifest, task)),
            *([Value(tables.manifest.backbones[curves.backbone].title)] if several else []),
            *row,
        )
        for task, group in found.items()
        for curves in group
        for row in rows_of(curves)
    )


def _several(found: Found) -> bool:
    return any(len(group) > 1 for group in found.values())


def _named(found: Found) -> tuple[Column, ...]:
    return (Column("Task"), *([Column("Backbone")] if _several(found) else []))


def _of(tables: Tables, found: Found, task: str, backbone: str) -> str:
    title = task_title(tables.manifest, task)
    return f"{title}, {tables.manifest.backbones[backbone].title}" if len(found[task]) > 1 else title


def _saved(one: LabelSavings) -> Row:
    before = {"at least": "more than ", "at most": "at most "}.get(one.kind, "")
    return (
        Value(strategy_title(one.ours)),
        Value(count(one.n_labels), order=one.n_labels),
        Value(strategy_title(one.theirs)),
        Value(f"{before}{about(one.needed)}", order=one.needed),
        Value(f"{before}{rounded(one.ratio)}", _between(one.lower, one.upper, rounded), one.ratio),
    )


def _crossed(one: Crossover) -> Row:
    names = Value(strategy_title(one.ours)), Value(strategy_title(one.theirs))
    if one.kind != "from":
        return (*names, Value(one.kind, mark="" if one.kind == "everywhere" else "missing"))
    return (*names, Value(about(one.n_labels), _between(one.lower, one.upper, about), one.n_labels))


def _between(lower: float, upper: float, written: Callable[[float], str]) -> str:
    """Return an interval whose ends may be open, nothing where both are unknown."""
    known = [math.isfinite(end) for end in (lower, upper)]
    if all(known):
        return f"[{written(lower)}, {written(upper)}]"
    if known[0]:
        return f"[{written(lower)} or more]"
    return f"[{written(upper)} or less]" if known[1] else ""


def _verdict(claim: Claim | None) -> Value:
    return Value("") if claim is None else Value(claim.verdict, mark=VERDICTS[claim.verdict])


def _foretold(one: MoreLabels) -> Row:
    return (
        Value(strategy_title(one.strategy)),
        *_counts(one.n_labels),
        *_numbers(one.measured, one.foretold),
        _signed(one.off),
        *_counts(one.doubled_labels),
        *_numbers(one.doubled_score),
        _signed(one.gain),
    )


def _counts(*numbers: float) -> Sequence[Value]:
    return [Value(count(number), order=number) for number in numbers]


def _numbers(*values: float) -> Sequence[Value]:
    return [Value(score(value), order=None if math.isnan(value) else value) for value in values]


def _signed(value: float) -> Value:
    return Value(score(value) if math.isnan(value) else f"{value:+.3f}", order=None if math.isnan(value) else value)
