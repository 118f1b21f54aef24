"""The horizontal reading of learning curves: what a score is worth in labels, and where curves cross."""

from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np

from bench import stats
from bench.analysis.curves import Curves
from bench.analysis.verdicts import RIVALS
from bench.strategy import Start


@dataclass(frozen=True, slots=True)
class LabelSavings:
    """How many labels `theirs` needs for what `ours` reaches with `amount`.

    `needed` is that number, `ratio` the multiple of `amount`, with its 95 % interval from `lower` to `upper`: -inf or
    inf where an end lies beyond what was measured, nan where nothing can be decided. `kind` says whether
    `needed` was measured ("exactly"), or is where the other's curve ends below the score ("at least") or begins above
    it ("at most").
    """

    ours: str
    theirs: str
    amount: float
    kind: Literal["exactly", "at least", "at most"]
    needed: float
    ratio: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class Crossover:
    """From how many labels on `ours` beats `theirs`, which is cheaper.

    `amount` is the smallest budget where it does everywhere, and nan where it does not at the largest. The 95 %
    interval goes from where it is clearly behind for the last time (`lower`, -inf if never) to where it is clearly
    ahead for good (`upper`, inf if never); both are nan where nothing can be decided.
    """

    ours: str
    theirs: str
    kind: stats.CrossingKind
    amount: float
    lower: float
    upper: float


def label_savings_of(curves: Curves) -> list[LabelSavings]:
    """Return what the best pretrained strategy of every budget saves against the best of each kind of rival."""
    found = (savings_against(curves, rival, amount) for rival in RIVALS for amount in curves.budgets)
    return [one for one in found if one is not None]


def savings_against(curves: Curves, rival: Start, amount: float) -> LabelSavings | None:
    """Return what the best pretrained strategy of a budget saves against the best rival there; None without either.

    There is no multiple of no label, and nothing is saved against a rival that learned nothing.
    """
    ours, theirs = curves.leader(amount, "pretrained"), curves.leader(amount, rival)
    if ours is None or theirs is None or not amount or not learned_something(curves, theirs):
        return None
    labels = curves.labelled_budgets(theirs)
    saved = stats.savings_of_replicates(
        curves.replicates(ours, amount),
        amount,
        n_labels=labels,
        theirs=[curves.replicates(theirs, one) for one in labels],
        higher_is_better=curves.entry.metric.higher_is_better,
    )
    if saved is None:
        return None
    return LabelSavings(ours, theirs, amount, saved.kind, saved.n_labels, saved.ratio, saved.lower, saved.upper)


def learned_something(curves: Curves, strategy: str) -> bool:
    """Return whether a strategy learned from labels: it clearly beats the baseline somewhere, and not always alike.

    What has the same scores at every budget uses no labels, such as a forecast that fits each window by itself.
    """
    labels = curves.labelled_budgets(strategy)
    scores = [curves.replicates(strategy, amount) for amount in labels]
    if len(labels) > 1 and all(np.array_equal(one.values, scores[0].values) for one in scores[1:]):
        return False
    return beats_baseline(curves, strategy)


def beats_baseline(curves: Curves, strategy: str) -> bool:
    """Return whether a strategy is above the baseline at some budget, with 95 % confidence on one side."""
    labels = curves.labelled_budgets(strategy)
    return any(stats.uncertainty(curves.over_baseline(strategy, amount)).lowest() > 0 for amount in labels)


def crossovers_of(curves: Curves) -> list[Crossover]:
    """Return for every two strategies from how many labels on the dearer one beats the cheaper one."""
    found = (crossover_of(curves, ours, theirs) for theirs, ours in combinations(curves.by_cost, 2))
    return [one for one in found if one is not None]


def crossover_of(curves: Curves, ours: str, theirs: str) -> Crossover | None:
    """Return from how many labels on one strategy beats another; None without a seed that has both curves."""
    shared = set(curves.labelled_budgets(theirs))
    labels = [amount for amount in curves.labelled_budgets(ours) if amount in shared]
    mine, other = ([curves.replicates(name, amount) for amount in labels] for name in (ours, theirs))
    found = stats.crossover(mine, other, n_labels=labels, higher_is_better=curves.entry.metric.higher_is_better)
    return None if found is None else Crossover(ours, theirs, found.kind, found.n_labels, found.lower, found.upper)
