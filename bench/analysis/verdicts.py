"""Whether pretraining helps, at every budget of every task of a page, corrected for all of them together."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Final, Literal, NamedTuple

from bench import stats
from bench.analysis.curves import Curves
from bench.strategy import Start

Verdict = Literal["helps", "hurts", "makes no difference", "not decided"]

RIVALS: Final[tuple[Start, ...]] = ("random", "nothing")
"""What strategies without pretrained weights start from."""


class Comparison(NamedTuple):
    """The best pretrained strategy of a budget against the best rival of a kind there."""

    task: str
    backbone: str
    rival: Start
    amount: float


@dataclass(frozen=True, slots=True)
class Verdicts:
    """The verdicts of a page. With 95 % confidence none of its "helps" and "hurts" is a false one."""

    known: Mapping[Comparison, Verdict]

    def of(self, curves: Curves, rival: Start = "random") -> dict[float, Verdict]:
        """Return the verdicts on one task and backbone for every budget that has both sides."""
        return {
            one.amount: verdict
            for one, verdict in self.known.items()
            if (one.task, one.backbone, one.rival) == (curves.entry.card.name, curves.backbone, rival)
        }


POINT: Final = 0.01


def judge_page(found: Iterable[Curves]) -> Verdicts:
    """Return the verdicts on all curves of a page.

    Both sides are the best of several by the scores that are then compared, which flatters them: a p-value counts as
    often as there were strategies to choose the winner from. Holm's correction then holds over all comparisons of the
    page. There is no difference where both one-sided 95 % bounds lie within the tolerance.
    """
    duels = dict(duel for curves in found for duel in _duels(curves))
    adjusted = stats.holm([min(1.0, duel.found.p * duel.choices) for duel in duels.values()])
    return Verdicts(
        {
            one: _verdict(duel.found, float(p), duel.tolerance)
            for (one, duel), p in zip(duels.items(), adjusted, strict=True)
        }
    )


class _Duel(NamedTuple):
    """What is known of a comparison, the difference that does not matter, and of how many the winner was chosen."""

    found: stats.Uncertainty
    tolerance: float
    choices: int


def _duels(curves: Curves) -> Iterator[tuple[Comparison, _Duel]]:
    """Yield the comparisons of one task and backbone that have both sides."""
    for rival, amount in product(RIVALS, curves.budgets):
        ours, theirs = curves.leader(amount, "pretrained"), curves.leader(amount, rival)
        if ours is None or theirs is None:
            continue
        gap = curves.difference(ours, theirs, amount)
        winner: Start = "pretrained" if gap.values.sum() > 0 else rival
        choices = sum(curves.start(name) == winner for name in curves.ranking[amount].index)
        one = Comparison(curves.entry.card.name, curves.backbone, rival, amount)
        yield one, _Duel(stats.contrast(gap), tolerance_of(curves), choices)


def tolerance_of(curves: Curves) -> float:
    """Return the difference of scores that does not matter: one point, or one hundredth of skill."""
    metric = curves.entry.metric
    if metric.proportion:
        return POINT
    return POINT * abs(metric.perfect - float(curves.points["chance"].mean()))


def _verdict(found: stats.Uncertainty, p: float, tolerance: float) -> Verdict:
    if p <= 1 - stats.CONFIDENCE:
        return "helps" if found.mean > 0 else "hurts"
    within = found.lowest() > -tolerance and found.mirrored().lowest() > -tolerance
    return "makes no difference" if within else "not decided"
