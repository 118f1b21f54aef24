"""What a report says of the claims made for transfer learning: a verdict on each, and what it rests on."""

from collections.abc import Mapping, Sequence
from typing import Final

from bench.analysis.claims import Claim, claims_of
from bench.analysis.curves import Curves
from bench.analysis.tables import Tables
from bench.analysis.wording import titled
from bench.report.document import Column, Mark, Section, Table, Value

VERDICTS: Final[Mapping[str, Mark]] = {"supported": "good", "not supported": "bad", "not decided": "open"}


def claims_section(tables: Tables, found: Mapping[str, Sequence[Curves]]) -> Section | None:
    """Return the verdicts side by side for all tasks, then what was measured; None where nothing was claimed."""
    claimed = {
        titled(tables.manifest, task, backbone if len(found[task]) > 1 else ""): claims
        for (task, backbone), claims in claims_of(tables, found).items()
    }
    titles = {claim.name: claim.title for said in claimed.values() for claim in said}
    if not titles:
        return None
    verdicts = [
        _row(title, [next((one for one in said if one.name == name), None) for said in claimed.values()])
        for name, title in titles.items()
    ]
    columns = (Column("Claim"), *map(Column, claimed), Column("Supported", numeric=True))
    overview = Table("Verdict on each claim", columns, tuple(verdicts))
    details = tuple(
        (Value(of), Value(claim.title), _verdict(claim), Value(claim.said))
        for of, said in claimed.items()
        for claim in said
    )
    columns = tuple(map(Column, ("Task", "Claim", "Verdict", "Measured")))
    measured = Table("What the verdicts rest on", columns, details, sortable=True, folded=True)
    return Section("claims", "The six claims made for transfer learning", (overview, measured))


def _row(title: str, claims: Sequence[Claim | None]) -> tuple[Value, ...]:
    """Return the verdicts on one claim, and how many of them support it."""
    supported = sum(claim is not None and claim.verdict == "supported" for claim in claims)
    total = Value(f"{supported} of {len(claims)}", order=supported)
    return (Value(title), *map(_verdict, claims), total)


def _verdict(claim: Claim | None) -> Value:
    return Value("") if claim is None else Value(claim.verdict, mark=VERDICTS[claim.verdict])
