"""The six claims made for transfer learning, on each task and backbone: a verdict on each, and why.

Transfer is one strategy and training from scratch another, chosen by what they are and not by what they scored: see
`bench.analysis.pairs`. How each claim is measured is in `bench.analysis.measures`.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from bench import stats
from bench.analysis import measures
from bench.analysis.curves import Curves
from bench.analysis.measures import Found
from bench.analysis.pairs import Pair, find_pair
from bench.analysis.tables import Tables
from bench.analysis.wording import join_words

Verdict = Literal["supported", "not supported", "not decided"]
SUPPORTED: Final[Verdict] = "supported"
REFUTED: Final[Verdict] = "not supported"
UNDECIDED: Final[Verdict] = "not decided"

SAME_AS_SCORES: Final = "domains"
"""The claim that is decided by the test of another, so that it is no comparison more."""


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
    """A claim on one task and backbone, with a verdict that is corrected for all claims of the page.

    `name` is one of `CLAIMS`, `said` is a plain sentence or two with numbers.
    """

    name: str
    title: str
    verdict: Verdict
    said: str


def claims_of(tables: Tables, found: Mapping[str, Sequence[Curves]]) -> dict[tuple[str, str], list[Claim]]:
    """Return the six claims on every task and backbone, by their names, in the order of `CLAIMS`.

    One correction for many comparisons (Holm's) holds over all of them: with 95 % confidence no verdict of the page is
    a false one. What cannot be measured is not decided, and says why.
    """
    measured = {
        (task, curves.backbone): _measured(tables, task, curves)
        for task, several in found.items()
        for curves in several
    }
    tested = [(where, name) for where, one in measured.items() for name in one if name != SAME_AS_SCORES]
    adjusted = dict(zip(tested, stats.holm([measured[where][name].p for where, name in tested]), strict=True))
    return {
        where: [
            _decided(name, one, float(adjusted[where, "scores" if name == SAME_AS_SCORES else name]))
            for name, one in several.items()
        ]
        for where, several in measured.items()
    }


def _measured(tables: Tables, task: str, curves: Curves) -> dict[str, Found]:
    """Return what was measured of each claim on one task and backbone."""
    pair = find_pair(tables, task, curves)
    reason = pair if isinstance(pair, str) else measures.why_undecided(pair)
    found = {
        name: Found(reason) if isinstance(pair, str) or reason else measure(pair)
        for name, (_, measure) in CLAIMS.items()
    }
    found[SAME_AS_SCORES] = _across_domains(tables, task, curves.backbone, found[SAME_AS_SCORES])
    return found


def _decided(name: str, found: Found, p: float) -> Claim:
    """Return a claim with its verdict at 95 %; `p` is adjusted for the number of claims."""
    clear = p <= 1 - stats.CONFIDENCE and not math.isnan(found.p)
    said, verdict = found.said, UNDECIDED
    if found.equal or (clear and found.gain < 0):
        verdict = REFUTED
    elif clear and found.open_because:
        said = f"{said} {found.open_because}"
    elif clear:
        verdict = SUPPORTED
    return Claim(name, CLAIMS[name].title, verdict, said)


def _across_domains(tables: Tables, task: str, backbone: str, found: Found) -> Found:
    """Return what was found of better scores, where the cards say that source and target have no subject in common."""
    source = tables.manifest.backbones[backbone].subjects
    target = tables.manifest.tasks[task].card.subjects
    if not source or not target:
        return Found("The cards do not say whether source and target are alike.")
    shared = [subject for subject in source if subject in target]
    if shared:
        return Found(f"Source and target are alike: {join_words(shared)}.")
    return found._replace(
        said=f"Source ({join_words(source)}) and target ({join_words(target)}) are unlike. {found.said}"
    )
