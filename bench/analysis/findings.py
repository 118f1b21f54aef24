"""What a report says of one task in words: what to use, from where another wins, what pretraining is worth."""

import math
from collections.abc import Mapping, Sequence
from typing import Final

from bench.analysis.curves import Curves
from bench.analysis.extrapolation import more_labels
from bench.analysis.horizontal import Crossover, LabelSavings, crossover_of, savings_against
from bench.analysis.verdicts import Verdict, recommended, tied_with_best, verdicts
from bench.analysis.wording import (
    about,
    join_words,
    quantity,
    rounded,
    rounded_down,
    score,
    score_with_margin,
    strategy_phrase,
)
from bench.strategy import Start

METHOD: Final = (
    "± is half of the 95 % interval over seeds; brackets hold 95 % intervals. Strategies are compared in pairs that "
    "share a seed, and with it the labels and the test examples, by the t test. One is “enough” where no other clearly "
    "beats it, with Holm's correction for how many others there are; pretraining “helps” or “hurts” where its best "
    "strategy is clearly better or worse, with Holm's correction for the number of budgets. Numbers of labels between "
    "budgets are read off the learning curves; their intervals invert the paired t test. Nothing is read beyond the "
    "largest budget but what is said of twice the labels, by a power law with an offset. All seeds are scored on the "
    "same test examples: how a model would do on others is in no interval."
)
NOTABLE_SAVINGS: Final = 1.05  # below that a sentence about label savings would say nothing
LONG_STRETCH: Final = 3  # as many budgets in a row are not told one by one


def sentences(curves: Curves) -> list[str]:
    """Return the answer for one task and backbone in plain sentences, each true of what was measured."""
    if not curves.scored_budgets:
        return []
    return [
        *_advice(curves),
        *_transfer(curves),
        *_worth(curves),
        *_classical(curves),
        *_more_labels(curves),
    ]


def headline(curves: Curves) -> str | None:
    """Return the finding that a chart is titled with, if any: the worth of pretraining, or whether it helps."""
    worth = [] if "hurts" in verdicts(curves).values() else _worth(curves)
    return next(iter([*worth, *_transfer(curves)]), None)


def _advice(curves: Curves) -> list[str]:
    """Return what to use with the fewest labels, and with the most."""
    first, last = curves.scored_budgets[0], curves.scored_budgets[-1]
    said = [_use(curves, first)]
    if first == last:
        return said
    before, after = recommended(curves, first), recommended(curves, last)
    if before == after and all(_alone(curves, amount) for amount in (first, last)):
        ends = [_scored(curves, before, amount) for amount in (first, last)]
        at = f"With {quantity(first)} and with {quantity(last)} {curves.entry.unit}"
        return [f"{at}, use {strategy_phrase(before)}: {join_words(ends)}."]
    crossed = None if before == after or _at_chance(curves, first) else crossover_of(curves, after, before)
    if crossed is None or crossed.kind != "from" or not math.isfinite(crossed.upper) or _at_chance(curves, last):
        return [*said, _use(curves, last)]
    return [*said, _turn(curves, crossed, last)]


def _alone(curves: Curves, amount: float) -> bool:
    """Return whether one strategy clearly beats all others at a budget, and a guess."""
    several = curves.ranking[amount]["n_seeds"].max() > 1
    return several and len(tied_with_best(curves, amount)) == 1 and not _at_chance(curves, amount)


def _scored(curves: Curves, strategy: str, amount: float) -> str:
    here = curves.ranking[amount]
    return score_with_margin(here["mean"][strategy], here["margin"][strategy])


def _use(curves: Curves, amount: float) -> str:
    here, label = curves.ranking[amount], curves.entry.unit
    start = f"With {quantity(amount)} {label}, "
    if _at_chance(curves, amount):
        guess, chance = curves.entry.baseline, score(float(here["chance"].iloc[0]))
        return f"{start}nothing beats a guess that learns nothing ({guess} {chance})."
    chosen, tied = recommended(curves, amount), tied_with_best(curves, amount)
    phrase = strategy_phrase(chosen)
    said = _scored(curves, chosen, amount)
    if here["n_seeds"].max() < 2:
        alike = [strategy_phrase(str(name)) for name in here.index[here["mean"] == here["mean"][chosen]]]
        return f"{start}{join_words(alike)} {'score' if len(alike) > 1 else 'scores'} best: {said}."
    if len(tied) == 1:
        return f"{start}use {phrase}: {said}."
    if chosen == tied[0]:
        others = join_words(strategy_phrase(name) for name in tied[1:])
        return f"{start}{phrase} is enough: {said}; {others} {'tie' if len(tied) > 2 else 'ties'} with it."
    best = f"{strategy_phrase(tied[0])} ({score(float(here['mean'].iloc[0]))})"
    return f"{start}{phrase} is enough: {said}; {best} is not clearly better."


def _turn(curves: Curves, crossed: Crossover, last: float) -> str:
    """Return from how many labels on the strategy for the largest budget beats that for the smallest."""
    start = f"From about {about(crossed.amount)} {_range(crossed.lower, crossed.upper)} {curves.entry.unit} on, "
    others = [strategy_phrase(name) for name in tied_with_best(curves, last) if name != crossed.ours]
    reached = f"{_scored(curves, crossed.ours, last)} with {quantity(last)}"
    tie = f", where {join_words(others)} {'tie' if len(others) > 1 else 'ties'} with it" if others else ""
    return f"{start}{strategy_phrase(crossed.ours)} beats it: {reached}{tie}."


