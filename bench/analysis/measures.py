"""How each claim about transfer is measured on a pair of strategies, and the rule that decides it.

Everything is paired by seed: the same labels, the same test examples. Intervals are of 95 %, and without one (a single
seed) nothing is decided; a claim is supported where its interval leaves nothing else, and not supported where it leaves
nothing of it. What pretraining itself took, in labels and in seconds, is not counted: it was done once, by others.
"""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

import numpy as np
import pandas as pd

from bench import stats
from bench.analysis.pairs import Pair, Seconds
from bench.analysis.wording import about, capitalised, count, duration, join_words, quantity, rounded, score

Verdict = Literal["supported", "not supported", "not decided"]

ALPHA: Final = 1 - stats.CONFIDENCE


class Found(NamedTuple):
    """A verdict and the sentence that says why."""

    verdict: Verdict
    said: str


class Reached(NamedTuple):
    """The highest score that both strategies reach [n_seeds], and what each took to reach it, in seconds [n_seeds]."""

    goals: pd.Series
    transfer: pd.Series
    scratch: pd.Series


def why_undecided(pair: Pair) -> str:
    """Return why nothing can be said of a pair at all; nothing where something can."""
    n_pairs = max(pair.gains().count(), default=0)
    if n_pairs > 1:
        return ""
    if n_pairs == 1:
        return "One seed has no interval: nothing is decided."
    ours, theirs = pair.titles
    return f"{capitalised(ours)} and {theirs} have no scores of the same seed and labels."


def scores_at_equal_labels(pair: Pair) -> Found:
    """Is transfer better at the same number of labels?

    A paired t test at every budget, with Holm's correction over the budgets. Supported where transfer is clearly better
    at half of the budgets or more and clearly worse at none. Not supported where it is clearly worse at any, or equal
    wherever the two were compared. A budget that was not compared counts as one that is not clear.
    """
    gains = pair.gains()
    p = pd.Series(stats.holm([stats.paired_p(gains[amount]) for amount in gains]), gains.columns)
    clear, means = p <= ALPHA, gains.mean()
    parts = {
        "clearly better": p.index[clear & (means > 0)],
        "clearly worse": p.index[clear & (means < 0)],
        "not clearly different": p.index[p.notna() & ~clear],
        "not compared": p.index[p.isna()],
    }
    equal = bool((gains[p.index[p.notna()]].fillna(0) == 0).all(axis=None))
    verdict: Verdict = "not decided"
    if len(parts["clearly worse"]) or equal:
        verdict = "not supported"
    elif 2 * len(parts["clearly better"]) >= len(p):
        verdict = "supported"
    return Found(verdict, f"{_where(pair, parts)}{_over_budgets(gains[p.index[p.notna()]])}")


def cold_start(pair: Pair) -> Found:
    """Is transfer better at the smallest budget? Decided by the interval of the paired difference."""
    amount = pair.budgets[0]
    ours, theirs = pair.titles
    gain = stats.mean_interval(pair.gains()[amount])
    at = f"With {quantity(amount)} {pair.unit}, the smallest budget, "
    if gain.n_values < 2:
        return Found("not decided", f"{at}{ours} and {theirs} have no two seeds in common.")
    both = pair.gains()[amount].notna()
    means = [float(pair.scores(name)[amount][both].mean()) for name in (pair.transfer, pair.scratch)]
    said = f"{at}{ours} has {score(means[0])} and {theirs} {score(means[1])}: {_ahead(gain)}."
    if all(pair.sign * (mean - pair.chance) <= 0 for mean in means):
        said += f" Neither beats {_guess(pair)}."
    return Found(_decide(gain), said)


def time_to_a_score(pair: Pair) -> Found:
    """Does transfer take less time to a score that both reach?

    For each seed the score is the highest that both reach at some budget, and the time that of the cheapest cell with
    it: own and shared work, as if it had been the only cell. Nothing lies between budgets, so that whoever is ahead is
    timed at a score above the common one, which errs against it. Decided by the t interval of the mean logarithm of
    the ratio. Times on unlike machines are not compared.
    """
    seconds = pair.seconds()
    ours, theirs = pair.titles
    if len(seconds.machines) > 1:
        return Found("not decided", f"Cells were timed on {len(seconds.machines)} unlike machines.")
    reached = _first_reached(pair, seconds)
    if len(reached.goals) < 2:
        return Found("not decided", f"{capitalised(ours)} and {theirs} have no two seeds with every budget.")
    goal = float(reached.goals.mean())
    if pair.sign * (goal - pair.chance) <= 0:
        return Found("not decided", f"What both reach, {score(goal)}, does not beat {_guess(pair)}.")
    ratio = _exponential(stats.mean_interval(np.log(reached.transfer / reached.scratch)))
    verdict = _decide(stats.Estimate(1 - ratio.mean, 1 - ratio.upper, 1 - ratio.lower, ratio.n_values))
    took = [duration(float(np.exp(np.log(spent).mean()))) for spent in (reached.transfer, reached.scratch)]
    return Found(
        verdict,
        f"Both reach {score(goal)}, {ours} after {took[0]} and {theirs} after {took[1]} of own and shared work: "
        f"{rounded(ratio.mean)} times as long [{rounded(ratio.lower)}, {rounded(ratio.upper)}].",
    )


