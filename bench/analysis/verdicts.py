"""What can be told apart: which strategies may be the best at a budget, and whether pretraining helps."""

from typing import Literal

from bench import stats
from bench.analysis.curves import Curves
from bench.strategy import Start

Verdict = Literal["helps", "hurts", "makes no clear difference"]


def tied_with_best(curves: Curves, amount: float) -> list[str]:
    """Return the best strategy at a budget and the others that may be the best: none clearly beats them, best first.

    See `stats.may_be_best`. With one seed nothing is clear, and only equal scores tie.
    """
    here = curves.ranking[amount]
    best, *others = here.index
    sign = curves.entry.metric.direction
    kept = stats.may_be_best([sign * curves.seeds[name, amount] for name in here.index])
    open_ = dict(zip(here.index, kept, strict=True))
    tied = [best]
    for other in others:
        compared = curves.differences(best, other, amount).count() > 1
        if (compared and open_[other]) or abs(here["mean"][other] - here["mean"][best]) < stats.ROUNDING:
            tied.append(other)
    return tied


def recommended(curves: Curves, amount: float) -> str:
    """Return the cheapest of the strategies that may be the best at a budget."""
    tied = set(tied_with_best(curves, amount))
    return next(name for name in curves.by_cost if name in tied)


def verdicts(curves: Curves, rival: Start = "random") -> dict[float, Verdict]:
    """Return for every budget that has both whether the best pretrained strategy beats the best rival.

    By paired t tests, with Holm's correction for the number of budgets. With one seed no difference is clear.
    """
    gaps = {
        amount: curves.differences(ours, theirs, amount)
        for amount in curves.budgets
        if (ours := curves.leader(amount, "pretrained")) and (theirs := curves.leader(amount, rival))
    }
    adjusted = stats.holm([stats.paired_p(gap) for gap in gaps.values()])
    return {
        amount: _verdict(float(gap.mean()), float(p)) for (amount, gap), p in zip(gaps.items(), adjusted, strict=True)
    }


def _verdict(mean: float, p: float) -> Verdict:
    if not p <= 1 - stats.CONFIDENCE:
        return "makes no clear difference"
    return "helps" if mean > 0 else "hurts"
