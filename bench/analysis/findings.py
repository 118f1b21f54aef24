"""What a report says of one task in words: what to use, from where another wins, what pretraining is worth."""

import math
from collections.abc import Mapping, Sequence
from typing import Final

from bench import stats
from bench.analysis.advice import Advice, advise
from bench.analysis.curves import Curves
from bench.analysis.extrapolation import MoreLabels
from bench.analysis.horizontal import Crossover, LabelSavings, beats_baseline, crossover_of, savings_against
from bench.analysis.verdicts import Verdict, Verdicts, tolerance_of
from bench.analysis.wording import (
    about,
    capitalised,
    counted,
    join_words,
    quantity,
    rounded,
    rounded_down,
    rounded_up,
    score,
    score_with_margin,
    strategy_phrase,
)
from bench.strategy import Start

METHOD: Final = (
    "± is half of the 95 % interval of a mean score; brackets hold 95 % intervals. They hold for other label budgets "
    "drawn from the same training data, which seeds tell of, and for other test examples like these, which "
    "independent parts of the test split tell of; where each seed is tested on a fold of its own, folds tell of both. "
    "A strategy is “enough” where no other is better by the tolerance or more, with 95 % confidence: one point of "
    "accuracy, or one hundredth of the way from the baseline to a perfect score. Pretraining “helps” or “hurts” where "
    "its best strategy is clearly better or worse, corrected for all comparisons of the page and for how many "
    "strategies there were to choose the best from. Numbers of labels between budgets are read off the learning "
    "curves; their intervals invert the test. Nothing is read beyond the largest budget but what is said of twice the "
    "labels, by a power law with an offset."
)
NOTABLE_SAVINGS: Final = 1.05  # below that a sentence about label savings would say nothing
DECIDED: Final = frozenset({"best", "enough"})  # kinds of advice
DECIDED_ON: Final[tuple[Verdict, ...]] = ("helps", "makes no difference", "hurts")
LONG_STRETCH: Final = 3  # as many budgets in a row are not told one by one


def sentences(curves: Curves, verdicts: Verdicts, forecasts: Sequence[MoreLabels] = ()) -> list[str]:
    """Return the answer for one task and backbone in plain sentences, each true of what was measured.

    `verdicts` are those of the page, `forecasts` what more labels would bring to the strategies.
    """
    if not curves.scored_budgets:
        return []
    return [
        *_behind_baseline(curves),
        *_no_interval(curves),
        *_advice(curves),
        *_transfer(curves, verdicts),
        *_worth(curves, verdicts),
        *_classical(curves, verdicts),
        *_more_labels(curves, forecasts),
    ]


def headline(curves: Curves, verdicts: Verdicts) -> str | None:
    """Return the finding that a chart is titled with, if any: the worth of pretraining, or whether it helps."""
    saved = None if "hurts" in verdicts.of(curves).values() else _best_known(curves, verdicts, "random")
    return next(iter([*([_worth_told(curves, saved)] if saved else []), *_transfer(curves, verdicts)]), None)


def _no_interval(curves: Curves) -> list[str]:
    """Return why nothing is said of other test examples, where that is so."""
    measured = [one for one in curves.measured.values() if len(one)]
    if not measured or has_intervals(curves):
        return []
    nothing = "to say how scores on other test examples would differ: nothing here has an interval or is decided"
    if curves.entry.card.folds > 1:
        return [f"One of {curves.entry.card.folds} folds was tested, and it takes two {nothing}."]
    n_blocks = max(one.moved.shape[1] for one in measured)
    parts = counted(n_blocks, "independent part") if n_blocks else "no independent parts that can be left out in turn"
    return [f"The test split has {parts}, and it takes {stats.FEWEST_BLOCKS} {nothing}."]


def has_intervals(curves: Curves) -> bool:
    """Return whether any score has an interval: with one fold, or with few parts of the test split, none has."""
    return any(stats.uncertainty(one).known for one in curves.measured.values() if len(one))


