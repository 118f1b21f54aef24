"""How each claim about transfer is measured on a pair of strategies: a test, and a sentence with its numbers.

Everything is paired by seed and test examples. What is measured is a gain of transfer with its p-value; whether that
supports the claim is decided for all claims of a page together (see `bench.analysis.claims`). What pretraining itself
took, in labels and in seconds, is not counted: it was done once, by others.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from bench import stats
from bench.analysis.pairs import Pair, Seconds
from bench.analysis.wording import about, capitalised, count, duration, join_words, quantity, rounded, score

SHOWN: Final = 0.001  # the last digit of a score that is written


class Found(NamedTuple):
    """What was measured: a sentence, and the test that decides; `p` is nan where nothing can.

    `gain` is above 0 where transfer is ahead, whatever it is counted in. `equal` says that it is 0, and so are both
    ends of its interval as written: no test shows more clearly that there is none. `open_because` says why a gain does
    not support the claim however clear it is, if anything does.
    """

    said: str
    gain: float = float("nan")
    p: float = float("nan")
    equal: bool = False
    open_because: str = ""


class Reached(NamedTuple):
    """The highest score that both strategies reach [n_seeds], and what each took to reach it, in seconds [n_seeds]."""

    goals: pd.Series
    transfer: pd.Series
    scratch: pd.Series


def why_undecided(pair: Pair) -> str:
    """Return why nothing can be said of a pair at all; nothing where something can."""
    gains = [pair.gain(amount) for amount in pair.budgets]
    n_pairs = max(map(len, gains), default=0)
    if any(stats.contrast(gain).known for gain in gains):
        return ""
    if n_pairs == 1:
        return "One seed says nothing of other label budgets: nothing is decided."
    if n_pairs:
        return f"The test split has fewer than {stats.FEWEST_BLOCKS} independent parts: nothing is decided."
    ours, theirs = pair.titles
    return f"{capitalised(ours)} and {theirs} have no scores of the same seed and labels."


def scores_at_equal_labels(pair: Pair) -> Found:
    """Is transfer better at the same number of labels?

    The mean gain over the budgets that both have decides, weighted as in the area under a learning curve. Where single
    budgets are clear is told beside it, with Holm's correction over them. A model that does not clearly beat the
    baseline with the most labels supports nothing.
    """
    gains = {amount: pair.gain(amount) for amount in pair.budgets}
    compared = {amount: gain for amount, gain in gains.items() if stats.contrast(gain).known}
    mean = stats.contrast(stats.area_of_replicates(list(compared), list(compared.values())))
    said = _where(pair, gains)
    if len(compared) > 1 and mean.known:
        said += f" On average over these budgets it is {_ahead(mean)}."
    return Found(said, mean.mean, mean.p, _equal(mean), _no_better_than_a_guess(pair, max(compared)))


def cold_start(pair: Pair) -> Found:
    """Is transfer better at the smallest budget, and better than the baseline there?"""
    amount = pair.budgets[0]
    ours, theirs = pair.titles
    gain = pair.gain(amount)
    found = stats.contrast(gain)
    at = f"With {quantity(amount)} {pair.unit}, the smallest budget, "
    if not found.known:
        return Found(f"{at}{ours} and {theirs} have no two seeds in common.")
    means = [pair.mean(name, amount, gain.seeds) for name in (pair.transfer, pair.scratch)]
    said = f"{at}{ours} has {score(means[0])} and {theirs} {score(means[1])}: {_ahead(found)}."
    if all(pair.sign * (mean - pair.chance) <= 0 for mean in means):
        said += f" Neither beats {_guess(pair)}."
    return Found(said, found.mean, found.p, _equal(found), _no_better_than_a_guess(pair, amount))


def time_to_a_score(pair: Pair) -> Found:
    """Does transfer take less time to a score that both reach, with as many steps at each budget?

    For each seed the score is the highest that both reach at some budget, and the time that of the cheapest cell with
    it: own and shared work, without loading. Nothing lies between budgets, so that whoever is ahead is
    timed at a score above the common one, which errs against it. Decided by the t test of the mean logarithm of the
    ratio. Times on unlike machines are not compared, nor those of recipes that give one of the two more steps: they
    would say what the recipes say.
    """
    seconds = pair.seconds()
    ours, theirs = pair.titles
    if len(seconds.machines) > 1:
        return Found(f"Cells were timed on {len(seconds.machines)} unlike machines.")
    if more := pair.other_steps():
        return Found(f"Their recipes take unlike numbers of steps, {more}: their times say nothing else.")
    reached = _first_reached(pair, seconds)
    if len(reached.goals) < 2:
        return Found(f"{capitalised(ours)} and {theirs} have no two seeds with every budget.")
    goal = float(reached.goals.mean())
    if pair.sign * (goal - pair.chance) <= 0:
        return Found(f"What both reach, {score(goal)}, does not beat {_guess(pair)}.")
    logs = np.log(reached.transfer / reached.scratch)
    found = stats.student(logs)
    lower, upper = found.interval()
    took = [duration(float(np.exp(np.log(spent).mean()))) for spent in (reached.transfer, reached.scratch)]
    ratio, low, high = (rounded(float(np.exp(end))) for end in (found.mean, lower, upper))
    return Found(
        f"Both reach {score(goal)}, {ours} after {took[0]} and {theirs} after {took[1]} of own and shared work: "
        f"{ratio} times as long [{low}, {high}].",
        -found.mean,
        found.p,
        _equal(found),
    )


def labels_to_a_score(pair: Pair) -> Found:
    """Does transfer need fewer labels for what scratch reaches with all of them?

    See `bench.stats.savings_of_replicates` for the interval; nothing is read beyond the measured budgets. It does where
    it is ahead of that score with as many labels, since its curve then passes the score before, and does not where it
    is behind.
    """
    amount = max((one for one in pair.budgets if len(pair.replicates(pair.scratch, one))), default=pair.budgets[-1])
    rival = pair.replicates(pair.scratch, amount)
    budgets = [one for one in pair.budgets if len(pair.replicates(pair.transfer, one))]
    ours, theirs = pair.titles
    if len(budgets) < 2:
        return Found(f"{capitalised(ours)} has one budget, which says nothing of fewer labels.")
    reached = float(rival.values.mean())
    if pair.sign * (reached - pair.chance) <= 0:
        return Found(f"What {theirs} reaches, {score(reached)}, does not beat {_guess(pair)}.")
    curve = [pair.replicates(pair.transfer, one) for one in budgets]
    saved = stats.savings_of_replicates(rival, amount, n_labels=budgets, theirs=curve, higher_is_better=pair.sign > 0)
    assert saved is not None, "both have scores"
    last = max((one for one in budgets if one <= amount), default=budgets[0])
    decides = stats.contrast(stats.combine([pair.replicates(pair.transfer, last), rival], [pair.sign, -pair.sign]))
    return Found(_saved_sentence(pair, saved, reached, amount), decides.mean, decides.p, _equal(decides))


def scores_under_shift(pair: Pair) -> Found:
    """Does transfer score better on test data under shift, at equal labels?

    At the largest budget where both clearly beat the baseline on the plain test data and both have scores under shift.
    Decided by the difference of the mean score over the shifts, not by how far each falls: a model without skill has
    none to lose. The fall of the mean score is said beside it.
    """
    if pair.shifts.empty:
        return Found("No scores under shift were taken.")
    names = (pair.transfer, pair.scratch)
    for amount in reversed(pair.budgets):
        shared = pair.shared_shifts(amount)
        if shared and all(pair.beats_baseline(name, amount) for name in names):
            break
    else:
        return Found(f"With no number of {pair.unit} do both, scored under shift, beat {_guess(pair)}.")
    gains = [pair.shifted_gain(amount, shift) for shift in shared]
    found = stats.mean_of_dependent([stats.contrast(gain) for gain in gains])
    if not found.known:
        return Found("Scores under shift are of one seed, or of too few independent parts of the test split.")
    means = [np.mean([pair.shifted(name, amount, shift).values.mean() for shift in shared]) for name in names]
    falls = [pair.sign * (pair.mean(name, amount) - mean) for name, mean in zip(names, means, strict=True)]
    ours, theirs = pair.titles
    return Found(
        f"With {quantity(amount)} {pair.unit}, under shift ({join_words(shared)}), {ours} scores "
        f"{score(means[0])} and {theirs} {score(means[1])}: {_ahead(found)}. "
        f"They fall by {score(falls[0])} and {score(falls[1])}.",
        found.mean,
        found.p,
        _equal(found),
    )


def _no_better_than_a_guess(pair: Pair, amount: float) -> str:
    """Return why a gain with so many labels supports nothing: transfer does not clearly beat the baseline."""
    if pair.beats_baseline(pair.transfer, amount):
        return ""
    return f"{capitalised(pair.titles[0])} does not clearly beat {_guess(pair)} with {quantity(amount)} {pair.unit}."


def _where(pair: Pair, gains: Mapping[float, stats.Replicates]) -> str:
    """Return at which budgets transfer is clearly better, clearly worse, or neither."""
    ours, theirs = pair.titles
    found = {amount: stats.contrast(gain) for amount, gain in gains.items()}
    adjusted = dict(zip(found, stats.holm([one.p for one in found.values()]), strict=True))
    parts: dict[str, list[float]] = {
        "clearly better": [],
        "clearly worse": [],
        "not clearly different": [],
        "not compared": [],
    }
    for amount, one in found.items():
        clear = "clearly better" if one.mean > 0 else "clearly worse"
        side = clear if adjusted[amount] <= 1 - stats.CONFIDENCE else "not clearly different"
        parts[side if one.known else "not compared"].append(amount)
    said = join_words(f"{side} at {join_words(map(quantity, at))}" for side, at in parts.items() if at)
    n_compared = sum(one.known for one in found.values())
    corrected = f", with Holm's correction over {count(n_compared)} budgets" if n_compared > 1 else ""
    return f"Against {theirs}, {ours} is {said} {pair.unit}{corrected}."


def _first_reached(pair: Pair, seconds: Seconds) -> Reached:
    """Return what is reached when, of the seeds that have all budgets which both strategies have."""
    ours, theirs = (pair.sign * pair.scores(name) for name in (pair.transfer, pair.scratch))
    shared = ours.columns[ours.notna().any() & theirs.notna().any()]
    whole = (ours[shared].notna() & theirs[shared].notna()).all(axis="columns")
    ours, theirs = ours.loc[whole, shared], theirs.loc[whole, shared]
    best = theirs.max(axis="columns")
    goals = ours.max(axis="columns").where(lambda reached: reached < best, best)
    spent = (
        table.loc[whole, shared].where(curve.ge(goals, axis="index")).min(axis="columns")
        for curve, table in ((ours, seconds.transfer), (theirs, seconds.scratch))
    )
    return Reached(pair.sign * goals, *spent)


def _saved_sentence(pair: Pair, saved: stats.Savings, reached: float, amount: float) -> str:
    """Return what transfer needs for a score that scratch reaches, and what that makes scratch's labels worth."""
    ours, theirs = pair.titles
    start = f"What {theirs} reaches with {quantity(amount)} {pair.unit} ({score(reached)}), {ours} "
    if saved.kind == "at least":
        clearly = "" if saved.lower >= 1 else ", though not clearly"
        return f"{start}does not reach with {quantity(saved.n_labels)}{clearly}."
    within = _ends(1 / saved.upper, 1 / saved.lower if saved.lower > 0 else -saved.lower)
    worth = f"pretraining is worth {rounded(1 / saved.ratio)} times the labels"
    if saved.kind == "at most":
        return f"{start}exceeds with {quantity(saved.n_labels)}: {worth} or more{within}."
    return f"{start}reaches with about {about(saved.n_labels)}: {worth}{within}."


