"""The learning curves of one task and backbone: scores by strategy, budget and seed, and the best of those that start
alike.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pandas as pd

from bench.analysis.tables import Tables, ordinary_cells
from bench.results.manifest import StrategyEntry, TaskEntry
from bench.strategy import Start

COST: Final[Mapping[Start, int]] = {"nothing": 0, "pretrained": 1, "random": 2}
"""The order of strategies from cheap to dear by what they start from."""


@dataclass(frozen=True, slots=True)
class Curves:
    """The learning curves of one task and backbone.

    `points` has the columns of `bench.analysis.tables.average_seeds`, indexed by strategy and amount of labels; `seeds`
    a row per seed and a column per (strategy, amount). `ranking` has for each amount the strategies with a score, best
    first. Budgets at which nothing was ever scored are left out: their amount is not known.
    """

    entry: TaskEntry
    backbone: str
    strategies: Mapping[str, StrategyEntry]
    points: pd.DataFrame
    seeds: pd.DataFrame
    ranking: Mapping[float, pd.DataFrame]

    @property
    def budgets(self) -> list[float]:
        """The amounts of labels, rising."""
        return list(self.ranking)

    @property
    def scored_budgets(self) -> list[float]:
        """The amounts of labels at which some strategy has a score, rising."""
        return [amount for amount in self.budgets if len(self.ranking[amount])]

    @property
    def by_cost(self) -> list[str]:
        """The strategies with a score, cheapest first: those without a network, then by the share of stages trained.

        What starts from random weights comes last.
        """
        scored = {name for here in self.ranking.values() for name in here.index}
        order = sorted(self.strategies.values(), key=lambda strategy: (COST[strategy.start], strategy.trained_fraction))
        return [strategy.name for strategy in order if strategy.name in scored]

    def start(self, strategy: str) -> Start:
        """Return what a strategy starts from."""
        return self.strategies[strategy].start

    def scores(self, strategy: str) -> pd.DataFrame:
        """Return the scores of a strategy, seeds by rising amounts of labels; missing where there is none."""
        return pd.DataFrame(self.seeds[strategy]).sort_index(axis="columns")

    def labelled_scores(self, strategy: str) -> pd.DataFrame:
        """Return the scores of a strategy at budgets that have labels: what is read along a logarithm of these."""
        scores = self.scores(strategy)
        return scores[[amount for amount in scores if float(str(amount)) > 0]]

    def differences(self, ours: str, theirs: str, amount: float) -> pd.Series:
        """Return how much better one strategy is than another with each seed, above 0 where it is."""
        gap: pd.Series = self.entry.metric.direction * (self.seeds[ours, amount] - self.seeds[theirs, amount])
        return gap

    def leader(self, amount: float, start: Start) -> str | None:
        """Return the best of the strategies with one start at a budget; None where none has a score."""
        return next((name for name in self.ranking[amount].index if self.start(name) == start), None)


def find_curves(tables: Tables) -> dict[str, list[Curves]]:
    """Return the learning curves of every task, one for each of its backbones."""
    return {task: _curves_of(tables, task) for task in tables.manifest.tasks}


def key_budgets(curves: Curves) -> list[float]:
    """Return the smallest, the middle and the largest budget with a score."""
    scored = curves.scored_budgets
    return sorted({scored[0], scored[len(scored) // 2], scored[-1]}) if scored else []


def _curves_of(tables: Tables, task: str) -> list[Curves]:
    manifest = tables.manifest
    budgets = tables.curves.loc[tables.curves["task"] == task].dropna(subset="amount")
    # Two that are asked for can be the same labels of a small task: the last in the order of budgets speaks for both.
    budgets = budgets.drop_duplicates(["backbone", "strategy", "amount"], keep="last")
    budgets = budgets.astype({"strategy": "object"})
    cells = ordinary_cells(tables.cells)
    cells = cells.loc[cells["task"] == task, ["backbone", "strategy", "budget", "seed", "score"]]
    cells = cells.astype({"strategy": "object"}).merge(budgets[["backbone", "strategy", "budget", "amount"]])
    found = []
    for backbone in [name for name in manifest.backbones if name in set(budgets["backbone"])]:
        points = budgets[budgets["backbone"] == backbone]
        seeds = cells[cells["backbone"] == backbone].set_index(["seed", "strategy", "amount"])["score"]
        found.append(
            Curves(
                entry=manifest.tasks[task],
                backbone=backbone,
                strategies=manifest.strategies,
                points=points.set_index(["strategy", "amount"]),
                seeds=seeds.unstack(["strategy", "amount"]),  # noqa: PD010 - a series has no pivot_table
                ranking=_ranking(points, manifest.tasks[task]),
            )
        )
    return found


def _ranking(points: pd.DataFrame, entry: TaskEntry) -> dict[float, pd.DataFrame]:
    ordered = points.sort_values("mean", ascending=not entry.metric.higher_is_better, kind="stable")
    return {
        float(str(amount)): here[here["mean"].notna()].set_index("strategy")
        for amount, here in ordered.groupby("amount", sort=True)
    }