def _at_chance(curves: Curves, amount: float) -> bool:
    return not curves.ranking[amount]["skill"].iloc[0] > 0


def _transfer(curves: Curves) -> list[str]:
    """Return at which budgets pretraining helps against training from scratch."""
    compared = verdicts(curves)
    if not compared:
        return []
    if curves.points["n_seeds"].max() < 2:
        return ["One seed cannot tell whether pretraining helps."]
    return [f"Pretraining {_where(compared, curves.entry.unit)}."]


def _where(compared: Mapping[float, Verdict], label: str) -> str:
    """Return at which budgets pretraining helps, hurts or makes no clear difference."""
    budgets = list(compared)
    parts: list[str] = []
    for said in ("helps", "makes no clear difference", "hurts"):
        at = [amount for amount, one in compared.items() if one == said]
        if len(at) == len(budgets) > 1:
            return f"{said} at {'any' if said == 'makes no clear difference' else 'every'} budget"
        if at:
            parts.append(f"{said} {_stretch(at, budgets, '' if parts else f' {label}')}")
    return ", ".join(parts)


def _stretch(at: Sequence[float], budgets: Sequence[float], label: str) -> str:
    """Return some of the budgets in words: three or more at either end are said as "up to" or "from ... on"."""
    if len(at) >= LONG_STRETCH and list(at) == list(budgets[: len(at)]):
        return f"up to {quantity(at[-1])}{label}"
    if len(at) >= LONG_STRETCH and list(at) == list(budgets[-len(at) :]):
        return f"from {quantity(at[0])}{label} on"
    return f"at {join_words(map(quantity, at))}{label}"


def _best_known(curves: Curves, rival: Start) -> LabelSavings | None:
    """Return the label savings at the smallest budget where they are best known; None where they are small or unclear.

    A multiple with both ends is known better than one that leaves what was measured. What is no better than a guess has
    no worth.
    """
    clear = [amount for amount, said in verdicts(curves, rival).items() if said == "helps"]
    saved = [found for amount in clear if (found := savings_against(curves, rival, amount)) is not None]
    telling = [
        one
        for one in saved
        if one.kind != "at most" and one.lower >= NOTABLE_SAVINGS and curves.points["skill"][one.ours, one.amount] > 0
    ]
    closed = [one for one in telling if one.kind == "exactly" and math.isfinite(one.upper)]
    return next(iter(closed or telling), None)


def _times(saved: LabelSavings) -> str:
    if saved.kind == "exactly":
        return f"about {rounded(saved.ratio)} times the labels {_range(saved.lower, saved.upper)}"
    return f"at least {rounded_down(saved.lower)} times the labels"


def _worth(curves: Curves) -> list[str]:
    """Return what pretraining is worth in labels against training from scratch; nothing if little."""
    saved = _best_known(curves, "random")
    if saved is None:
        return []
    ours = f"{strategy_phrase(saved.ours)} with {quantity(saved.amount)} {curves.entry.unit}"
    theirs = strategy_phrase(saved.theirs)
    largest = max(float(str(amount)) for amount in curves.scores(saved.theirs))
    if saved.kind == "exactly":
        example = f"matches {theirs} on about {about(saved.needed)}"
    else:
        clearly = saved.lower * saved.amount >= largest
        example = f"{'beats' if clearly else 'scores above'} {theirs} with {quantity(largest)}"
    return [f"Pretraining is worth {_times(saved)}: {ours} {example}."]


def _classical(curves: Curves) -> list[str]:
    """Return what pretraining brings over a classical model, where that is the harder rival somewhere."""
    compared = verdicts(curves, "nothing")
    if not any(_harder(curves, amount) for amount in compared) or curves.points["n_seeds"].max() < 2:
        return []
    said = f"Over a classical model pretraining {_where(compared, curves.entry.unit)}"
    saved = _best_known(curves, "nothing")
    return [f"{said}." if saved is None else f"{said}; with {quantity(saved.amount)} it is worth {_times(saved)}."]


def _harder(curves: Curves, amount: float) -> bool:
    """Return whether the best rival without a network beats the best one from scratch, if there is one, on average."""
    rivals = [name for name in curves.ranking[amount].index if curves.start(name) != "pretrained"]
    return curves.start(rivals[0]) == "nothing"


def _more_labels(curves: Curves) -> list[str]:
    """Return what twice the labels would bring to the strategy for the largest budget, and how far that may be off."""
    last = curves.scored_budgets[-1]
    found = more_labels(curves, recommended(curves, last))
    if found is None or found.amount != last or math.isnan(found.off):
        return []
    name = strategy_phrase(found.strategy)
    gain = f"Twice the labels would bring {name} from {score(found.measured)} to about {score(found.doubled_score)}"
    return [f"{gain}; the same fit predicted the score with {quantity(last)} {_off(found.off)}."]


def _off(off: float) -> str:
    size = score(abs(off))
    return "as it is" if float(size) == 0 else f"{size} too {'high' if off > 0 else 'low'}"


def _range(lower: float, upper: float) -> str:
    """Return an interval in brackets; an end beyond what was measured is left open."""
    if not math.isfinite(lower):
        return f"[at most {rounded(upper)}]"
    if not math.isfinite(upper):
        return f"[at least {rounded_down(lower)}]"
    return f"[{rounded(lower)}, {rounded(upper)}]"