def _ends(lower: float, upper: float) -> str:
    """Return the interval of a ratio in brackets: 0 and inf are open ends, beyond what was measured; nan is none."""
    if np.isnan(lower) or np.isnan(upper):
        return ""
    if lower == 0:
        return " [open at both ends]" if np.isinf(upper) else f" [{rounded(upper)} or less]"
    return f" [{rounded(lower)} or more]" if np.isinf(upper) else f" [{rounded(lower)}, {rounded(upper)}]"


def _ahead(gain: stats.Uncertainty) -> str:
    """Return a gain with its interval as "better by" or "worse by", whatever the direction of the score."""
    lower, upper = gain.interval()
    if _equal(gain):
        return "exactly equal"
    if gain.mean < 0:
        return f"worse by {score(-gain.mean)} [{score(-upper)}, {score(-lower)}]"
    return f"better by {score(gain.mean)} [{score(lower)}, {score(upper)}]"


def _equal(gain: stats.Uncertainty) -> bool:
    """Return whether a gain is 0, and its interval too as it is written; what differs by rounding does not differ."""
    return abs(gain.mean) <= stats.ROUNDING and gain.margin() < SHOWN / 2


def _guess(pair: Pair) -> str:
    return f"a guess that learns nothing ({pair.curves.entry.baseline} {score(pair.chance)})"
