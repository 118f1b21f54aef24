"""Owns what a report says of the spread over seeds: how much of it comes from which random stream."""

import math

from bench.cell import ALL_STREAMS
from bench.report.document import Column, Paragraph, Section, Table, Value
from bench.report.streams import StreamSpread, spreads_of
from bench.report.tables import Tables
from bench.report.wording import MISSING, capitalised, interval, score, strategy_title, titled


def randomness_section(tables: Tables) -> Section | None:
    """Return a row for each point at which one stream was varied by itself; None where none was."""
    spreads = spreads_of(tables)
    if not spreads:
        return None
    streams = [*dict.fromkeys(one.varied for one in spreads if one.varied != ALL_STREAMS), ALL_STREAMS]
    at = {(one.task, one.backbone, one.strategy, one.fraction, one.varied): one for one in spreads}
    several = len({one.backbone for one in spreads}) > len({one.task for one in spreads})
    rows = [
        (
            Value(titled(tables.manifest, task, backbone if several else "")),
            Value(strategy_title(strategy)),
            Value(f"{fraction:g}", order=fraction),
            *(_spread(at.get((task, backbone, strategy, fraction, stream))) for stream in streams),
        )
        for task, backbone, strategy, fraction in dict.fromkeys(place[:-1] for place in at)
    ]
    columns = (Column("Task"), Column("Strategy"), Column("Fraction", numeric=True))
    headings = (Column(capitalised(stream), numeric=True) for stream in streams)
    note = Paragraph(
        "The standard deviation of scores where only one random stream follows the seed: which examples are labelled, "
        "how weights are initialised, in which order data come; beside it that where all do. Brackets hold 95 % "
        "intervals."
    )
    table = Table("Standard deviation over seeds", (*columns, *headings), tuple(rows), sortable=True)
    return Section("randomness", "Where the spread comes from", (note, table))


def _spread(one: StreamSpread | None) -> Value:
    if one is None or math.isnan(one.deviation):
        return Value(MISSING, mark="missing")
    return Value(score(one.deviation), (interval(one.lower, one.upper), f"{one.n_seeds} seeds"), one.deviation)
