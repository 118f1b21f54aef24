"""The learning curves of one task and backbone: scores by strategy, budget and seed, and the best of those that start
alike.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import pandas as pd

from bench import stats
from bench.analysis.points import Point
from bench.analysis.tables import Tables, ordinary_cells
from bench.results.manifest import Manifest, StrategyEntry, TaskEntry
from bench.strategy import Start

COST: Final[Mapping[Start, int]] = {"nothing": 0, "pretrained": 1, "random": 2}
"""The order of strategies from cheap to dear by what they start from."""


class NamedBaseline(NamedTuple):
    """What learns nothing: its title, "" for the only one of a target, and its scores."""

    title: str
    measured: stats.Replicates


@dataclass(frozen=True, slots=True)
class Curves:
    """The learning curves of one task and backbone.

    `points` has the columns of `bench.analysis.tables.average_seeds`, indexed by strategy and amount of labels; `seeds`
    a row per seed and a column per (strategy, amount). `ranking` has for each amount the strategies with a score, best
    first. Budgets at which nothing was ever scored are left out: their amount is not known. `measured` has the scores
    as replicates and `baselines` those of the baseline, by strategy and amount, `shifted` and `trivial`
    those under each shift, and of each of several baselines.
    """

    entry: TaskEntry
    backbone: str
    strategies: Mapping[str, StrategyEntry]
    points: pd.DataFrame
    seeds: pd.DataFrame
    ranking: Mapping[float, pd.DataFrame]
    measured: Mapping[tuple[str, float], stats.Replicates]
    baselines: Mapping[tuple[str, float], stats.Replicates]
    shifted: Mapping[tuple[str, float, str], stats.Replicates]
    trivial: Mapping[tuple[str, float, str], stats.Replicates]

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

    def labelled_budgets(self, strategy: str) -> list[float]:
        """Return the amounts of labels of a strategy, rising, without a budget of none: it has no logarithm."""
        return [amount for amount in map(float, map(str, self.scores(strategy).columns)) if amount]

    def replicates(self, strategy: str, amount: float) -> stats.Replicates:
        """Return the scores of a strategy at a budget; without seeds where there are none."""
        return self.measured.get((strategy, amount), stats.NO_REPLICATES)

    def difference(self, ours: str, theirs: str, amount: float) -> stats.Replicates:
        """Return how much better one strategy is than another at a budget, above 0 where it is."""
        sign = float(self.entry.metric.direction)
        return stats.combine([self.replicates(ours, amount), self.replicates(theirs, amount)], [sign, -sign])

    def over_baseline(self, strategy: str, amount: float) -> stats.Replicates:
        """Return how much better a strategy is than the baseline at a budget, above 0 where it is."""
        sign = float(self.entry.metric.direction)
        baseline = self.baselines.get((strategy, amount), stats.NO_REPLICATES)
        return stats.combine([self.replicates(strategy, amount), baseline], [sign, -sign])

    def hardest_baseline(self, strategy: str, amount: float) -> "NamedBaseline":
        """Return the best of the trivial baselines on the test examples of a point; the baseline where it is alone."""
        several = {name: one for (*point, name), one in self.trivial.items() if point == [strategy, amount]}
        if not several:
            return NamedBaseline("", self.baselines.get((strategy, amount), stats.NO_REPLICATES))
        best = max(several, key=lambda name: self.entry.metric.direction * float(several[name].values.mean()))
        return NamedBaseline(best, several[best])

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
        amounts = _amounts_of(points)
        found.append(
            Curves(
                entry=_with_zero(manifest.tasks[task], tables.points.zero.get(task, "")),
                backbone=backbone,
                strategies=_starts(manifest, backbone),
                points=points.set_index(["strategy", "amount"]),
                seeds=seeds.unstack(["strategy", "amount"]),  # noqa: PD010 - a series has no pivot_table
                ranking=_ranking(points, manifest.tasks[task]),
                measured=_at_amounts(tables.points.models, amounts),
                baselines=_at_amounts(tables.points.baselines, amounts),
                shifted=_named_at_amounts(tables.points.shifted, amounts),
                trivial=_named_at_amounts(tables.points.trivial, amounts),
            )
        )
    return found


def _ranking(points: pd.DataFrame, entry: TaskEntry) -> dict[float, pd.DataFrame]:
    ordered = points.sort_values("mean", ascending=not entry.metric.higher_is_better, kind="stable")
    return {
        float(str(amount)): here[here["mean"].notna()].set_index("strategy")
        for amount, here in ordered.groupby("amount", sort=True)
    }


def _with_zero(entry: TaskEntry, zero: str) -> TaskEntry:
    """Return an entry that calls its baseline as it is called of several, once these data have chosen it."""
    return replace(entry, baseline=zero) if zero else entry


def _starts(manifest: Manifest, backbone: str) -> dict[str, StrategyEntry]:
    """Return the strategies as they start from a backbone: from one that was never trained none starts pretrained."""
    if manifest.backbones[backbone].trained:
        return dict(manifest.strategies)
    return {
        name: replace(one, start="random") if one.start == "pretrained" else one
        for name, one in manifest.strategies.items()
    }


def _amounts_of(points: pd.DataFrame) -> dict[Point, tuple[str, float]]:
    """Return the strategy and the amount of labels of each point of one task and backbone."""
    named = points[[*Point._fields, "amount"]].itertuples(index=False)
    return {Point(*map(str, row[:4])): (str(row[2]), float(row[4])) for row in named}


def _at_amounts(
    known: Mapping[Point, stats.Replicates], amounts: Mapping[Point, tuple[str, float]]
) -> dict[tuple[str, float], stats.Replicates]:
    """Return the replicates of points by strategy and amount of labels."""
    return {amounts[point]: known[point] for point in amounts if point in known}


def _named_at_amounts(
    known: Mapping[tuple[Point, str], stats.Replicates], amounts: Mapping[Point, tuple[str, float]]
) -> dict[tuple[str, float, str], stats.Replicates]:
    """Return the replicates of points with a name, such as a shift's, by strategy, amount of labels and name."""
    return {(*amounts[point], name): one for (point, name), one in known.items() if point in amounts}
