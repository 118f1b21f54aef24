"""Owns the learning curves of one task and backbone: scores by strategy, budget and seed, and the best of a kind."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from bench.analysis.tables import Tables, ordinary_cells
from bench.results.manifest import StrategyEntry, TaskEntry

Kind = Literal["pretrained", "scratch", "classical"]


@dataclass(frozen=True, slots=True)
class Curves:
    """The learning curves of one task and backbone.

    `points` has the columns of `bench.analysis.tables.average_seeds`, indexed by strategy and number of labels; `seeds`
    a row per seed and a column per (strategy, number of labels). `ranking` has for each number of labels the strategies
    with a score, best first. Budgets at which nothing was ever scored are left out: their size is not known.
    """

    entry: TaskEntry
    backbone: str
    strategies: Mapping[str, StrategyEntry]
    points: pd.DataFrame
    seeds: pd.DataFrame
    ranking: Mapping[int, pd.DataFrame]

    @property
    def budgets(self) -> list[int]:
        """The numbers of labels, rising."""
        return list(self.ranking)

    @property
    def scored_budgets(self) -> list[int]:
        """The numbers of labels at which some strategy has a score, rising."""
        return [n_labels for n_labels in self.budgets if len(self.ranking[n_labels])]

    @property
    def by_cost(self) -> list[str]:
        """The strategies with a score, cheapest first: classical models, then by the share of stages trained.

        From scratch everything is trained, so that it comes last.
        """
        scored = {name for here in self.ranking.values() for name in here.index}
        rank = {"classical": 0, "pretrained": 1, "scratch": 2}
        order = sorted(self.strategies, key=lambda name: (rank[self.kind(name)], self.strategies[name].depth))
        return [name for name in order if name in scored]

    def kind(self, strategy: str) -> Kind:
        """Return whether a strategy starts from pretrained weights, from none, or has no network at all."""
        entry = self.strategies[strategy]
        return "classical" if entry.classical else "pretrained" if entry.pretrained else "scratch"

    def scores(self, strategy: str) -> pd.DataFrame:
        """Return the scores of a strategy, seeds by rising numbers of labels; missing where there is none."""
        return pd.DataFrame(self.seeds[strategy]).sort_index(axis="columns")

    def differences(self, ours: str, theirs: str, n_labels: int) -> pd.Series:
        """Return how much better one strategy is than another with each seed, above 0 where it is."""
        sign = 1.0 if self.entry.metric.higher_is_better else -1.0
        gap: pd.Series = sign * (self.seeds[ours, n_labels] - self.seeds[theirs, n_labels])
        return gap

    def leader(self, n_labels: int, kind: Kind) -> str | None:
        """Return the best strategy of a kind at a budget; None where none has a score."""
        return next((name for name in self.ranking[n_labels].index if self.kind(name) == kind), None)


def find_curves(tables: Tables) -> dict[str, list[Curves]]:
    """Return the learning curves of every task, one for each of its backbones."""
    return {task: _curves_of(tables, task) for task in tables.manifest.tasks}


def key_budgets(curves: Curves) -> list[int]:
    """Return the smallest, the middle and the largest budget with a score."""
    scored = curves.scored_budgets
    return sorted({scored[0], scored[len(scored) // 2], scored[-1]}) if scored else []


def _curves_of(tables: Tables, task: str) -> list[Curves]:
    manifest = tables.manifest
    budgets = tables.curves.loc[tables.curves["task"] == task].dropna(subset="n_labels")
    # Two fractions of a small task can be the same budget; the larger fraction speaks for it.
    budgets = budgets.drop_duplicates(["backbone", "strategy", "n_labels"], keep="last")
    budgets = budgets.astype({"n_labels": int, "strategy": "object"})
    cells = ordinary_cells(tables.cells)
    cells = cells.loc[cells["task"] == task, ["backbone", "strategy", "fraction", "seed", "score"]]
    cells = cells.astype({"strategy": "object"}).merge(budgets[["backbone", "strategy", "fraction", "n_labels"]])
    found = []
    for backbone in [name for name in manifest.backbones if name in set(budgets["backbone"])]:
        points = budgets[budgets["backbone"] == backbone]
        seeds = cells[cells["backbone"] == backbone].set_index(["seed", "strategy", "n_labels"])["score"]
        found.append(
            Curves(
                entry=manifest.tasks[task],
                backbone=backbone,
                strategies=manifest.strategies,
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