def _behind_baseline(curves: Curves) -> list[str]:
    """Return which strategies are not better on average than what learns nothing, and at which budgets.

    Of several trivial baselines the best one on the test examples is what they are held against: it need not be the
    one that stands for no skill, which was chosen without a look at them.
    """
    by_budgets: dict[tuple[float, ...], list[str]] = {}
    for name in curves.by_cost:
        behind = tuple(amount for amount in curves.scored_budgets if _is_behind(curves, name, amount))
        if behind:
            by_budgets.setdefault(behind, []).append(strategy_phrase(name))
    if not by_budgets:
        return []
    parts = []
    for behind, names in by_budgets.items():
        at = f"with {join_words(map(quantity, behind))} {curves.entry.unit}"
        everywhere = list(behind) == curves.scored_budgets and len(behind) > 1
        parts.append(f"{join_words(names)} {'at any budget' if everywhere else at}")
    return [f"{_baseline_told(curves)} is not beaten by {'; '.join(parts)}."]


def _is_behind(curves: Curves, strategy: str, amount: float) -> bool:
    """Return whether the mean of a strategy is not above that of the best trivial baseline on the same examples."""
    scores = curves.replicates(strategy, amount)
    hardest = curves.hardest_baseline(strategy, amount)
    if not len(scores) or not len(hardest.measured):
        return False
    gain = stats.combine([scores, hardest.measured], [1.0, -1.0]).values.mean() * curves.entry.metric.direction
    return not gain > 0


def _baseline_told(curves: Curves) -> str:
    """Return what learns nothing and is hardest to beat, as the subject of a sentence."""
    zero = f"{curves.entry.baseline}, {score(float(curves.points['chance'].mean()))}"
    strategy, amount = next(iter(curves.measured))
    hardest = curves.hardest_baseline(strategy, amount)
    if hardest.title in {"", curves.entry.baseline}:
        return f"The baseline, which learns nothing ({zero}),"
    found = f"{hardest.title}, {score(float(hardest.measured.values.mean()))}"
    return f"The best of what learns nothing ({found}; the baseline is {zero})"


def _advice(curves: Curves) -> list[str]:
    """Return what to use with the fewest labels, and with the most."""
    first, last = curves.scored_budgets[0], curves.scored_budgets[-1]
    if first == last:
        return [_use(curves, first)]
    before, after = advise(curves, first), advise(curves, last)
    compared = min(len(curves.ranking[amount]) for amount in (first, last)) > 1
    if compared and before.strategy == after.strategy and before.kind == after.kind == "best":
        ends = [_scored(curves, before.strategy, amount) for amount in (first, last)]
        at = f"With {quantity(first)} and with {quantity(last)} {curves.entry.unit}"
        return [f"{at}, use {strategy_phrase(before.strategy)}: {join_words(ends)}."]
    said = [_use(curves, first)]
    clear = before.kind in DECIDED and after.kind in DECIDED and before.strategy != after.strategy
    crossed = crossover_of(curves, after.strategy, before.strategy) if clear else None
    if crossed is None or crossed.kind != "from" or not math.isfinite(crossed.upper):
        return [*said, _use(curves, last)]
    return [*said, _turn(curves, crossed, after, last)]


def _scored(curves: Curves, strategy: str, amount: float) -> str:
    here = curves.ranking[amount]
    return score_with_margin(here["mean"][strategy], here["margin"][strategy])


