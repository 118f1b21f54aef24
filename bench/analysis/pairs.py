"""The pair that the claims about transfer are measured on: which two strategies, and their numbers by seed."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

import pandas as pd

from bench import stats
from bench.analysis.curves import Curves
from bench.analysis.tables import SHARED_SECONDS, Tables, ordinary_cells
from bench.analysis.wording import capitalised, join_words, strategy_title
from bench.results.manifest import StrategyEntry

TIMED_ON: Final = ["device", "processor"]


class Representatives(NamedTuple):
    """The strategies that stand for transfer and for training from scratch; None where there is none."""

    transfer: StrategyEntry | None
    scratch: StrategyEntry | None


class Seconds(NamedTuple):
    """What cells took, [n_seeds, n_budgets] each, own and shared work; `machines` says on what, rising."""

    transfer: pd.DataFrame
    scratch: pd.DataFrame
    machines: list[str]


class Shifted(NamedTuple):
    """Scores and skills under the same shifts at one budget, one row per seed that has them all.

    `transfer` and `scratch` have the columns score and skill: means over the shifts, whose `names` are in order.
    """

    transfer: pd.DataFrame
    scratch: pd.DataFrame
    names: list[str]


def choose_representatives(strategies: Iterable[StrategyEntry]) -> Representatives:
    """Return which strategies stand for transfer and for scratch, whatever they scored.

    Choosing the best of several by the scores that are then compared would flatter transfer. So scratch is the one that
    trains most of the network, and transfer the pretrained one that trains as much of it (full fine-tuning, by
    default): the same architecture with as many stages trained, so that only where the weights start differs. Without
    one it is the pretrained strategy that trains most. Among equals the first in the config stands; what has no network
    is neither.
    """
    entries = list(strategies)
    scratch = _trained_most(one for one in entries if one.start == "random")
    pretrained = [one for one in entries if one.start == "pretrained"]
    alike = [one for one in pretrained if scratch is not None and one.trained_fraction == scratch.trained_fraction]
    return Representatives(_trained_most(alike or pretrained), scratch)


def _trained_most(entries: Iterable[StrategyEntry]) -> StrategyEntry | None:
    """Return the first of the strategies that train the largest share of a backbone; None of none."""
    return max(entries, key=lambda one: one.trained_fraction, default=None)


@dataclass(frozen=True, slots=True)
class Pair:
    """Transfer and scratch on one task and backbone, by the names of their strategies.

    `cells` and `shifts` are the rows of `bench.analysis.tables.Tables` that are about the two, with their `amount`.
    """

    curves: Curves
    transfer: str
    scratch: str
    cells: pd.DataFrame
    shifts: pd.DataFrame

    @property
    def sign(self) -> float:
        """1 where higher scores are better, else -1."""
        return self.curves.entry.metric.direction

    @property
    def budgets(self) -> list[float]:
        """The numbers of labels at which anything was scored, rising. Without labels nothing is learnt to compare."""
        return [amount for amount in self.curves.budgets if amount]

    @property
    def unit(self) -> str:
        """What labels are counted in."""
        return self.curves.entry.unit

    @property
    def chance(self) -> float:
        """The score of a guess that learns nothing."""
        return float(self.curves.points["chance"].max())

    @property
    def titles(self) -> tuple[str, str]:
        """What transfer and scratch are called."""
        return strategy_title(self.transfer), strategy_title(self.scratch)

    def scores(self, strategy: str) -> pd.DataFrame:
        """Return scores [n_seeds, n_budgets], missing where there is none."""
        columns = pd.MultiIndex.from_product([[strategy], self.budgets])
        return self.curves.seeds.reindex(columns=columns).droplevel(0, axis="columns")

    def gains(self) -> pd.DataFrame:
        """Return how much better transfer is than scratch [n_seeds, n_budgets], paired by seed: above 0 where it is.

        What differs by rounding does not differ.
        """
        gains = self.sign * (self.scores(self.transfer) - self.scores(self.scratch))
        return gains.mask(gains.abs() <= stats.ROUNDING, 0.0)

    def skills(self, strategy: str) -> pd.DataFrame:
        """Return skills [n_seeds, n_budgets]: 0 is chance, 1 is perfect."""
        scores = self.scores(strategy)
        skills = stats.skill(scores, chance=self.chance, perfect=self.curves.entry.metric.perfect)
        return pd.DataFrame(skills, index=scores.index, columns=scores.columns)

    def seconds(self) -> Seconds:
        """Return what each cell took with all shared work it used, as if it had been the only one."""
        scored = self.cells.dropna(subset="score")
        spent = scored.assign(total=scored[["seconds", *SHARED_SECONDS]].sum(axis="columns"))
        table = spent.pivot_table("total", index="seed", columns=["strategy", "amount"], observed=True)
        ours, theirs = (
            table.reindex(
                index=self.curves.seeds.index, columns=pd.MultiIndex.from_product([[name], self.budgets])
            ).droplevel(0, axis="columns")
            for name in (self.transfer, self.scratch)
        )
        machines = sorted({" on ".join(map(str, row)) for row in scored[TIMED_ON].itertuples(index=False)})
        return Seconds(ours, theirs, machines)

    def shifted(self, amount: float) -> Shifted | None:
        """Return scores under the shifts that both strategies have at a budget; None without any for both."""
        here = self.shifts[self.shifts["amount"] == amount]
        perfect = self.curves.entry.metric.perfect
        here = here.assign(skill=stats.skill(here["score"], chance=here["chance"], perfect=perfect))
        by_strategy = {name: here[here["strategy"] == name] for name in (self.transfer, self.scratch)}
        shared = set.intersection(*(set(rows["shift"]) for rows in by_strategy.values()))
        if not shared:
            return None
        ours, theirs = (_over_shifts(rows[rows["shift"].isin(shared)], len(shared)) for rows in by_strategy.values())
        seeds = ours.index.intersection(theirs.index)
        names = dict.fromkeys(here.loc[here["shift"].isin(shared), "shift"])
        return Shifted(ours.loc[seeds], theirs.loc[seeds], list(names)) if len(seeds) else None


def find_pair(tables: Tables, task: str, curves: Curves) -> Pair | str:
    """Return the pair of a task and backbone, or why there is none."""
    cells = ordinary_cells(tables.cells)
    cells = cells[(cells["task"] == task) & (cells["backbone"] == curves.backbone)]
    planned = set(cells["strategy"])
    found = choose_representatives(entry for name, entry in tables.manifest.strategies.items() if name in planned)
    missing = {"no pretrained strategy": found.transfer, "no training from scratch": found.scratch}
    lacking = [said for said, entry in missing.items() if entry is None]
    if found.transfer is None or found.scratch is None:
        return f"{capitalised(join_words(lacking))} was run."
    names = [found.transfer.name, found.scratch.name]
    shifts = tables.shifts[(tables.shifts["task"] == task) & (tables.shifts["backbone"] == curves.backbone)]
    budgets = curves.points["budget"].reset_index()
    cells, shifts = _at_budgets(cells, names, budgets), _at_budgets(shifts, names, budgets)
    return Pair(curves, found.transfer.name, found.scratch.name, cells, shifts)


def _at_budgets(rows: pd.DataFrame, names: list[str], budgets: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of two strategies with the amount of labels that the curves have for their budget."""
    own = rows[rows["strategy"].isin(names)].astype({"strategy": "object"})
    return own.drop(columns="amount", errors="ignore").merge(budgets, on=["strategy", "budget"])


def _over_shifts(rows: pd.DataFrame, n_shifts: int) -> pd.DataFrame:
    """Return score and skill over all shifts, a row per seed that has them all."""
    by_seed = rows.groupby("seed")[["score", "skill"]]
    return by_seed.mean()[by_seed.size() == n_shifts]
