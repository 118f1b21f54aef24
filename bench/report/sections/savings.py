"""What a report says of the worth of pretraining in labels: savings at each budget, and where curves cross."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from bench.analysis.curves import Curves
from bench.analysis.horizontal import Crossover, LabelSavings, crossovers_of, label_savings_of
from bench.analysis.tables import Tables
from bench.analysis.wording import (
    MISSING,
    NO_BREAK,
    about,
    capitalised,
    quantity,
    rounded,
    rounded_down,
    strategy_title,
    titled,
)
from bench.report.document import Column, Mark, Paragraph, Section, Table, Value

SAVINGS: Final = (
    "How many times the labels the best strategy without pretraining needs for what the best pretrained one reaches. "
    "That number of labels is read off its learning curve between measured budgets, never beyond: “more than” where "
    "the curve ends below the score, “at most” where it begins above it. Crossovers say from how many labels on the "
    "strategy of a row beats that of a column, by their means. Brackets hold 95 % intervals, or “not decided” where "
    "the test tells the two apart at no number of labels."
)


def savings_section(tables: Tables, found: Mapping[str, Sequence[Curves]]) -> Section | None:
    """Return how many labels pretraining saves, and from how many on one strategy beats another."""
    sections = []
    for place, (task, several) in enumerate(found.items(), start=1):
        blocks = []
        for curves in several:
            of = titled(tables.manifest, task, curves.backbone if len(several) > 1 else "")
            blocks += [_savings(of, curves), _crossovers(of, curves)]
        kept = tuple(block for block in blocks if block is not None)
        if kept:
            sections.append(Section(f"savings-{place}", titled(tables.manifest, task), kept))
    return Section("savings", "What pretraining saves", (Paragraph(SAVINGS),), tuple(sections)) if sections else None


def _savings(of: str, curves: Curves) -> Table | None:
    """Return label savings: a row for each rival, a column for each budget."""
    found = label_savings_of(curves)
    if not found:
        return None
    budgets = sorted({one.amount for one in found})
    rivals = dict.fromkeys(one.theirs for one in found)
    at = {(one.theirs, one.amount): one for one in found}
    rows = [(Value(strategy_title(rival)), *(saved(at.get((rival, amount))) for amount in budgets)) for rival in rivals]
    columns = (Column("Against"), *(Column(quantity(amount), numeric=True) for amount in budgets))
    return Table(f"{of}: label savings by number of {curves.entry.unit}", columns, tuple(rows))


def saved(one: LabelSavings | None) -> Value:
    """Return label savings as a multiple, with its interval, the strategy that saves and the labels the rival needs."""
    if one is None:
        return Value(MISSING, mark="missing")
    before = {"at least": "more than ", "at most": "at most "}.get(one.kind, "")
    # ends of a curve are budgets, which are known exactly
    needed = about(one.needed) if one.kind == "exactly" else quantity(one.needed)
    ratio = rounded_down(one.ratio) if one.kind == "at least" else rounded(one.ratio)
    between = _between(one.lower, one.upper, rounded, lowest=rounded_down)
    details = between, f"{strategy_title(one.ours)}; {before}{needed} labels"
    clear: Mark = "good" if one.lower > 1 else "bad" if one.upper < 1 else ""
    return Value(f"{before}{ratio} ×", details, one.ratio, clear)


def _crossovers(of: str, curves: Curves) -> Table | None:
    """Return from how many labels on the strategy of a row beats that of a column."""
    found = crossovers_of(curves)
    if not found:
        return None
    ours, theirs = (list(dict.fromkeys(getattr(one, side) for one in found)) for side in ("ours", "theirs"))
    at = {(one.ours, one.theirs): one for one in found}
    rows = [(Value(strategy_title(mine)), *(crossed(at.get((mine, other))) for other in theirs)) for mine in ours]
    columns = (Column("Beats"), *(Column(capitalised(strategy_title(other)), numeric=True) for other in theirs))
    return Table(f"{of}: crossovers, in {curves.entry.unit}", columns, tuple(rows))


def crossed(one: Crossover | None) -> Value:
    """Return from how many labels on a strategy is ahead, with the interval of that number."""
    if one is None:
        return Value("")
    within = _between(one.lower, one.upper, about)
    details = (within or "[not decided]",)
    if one.kind != "from":
        return Value(one.kind, details)
    return Value(f"from {about(one.amount)}", details, one.amount)


def _between(
    lower: float, upper: float, written: Callable[[float], str], lowest: Callable[[float], str] | None = None
) -> str:
    """Return an interval whose ends may be open, nothing where both are; `lowest` writes a lower end without upper."""
    known = [math.isfinite(end) and end > 0 for end in (lower, upper)]
    if all(known):
        return f"[{written(lower)},{NO_BREAK}{written(upper)}]"
    if known[0]:
        return f"[{(lowest or written)(lower)} or more]"
    return f"[{written(upper)} or less]" if known[1] else ""