def _use(curves: Curves, amount: float) -> str:
    """Return what to use at a budget, and whether that is decided."""
    start = f"With {quantity(amount)} {curves.entry.unit}, "
    if not (curves.ranking[amount]["skill"] > 0).any():
        return f"{start}nothing beats the baseline."
    found = advise(curves, amount)
    phrase, said = strategy_phrase(found.strategy), _scored(curves, found.strategy, amount)
    if len(curves.ranking[amount]) == 1:
        return f"{start}{phrase} is the only strategy with a score: {said}."
    if found.kind == "best":
        return f"{start}use {phrase}: {said}."
    if found.kind == "enough":
        return f"{start}{phrase} is enough: {said}{_no_better(curves, found, amount)}."
    against = join_words(strategy_phrase(name) for name in found.others)
    if found.kind == "highest mean":
        return f"{start}{phrase} has the best mean: {said}. Whether it beats {against} is not decided{_wanted(found)}."
    leader = f"{strategy_phrase(found.leader)} has the best mean ({_scored(curves, found.leader, amount)})"
    least = ", the least that these test examples can tell" if found.tolerance > tolerance_of(curves) else ""
    return (
        f"{start}{leader}; {phrase} ({said}) is cheaper and behind by less than {rounded_up(found.tolerance)}{least}. "
        f"Whether it is as good as {against} is not decided{_wanted(found)}."
    )


def _no_better(curves: Curves, found: Advice, amount: float) -> str:
    """Return by how much others may be better than a strategy that is enough."""
    tolerance = rounded_up(found.tolerance)
    if found.strategy == found.leader:
        return f"; no other is better by {tolerance} or more"
    leader = f"{strategy_phrase(found.leader)} ({score(float(curves.ranking[amount]['mean'].iloc[0]))})"
    return f"; {leader} is better by less than {tolerance}"


def _wanted(found: Advice) -> str:
    return f": {found.wanted} would decide" if found.wanted else ""


def _turn(curves: Curves, crossed: Crossover, after: Advice, last: float) -> str:
    """Return from how many labels on the strategy for the largest budget beats that for the smallest."""
    start = f"From about {about(crossed.amount)} {_range(crossed.lower, crossed.upper)} {curves.entry.unit} on, "
    enough = _no_better(curves, after, last) if after.kind == "enough" else ""
    reached = f"{_scored(curves, crossed.ours, last)} with {quantity(last)}"
    return f"{start}{strategy_phrase(crossed.ours)} beats it: {reached}{enough}."


def _transfer(curves: Curves, verdicts: Verdicts) -> list[str]:
    """Return at which budgets pretraining helps against training from scratch."""
    compared = verdicts.of(curves)
    if not compared:
        return []
    if curves.points["n_seeds"].max() < 2:
        return ["One seed cannot tell whether pretraining helps."]
    return [f"{capitalised(_where(compared, curves.entry.unit))}."]


def _where(compared: Mapping[float, Verdict], unit: str) -> str:
    """Return at which budgets pretraining helps, hurts, makes no difference or is not decided, as a clause."""
    budgets = list(compared)
    open_ = [amount for amount, said in compared.items() if said == "not decided"]
    if len(open_) == len(budgets):
        return f"it is not decided {'at any budget ' if len(budgets) > 1 else ''}whether pretraining helps"
    parts: list[str] = []
    for said in DECIDED_ON:
        at = [amount for amount, one in compared.items() if one == said]
        if len(at) == len(budgets) > 1:
            return f"pretraining {said} at every budget"
        if at:
            parts.append(f"{said} {_stretch(at, budgets, '' if parts else f' {unit}')}")
    undecided = f"; {_stretch(open_, budgets, '')} it is not decided" if open_ else ""
    return f"pretraining {join_words(parts)}{undecided}"


def _stretch(at: Sequence[float], budgets: Sequence[float], label: str) -> str:
    """Return some of the budgets in words: three or more at either end are said as "up to" or "from ... on"."""
    if len(at) >= LONG_STRETCH and list(at) == list(budgets[: len(at)]):
        return f"up to {quantity(at[-1])}{label}"
    if len(at) >= LONG_STRETCH and list(at) == list(budgets[-len(at) :]):
        return f"from {quantity(at[0])}{label} on"
    return f"at {join_words(map(quantity, at))}{label}"


def _best_known(curves: Curves, verdicts: Verdicts, rival: Start) -> LabelSavings | None:
    """Return the label savings at the smallest budget where they are best known; None where they are small or unclear.

    A multiple with both ends is known better than one that leaves what was measured. What is no better than a guess has
    no worth, and a rival that learned nothing is none (see `bench.analysis.horizontal`).
    """
    clear = [amount for amount, said in verdicts.of(curves, rival).items() if said == "helps"]
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


