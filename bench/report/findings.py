"""Owns what a report says in words: who leads at which budget, whether transfer helps, what it is worth in labels."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import pandas as pd

from bench import stats
from bench.cell import ALL_STREAMS
from bench.report.tables import Tables
from bench.report.wording import (
    about,
    capitalised,
    count,
    listed,
    rounded,
    score,
    score_with_margin,
    strategy_title,
)
from bench.store import TaskEntry

Verdict = Literal["helps", "hurts", "makes no clear difference"]

NOTABLE_SAVINGS: Final = 1.05  # below that a sentence about label savings would say nothing


@dataclass(frozen=True, slots=True)
class Curves:
    """The learning curves of one task and backbone.

    `points` has the columns of `bench.report.tables.average_seeds`, indexed by strategy and number of labels; `seeds` a
    row per seed and a column per (strategy, number of labels). `ranking` has for each number of labels the strategies
    with a score, best first. Budgets at which nothing was ever scored are left out: their size is not known.
    """

    entry: TaskEntry
    backbone: str
    pretrained: Mapping[str, bool]
    points: pd.DataFrame
    seeds: pd.DataFrame
    ranking: Mapping[int, pd.DataFrame]

    @property
    def budgets(self) -> list[int]:
        """The numbers of labels, rising."""
        return list(self.ranking)

    def advantage(self, ours: str, theirs: str, n_labels: int) -> stats.Difference:
        """Return how much better one strategy is than another, above 0 where it is; paired by seed."""
        sign = 1.0 if self.entry.metric.higher_is_better else -1.0
        return stats.paired_difference(sign * self.seeds[ours, n_labels], sign * self.seeds[theirs, n_labels])

    def leader(self, n_labels: int, *, pretrained: bool) -> str | None:
        """Return the best strategy at a budget among those with, or without, pretrained weights."""
        return next((name for name in self.ranking[n_labels].index if self.pretrained[name] == pretrained), None)


def find_curves(tables: Tables) -> dict[str, list[Curves]]:
    """Return the learning curves of every task, one for each of its backbones."""
    return {task: _curves_of(tables, task) for task in tables.manifest.tasks}


def _curves_of(tables: Tables, task: str) -> list[Curves]:
    manifest = tables.manifest
    budgets = tables.curves.loc[tables.curves["task"] == task].dropna(subset="n_labels")
    # Two fractions of a small task can be the same budget; the larger fraction speaks for it.
    budgets = budgets.drop_duplicates(["backbone", "strategy", "n_labels"], keep="last")
    budgets = budgets.astype({"n_labels": int, "strategy": "object"})
    ordinary = (tables.cells["task"] == task) & (tables.cells["varied"] == ALL_STREAMS)
    cells = tables.cells.loc[ordinary, ["backbone", "strategy", "fraction", "seed", "score"]]
    cells = cells.astype({"strategy": "object"}).merge(budgets[["backbone", "strategy", "fraction", "n_labels"]])
    found = []
    for backbone in [name for name in manifest.backbones if name in set(budgets["backbone"])]:
        points = budgets[budgets["backbone"] == backbone]
        seeds = cells[cells["backbone"] == backbone].set_index(["seed", "strategy", "n_labels"])["score"]
        found.append(
            Curves(
                entry=manifest.tasks[task],
                backbone=backbone,
                pretrained={name: entry.pretrained for name, entry in manifest.strategies.items()},
                points=points.set_index(["strategy", "n_labels"]),
                seeds=seeds.unstack(["strategy", "n_labels"]),  # noqa: PD010 - a series has no pivot_table
                ranking=_ranking(points, manifest.tasks[task]),
            )
        )
    return found


def _ranking(points: pd.DataFrame, entry: TaskEntry) -> dict[int, pd.DataFrame]:
    ordered = points.sort_values("mean", ascending=not entry.metric.higher_is_better, kind="stable")
    return {
        int(str(n_labels)): here[here["mean"].notna()].set_index("strategy")
        for n_labels, here in ordered.groupby("n_labels", sort=True)
    }


def tied_with_best(curves: Curves, n_labels: int) -> list[str]:
    """Return the best strategy at a budget and those it cannot be told from: the interval of the difference holds zero.

    With one seed there are no intervals, and only equal scores tie.
    """
    here = curves.ranking[n_labels]
    best = here.index[0]
    tied = [best]
    for other in here.index[1:]:
        ahead = curves.advantage(best, other, n_labels)
        undecided = ahead.n_pairs > 1 and not ahead.decided
        if undecided or abs(here["mean"][other] - here["mean"][best]) < stats.ROUNDING:
            tied.append(other)
    return tied


def verdict(curves: Curves, n_labels: int) -> Verdict | None:
    """Return whether the best pretrained strategy beats the best one from scratch; None where one of them is missing.

    With one seed there are no intervals, and no difference is clear.
    """
    ours, theirs = curves.leader(n_labels, pretrained=True), curves.leader(n_labels, pretrained=False)
    if ours is None or theirs is None:
        return None
    ahead = curves.advantage(ours, theirs, n_labels)
    if not ahead.decided:
        return "makes no clear difference"
    return "helps" if ahead.mean > 0 else "hurts"


def savings(curves: Curves, n_labels: int) -> tuple[str, str, stats.Savings] | None:
    """Return (pretrained strategy, strategy from scratch, label savings) of the best of each at a budget, if any."""
    ours, theirs = curves.leader(n_labels, pretrained=True), curves.leader(n_labels, pretrained=False)
    if ours is None or theirs is None:
        return None
    rival = curves.points.xs(theirs, level="strategy").sort_index()
    saved = stats.label_savings(
        float(curves.points["mean"][ours, n_labels]),
        n_labels,
        n_labels=rival.index,
        scores=rival["mean"],
        higher_is_better=curves.entry.metric.higher_is_better,
    )
    return None if saved is None else (ours, theirs, saved)


def sentences(curves: Curves) -> list[str]:
    """Return what the curves say, in plain sentences: the leader at three budgets, and what pretraining is worth."""
    return [
        *(_leader_sentence(curves, n_labels) for n_labels in key_budgets(curves)),
        *_transfer_sentences(curves),
        *_savings_sentences(curves),
    ]


def headline(curves: Curves) -> str | None:
    """Return the finding that a chart is titled with, if any: the worth of pretraining, or whether it helps."""
    keys = key_budgets(curves)
    hurts = any(verdict(curves, n_labels) == "hurts" for n_labels in curves.budgets)
    worth = None if hurts or not keys else _savings_sentence(curves, keys[len(keys) // 2])
    return worth or next(iter(_transfer_sentences(curves)), None)


def key_budgets(curves: Curves) -> list[int]:
    """Return the smallest, the middle and the largest budget with a score."""
    scored = [n_labels for n_labels in curves.budgets if len(curves.ranking[n_labels])]
    return sorted({scored[0], scored[len(scored) // 2], scored[-1]}) if scored else []


def _leader_sentence(curves: Curves, n_labels: int) -> str:
    here, tied = curves.ranking[n_labels], tied_with_best(curves, n_labels)
    said = f"With {count(n_labels)} {curves.entry.label}, "
    if len(tied) == 1:
        said += f"{strategy_title(tied[0])} is best: {score_with_margin(*here.loc[tied[0], ['mean', 'margin']])}"
    else:
        low, high = score(here["mean"][tied].min()), score(here["mean"][tied].max())
        said += f"{listed(strategy_title(name) for name in tied)} tie at {low if low == high else f'{low} to {high}'}"
    scratch = curves.leader(n_labels, pretrained=False)
    if scratch is not None and scratch not in tied:
        said += f"; {strategy_title(scratch)} has {score(here['mean'][scratch])}"
    if not here["skill"].iloc[0] > 0:
        guess = curves.entry.metric.chance_title
        said += f". None beats a guess that learns nothing ({guess} {score(here['chance'].iloc[0])})"
    return f"{said}."


def _transfer_sentences(curves: Curves) -> list[str]:
    verdicts = {n_labels: verdict(curves, n_labels) for n_labels in curves.budgets}
    compared = {n_labels: said for n_labels, said in verdicts.items() if said is not None}
    if not compared:
        return []
    if curves.points["n_seeds"].max() < 2:
        return ["One seed cannot tell whether pretraining helps."]
    parts = []
    for said in ("helps", "makes no clear difference", "hurts"):
        at = [count(n_labels) for n_labels, one in compared.items() if one == said]
        if len(at) == len(compared):
            everywhere = "any budget" if said == "makes no clear difference" else "every budget"
            return [f"Pretraining {said} at {everywhere if len(at) > 1 else f'{at[0]} {curves.entry.label}'}."]
        if at:
            parts.append(f"{said} at {listed(at)}")
    return [f"Pretraining {', '.join(parts)} {curves.entry.label}."]


def _savings_sentences(curves: Curves) -> list[str]:
    said = (_savings_sentence(curves, n_labels) for n_labels in key_budgets(curves)[:2])
    return [sentence for sentence in said if sentence]


def _savings_sentence(curves: Curves, n_labels: int) -> str | None:
    """Return what pretraining is worth in labels, or None where it is worth none or the seeds do not decide."""
    found = savings(curves, n_labels) if verdict(curves, n_labels) == "helps" else None
    if found is None or found[2].kind == "at most" or found[2].ratio < NOTABLE_SAVINGS:
        return None
    ours, theirs, saved = found
    start = f"{capitalised(strategy_title(ours))} with {count(n_labels)} {curves.entry.label} "
    if saved.kind == "at least":
        return (
            f"{start}beats {strategy_title(theirs)} with {count(saved.n_labels)}: "
            f"pretraining is worth more than {rounded(saved.ratio)} times the labels."
            if saved.ratio > 1
            else None
        )
    return (
        f"{start}does what {strategy_title(theirs)} does with about {about(saved.n_labels)}: "
        f"pretraining is worth about {rounded(saved.ratio)} times the labels."
    )
