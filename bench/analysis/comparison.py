"""What a report says of several backbones on one task: which pretraining helps here, and at which budget."""

from collections.abc import Sequence
from typing import NamedTuple

from bench import stats
from bench.analysis.curves import Curves, key_budgets
from bench.analysis.wording import backbone_title, capitalised, join_words, quantity, score, strategy_title
from bench.results.manifest import Manifest


class Best(NamedTuple):
    """The best that a backbone gets at a budget with pretrained weights, by one of its strategies."""

    curves: Curves
    strategy: str
    mean: float


def comparison(found: Sequence[Curves], manifest: Manifest) -> list[str]:
    """Return a sentence for the smallest and for the largest budget: which backbone leads, or which ones tie.

    A tie is what is not decided, with Holm's correction for the number of backbones. Each backbone
    is taken at its best strategy there, which flatters those with many strategies alike.
    """
    if len(found) < 2:
        return []
    shared = sorted(set.intersection(*(set(key_budgets(curves)) for curves in found)))
    said = (_sentence(found, manifest, amount) for amount in dict.fromkeys((*shared[:1], *shared[-1:])))
    return [sentence for sentence in said if sentence]


def _sentence(found: Sequence[Curves], manifest: Manifest, amount: float) -> str | None:
    best = [
        Best(curves, leader, float(curves.points["mean"][leader, amount]))
        for curves in found
        if (leader := curves.leader(amount, "pretrained")) is not None
    ]
    if len(best) < 2:
        return None
    unit, direction = found[0].entry.unit, found[0].entry.metric.direction
    first, *rest = sorted(best, key=lambda one: -direction * one.mean)
    adjusted = stats.holm([stats.contrast(_gap(first, other, amount)).p for other in rest])
    tied = [other for other, p in zip(rest, adjusted, strict=True) if not p <= 1 - stats.CONFIDENCE]
    said = f"with {quantity(amount)} {unit}, "
    if tied:
        names = join_words(_described(one, manifest) for one in (first, *tied))
        return capitalised(f"{said}{names} cannot be told apart.")
    second = rest[0]
    gap = stats.estimate(_gap(first, second, amount))
    between = f" [{score(gap.lower)}, {score(gap.upper)}]" if gap.upper - gap.lower > stats.ROUNDING else ""
    lead = f"{_described(first, manifest)} is ahead of {_described(second, manifest)} by {score(gap.mean)}{between}"
    return capitalised(f"{said}{lead}.")


def _gap(one: Best, other: Best, amount: float) -> stats.Replicates:
    """Return how much better one backbone does than another with each seed: both saw the same labels."""
    sign = float(one.curves.entry.metric.direction)
    ours, theirs = (best.curves.replicates(best.strategy, amount) for best in (one, other))
    return stats.combine([ours, theirs], [sign, -sign])


def _described(one: Best, manifest: Manifest) -> str:
    return f"{backbone_title(manifest, one.curves.backbone)} ({strategy_title(one.strategy)}, {score(one.mean)})"
