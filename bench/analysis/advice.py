"""What to use at a budget: a strategy that is clearly best, one that is as good within a tolerance, or the best mean.

"Enough" is non-inferiority: no other strategy is better by the tolerance or more, with 95 % confidence on one side
(Piaggio et al. 2012, JAMA 308(24), doi:10.1001/jama.2012.87802). That a test finds no difference is not enough: with
few test examples it finds none. Each strategy has to pass against every other one, so that no correction for their
number is needed (Berger 1982, Technometrics 24(4)).
"""

import math
from dataclasses import dataclass
from itertools import takewhile
from typing import Final, Literal

from bench import stats
from bench.analysis.curves import Curves
from bench.analysis.verdicts import tolerance_of

Kind = Literal["best", "enough", "cheaper", "highest mean"]

MOST_EXAMPLES: Final = 1_000_000  # a number of test examples beyond it is nobody's plan


@dataclass(frozen=True, slots=True)
class Advice:
    """Which strategy to use at a budget.

    `kind` says why `strategy` is advised. It is clearly the "best"; or it is "enough", as no other is better by
    `tolerance` or more; or it is the cheapest whose mean is behind by less than `tolerance`, which is no finer than the
    test examples can tell, and that is not enough ("cheaper"); or it has the "highest mean", and that is all. In the
    last two it is not decided, against `others`. `leader` has the highest mean. `wanted` says what would decide, ""
    where that is not known.
    """

    kind: Kind
    strategy: str
    leader: str
    tolerance: float
    others: tuple[str, ...] = ()
    wanted: str = ""


def advise(curves: Curves, amount: float) -> Advice:
    """Return what to use at a budget at which something was scored. There is always something.

    With one seed, or too few test blocks, nothing is decided, and the highest mean is advised.
    """
    names = _best_first(curves, amount)
    leader, tolerance = names[0], tolerance_of(curves)
    if len(names) == 1 or _clearly_best(curves, amount, names):
        return Advice("best", leader, leader, tolerance)
    for name in curves.by_cost:
        if name in names and not _open_against(curves, amount, name, tolerance):
            return Advice("enough", name, leader, tolerance)
    resolved = max(tolerance, _resolvable(curves, amount, names))
    cheaper = [name for name in takewhile(lambda name: name != leader, curves.by_cost) if name in names]
    chosen = next((name for name in cheaper if _may_be_as_good(curves, amount, name, leader, resolved)), leader)
    others = tuple(_open_against(curves, amount, chosen, tolerance))
    wanted = _what_decides(curves, amount, chosen, others, tolerance)
    if chosen == leader:
        return Advice("highest mean", leader, leader, tolerance, others, wanted)
    return Advice("cheaper", chosen, leader, resolved, others, wanted)


def _best_first(curves: Curves, amount: float) -> list[str]:
    """Return the strategies with a score at a budget, the highest mean first; of equal means the cheapest is first."""
    means, direction = curves.ranking[amount]["mean"], curves.entry.metric.direction
    return sorted((name for name in curves.by_cost if name in means), key=lambda name: -direction * float(means[name]))


def _clearly_best(curves: Curves, amount: float, names: list[str]) -> bool:
    """Return whether the first of several strategies clearly beats all others, with Holm's correction."""
    sign = float(curves.entry.metric.direction)
    kept = stats.may_be_best([curves.replicates(name, amount).scaled(sign) for name in names])
    return bool(kept.sum() == 1 and kept[0])


def _open_against(curves: Curves, amount: float, name: str, tolerance: float) -> list[str]:
    """Return the strategies that may be better than one by the tolerance or more."""
    others = [str(other) for other in curves.ranking[amount].index if other != name]
    bounds = {other: stats.contrast(curves.difference(name, other, amount)).lowest() for other in others}
    return [other for other, lowest in bounds.items() if not lowest > -tolerance]  # nan is open


def _may_be_as_good(curves: Curves, amount: float, name: str, leader: str, tolerance: float) -> bool:
    """Return whether a strategy's mean is within the tolerance of the highest, and not clearly below it."""
    found = stats.contrast(curves.difference(name, leader, amount))
    return found.known and found.mean > -tolerance and not found.mirrored().lowest() > 0


def _resolvable(curves: Curves, amount: float, names: list[str]) -> float:
    """Return the smallest tolerance that the test examples allow to tell, whatever the number of seeds."""
    leader, *others = names
    parts = [stats.variance_by_blocks(curves.difference(leader, other, amount)) for other in others]
    known = [stats.ONE_SIDED * math.sqrt(part) for part in parts if not math.isnan(part)]
    return max(known, default=0.0)


def _what_decides(curves: Curves, amount: float, name: str, others: tuple[str, ...], tolerance: float) -> str:
    """Return what would decide between a strategy and the hardest of the others: more seeds, or more test examples."""
    wanted = [_wanted(curves.difference(name, other, amount), tolerance) for other in others]
    if any(one is None for one in wanted):
        return ""
    seeds = any(one.more_seeds for one in wanted if one)
    n_test = max((one.n_test for one in wanted if one), default=0.0)
    measured = curves.replicates(name, amount).n_test
    said = ["more seeds"] if seeds else []
    if n_test > measured:
        digits = 10 ** max(0, math.floor(math.log10(n_test)) - 1)
        said.append(f"about {math.ceil(n_test / digits) * digits:,} test examples")
    return " and ".join(said) if n_test <= MOST_EXAMPLES else ""


@dataclass(frozen=True, slots=True)
class _Wanted:
    more_seeds: bool
    n_test: float


def _wanted(difference: stats.Replicates, tolerance: float) -> _Wanted | None:
    """Return what it takes to know a difference to be within the tolerance, or beyond it; None where nothing says."""
    found = stats.contrast(difference)
    if not found.known or difference.overlap is not None:
        return None
    room = tolerance + found.mean if found.mean > -tolerance else -found.mean
    room = max(room, abs(found.mean))
    if room <= 0 or not found.variance:
        return None
    by_blocks = stats.variance_by_blocks(difference)
    by_seeds = max(0.0, found.variance - by_blocks)
    quantile = (found.mean - found.lowest()) / math.sqrt(found.variance)
    n_test = difference.n_test * stats.ONE_SIDED**2 * by_blocks / room**2
    return _Wanted(more_seeds=quantile * math.sqrt(by_seeds) > room or n_test <= difference.n_test, n_test=n_test)
