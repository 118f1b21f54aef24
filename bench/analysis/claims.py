"""The six claims made for transfer learning, on each task and backbone: a verdict on each, and why.

Transfer is one strategy and training from scratch another, chosen by what they are and not by what they scored: see
`bench.analysis.pairs`. How each claim is measured is in `bench.analysis.measures`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from bench.analysis import measures
from bench.analysis.curves import Curves
from bench.analysis.measures import Found, Verdict
from bench.analysis.pairs import Pair, find_pair
from bench.analysis.tables import Tables
from bench.analysis.wording import join_words


class Measured(NamedTuple):
    """A claim's title, and what measures it on a pair of strategies."""

    title: str
    measure: Callable[[Pair], Found]


CLAIMS: Final[Mapping[str, Measured]] = {
    "scores": Measured("Better scores at equal labels", measures.scores_at_equal_labels),
    "time": Measured("Less time to a given score", measures.time_to_a_score),
    "labels": Measured("Fewer labels to a given score", measures.labels_to_a_score),
    "generalisation": Measured("Better scores under shift", measures.scores_under_shift),
    "cold start": Measured("A better cold start", measures.cold_start),
    "domains": Measured("Transfer across domains", measures.scores_at_equal_labels),
}
"""By name, in the order in which they are said. The last is the first where source and target are unlike."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim on one task and backbone, with a verdict at 95 % by itself: of twenty, one may be by chance.

    `name` is one of `CLAIMS`, `said` is a plain sentence or two with numbers.
    """

    name: str
    title: str
    verdict: Verdict
    said: str


def claims_of(tables: Tables, task: str, curves: Curves) -> list[Claim]:
    """Return the six claims in the order of `CLAIMS`. What cannot be measured is not decided, and says why."""
    pair = find_pair(tables, task, curves)
    reason = pair if isinstance(pair, str) else measures.why_undecided(pair)
    claims = []
    for name, (title, measure) in CLAIMS.items():
        found = Found("not decided", reason) if isinstance(pair, str) or reason else measure(pair)
        if name == "domains":
            found = _across_domains(tables, task, curves.backbone, found)
        claims.append(Claim(name, title, found.verdict, found.said))
    return claims


def _across_domains(tables: Tables, task: str, backbone: str, found: Found) -> Found:
    """Return what was found of better scores, where the cards say that source and target have no subject in common."""
    source = tables.manifest.backbones[backbone].subjects
    target = tables.manifest.tasks[task].card.subjects
    if not source or not target:
        return Found("not decided", "The cards do not say whether source and target are alike.")
    shared = [subject for subject in source if subject in target]
    if shared:
        return Found("not decided", f"Source and target are alike: {join_words(shared)}.")
    return found._replace(
        said=f"Source ({join_words(source)}) and target ({join_words(target)}) are unlike. {found.said}"
    )