def _worth(curves: Curves, verdicts: Verdicts) -> list[str]:
    """Return what pretraining is worth in labels against training from scratch; nothing if little."""
    saved = _best_known(curves, verdicts, "random")
    return _no_rival(curves, verdicts) if saved is None else [_worth_told(curves, saved)]


def _worth_told(curves: Curves, saved: LabelSavings) -> str:
    ours = f"{strategy_phrase(saved.ours)} with {quantity(saved.amount)} {curves.entry.unit}"
    theirs = strategy_phrase(saved.theirs)
    largest = curves.labelled_budgets(saved.theirs)[-1]
    if saved.kind == "exactly":
        example = f"matches {theirs} on about {about(saved.needed)}"
    else:
        clearly = saved.lower * saved.amount >= largest
        example = f"{'beats' if clearly else 'scores above'} {theirs} with {quantity(largest)}"
    return f"Pretraining is worth {_times(saved)}: {ours} {example}."


def _no_rival(curves: Curves, verdicts: Verdicts) -> list[str]:
    """Return that training from scratch learned nothing, where that is so: then there are no savings to tell."""
    scratch = [name for name in curves.by_cost if curves.start(name) == "random"]
    known = any(stats.uncertainty(curves.over_baseline(name, curves.scored_budgets[-1])).known for name in scratch)
    if not verdicts.of(curves) or not known or any(beats_baseline(curves, name) for name in scratch):
        return []
    never = "none of them ever" if len(scratch) > 1 else "it never"
    names = join_words(map(strategy_phrase, scratch))
    return [f"What pretraining is worth in labels of {names} is not told: {never} clearly beats the baseline here."]


def _classical(curves: Curves, verdicts: Verdicts) -> list[str]:
    """Return what pretraining brings over a classical model, where that is the harder rival somewhere."""
    compared = verdicts.of(curves, "nothing")
    if not any(_harder(curves, amount) for amount in compared) or curves.points["n_seeds"].max() < 2:
        return []
    said = f"Over a classical model {_where(compared, curves.entry.unit)}."
    saved = _best_known(curves, verdicts, "nothing")
    if saved is None:
        return [said]
    at = f"With {quantity(saved.amount)} {curves.entry.unit} pretraining is worth"
    return [said, f"{at} {_times(saved)} of a classical model."]


def _harder(curves: Curves, amount: float) -> bool:
    """Return whether the best rival without a network beats the best one from scratch, if there is one, on average."""
    rivals = [name for name in curves.ranking[amount].index if curves.start(name) != "pretrained"]
    return curves.start(rivals[0]) == "nothing"


def _more_labels(curves: Curves, forecasts: Sequence[MoreLabels]) -> list[str]:
    """Return what twice the labels would bring to the strategy for the largest budget, where a gain is clear."""
    last = curves.scored_budgets[-1]
    strategy = advise(curves, last).strategy
    found = next((one for one in forecasts if one.strategy == strategy and one.amount == last), None)
    if found is None or not found.gain_lower > 0:
        return []
    name = strategy_phrase(found.strategy)
    better = "better" if curves.entry.metric.higher_is_better else "lower"
    gain = f"{better} by {score(found.gain)} [{score(found.gain_lower)}, {score(found.gain_upper)}]"
    reached = f"from {score(found.measured)} to about {score(found.doubled_score)}"
    return [f"Twice the labels would bring {name} {reached}, {gain}."]


def _range(lower: float, upper: float) -> str:
    """Return an interval in brackets; an end beyond what was measured is left open."""
    if not math.isfinite(lower):
        return f"[at most {rounded(upper)}]"
    if not math.isfinite(upper):
        return f"[at least {rounded_down(lower)}]"
    return f"[{rounded(lower)}, {rounded(upper)}]"