def labels_to_a_score(pair: Pair) -> Found:
    """Does transfer need fewer labels for what scratch reaches with all of them?

    See `bench.stats.label_savings_over_seeds` for the interval; nothing is read beyond the measured budgets. Decided by
    whether the interval of the labels needed, as a share of all, lies below 1.
    """
    curve, rival = pair.scores(pair.transfer), pair.scores(pair.scratch)
    amount = float(rival.columns[rival.notna().any()].max())
    reached = float(rival[amount].mean())
    ours, theirs = pair.titles
    if int(curve.notna().any().sum()) < 2:
        return Found("not decided", f"{capitalised(ours)} has one budget, which says nothing of fewer labels.")
    if pair.sign * (reached - pair.chance) <= 0:
        return Found("not decided", f"What {theirs} reaches, {score(reached)}, does not beat {_guess(pair)}.")
    saved = stats.label_savings_over_seeds(
        rival[amount], amount, n_labels=curve.columns, theirs=curve, higher_is_better=pair.sign > 0
    )
    assert saved is not None, "both have scores"
    verdict: Verdict = "not decided"
    if saved.upper < 1:
        verdict = "supported"
    elif saved.lower >= 1:
        verdict = "not supported"
    return Found(verdict, _saved_sentence(pair, saved, reached, amount))


def scores_under_shift(pair: Pair) -> Found:
    """Does transfer score better on test data under shift, at equal labels?

    At the largest budget where both plainly beat chance on the plain test data (their intervals lie above it) and both
    have scores under shift. Decided by the paired difference of the mean score over the shifts, not by how far each
    falls: a model without skill has none to lose. The fall of skill is said beside it.
    """
    if pair.shifts.empty:
        return Found("not decided", "No scores under shift were taken.")
    names = (pair.transfer, pair.scratch)
    for amount in reversed(pair.budgets):
        skills = [pair.skills(name)[amount] for name in names]
        shifted = pair.shifted(amount)
        if shifted is not None and all(stats.mean_interval(skill).lower > 0 for skill in skills):
            break
    else:
        return Found("not decided", f"With no number of {pair.unit} do both, scored under shift, beat {_guess(pair)}.")
    gain = stats.mean_interval(pair.sign * (shifted.transfer["score"] - shifted.scratch["score"]))
    if gain.n_values < 2:
        return Found("not decided", "Scores under shift are of one seed, which has no interval.")
    falls = [
        plain.loc[table.index] - table["skill"]
        for plain, table in zip(skills, (shifted.transfer, shifted.scratch), strict=True)
    ]
    less = stats.mean_interval(falls[1] - falls[0])
    ours, theirs = pair.titles
    return Found(
        _decide(gain),
        f"With {quantity(amount)} {pair.unit}, under shift ({join_words(shifted.names)}), {ours} scores "
        f"{score(shifted.transfer['score'].mean())} and {theirs} {score(shifted.scratch['score'].mean())}: "
        f"{_ahead(gain)}. Skill falls by {score(falls[0].mean())} and {score(falls[1].mean())}: {_ahead(less)}.",
    )


def _where(pair: Pair, parts: Mapping[str, pd.Index]) -> str:
    """Return at which budgets transfer is better, worse, or neither."""
    ours, theirs = pair.titles
    said = join_words(f"{side} at {join_words(map(quantity, at))}" for side, at in parts.items() if len(at))
    n_compared = sum(len(at) for side, at in parts.items() if side != "not compared")
    corrected = f", with Holm's correction over {count(n_compared)} budgets" if n_compared > 1 else ""
    return f"Against {theirs}, {ours} is {said} {pair.unit}{corrected}."


def _over_budgets(gains: pd.DataFrame) -> str:
    """Return the mean gain over budgets, of the seeds that have them all; nothing with one budget or one such seed."""
    gain = stats.mean_interval(gains.mean(axis="columns", skipna=False))
    several = len(gains.columns) > 1 and gain.n_values > 1
    return f" On average over these budgets it is {_ahead(gain)}." if several else ""


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


def _ahead(gain: stats.Estimate) -> str:
    """Return a gain with its interval as "better by" or "worse by", whatever the direction of the score."""
    if gain.mean == gain.lower == gain.upper == 0:
        return "exactly equal"
    side, mean, lower, upper = "better", gain.mean, gain.lower, gain.upper
    if gain.mean < 0:
        side, mean, lower, upper = "worse", -gain.mean, -gain.upper, -gain.lower
    return f"{side} by {score(mean)} [{score(lower)}, {score(upper)}]"


def _decide(gain: stats.Estimate) -> Verdict:
    """Return the verdict of an interval of a gain: nothing that it leaves is a loss, or a gain."""
    if gain.lower > 0:
        return "supported"
    return "not supported" if gain.upper <= 0 else "not decided"


def _exponential(logarithm: stats.Estimate) -> stats.Estimate:
    mean, lower, upper = (float(np.exp(end)) for end in logarithm[:3])
    return stats.Estimate(mean, lower, upper, logarithm.n_values)


def _guess(pair: Pair) -> str:
    return f"a guess that learns nothing ({pair.curves.entry.baseline} {score(pair.chance)})"
