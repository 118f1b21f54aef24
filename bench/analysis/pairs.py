"""The pair that the claims about transfer are measured on: which two strategies, and their numbers by seed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import pandas as pd

from bench import stats
from bench.analysis.curves import Curves
from bench.analysis.tables import CHARGED_SECONDS, Tables, ordinary_cells
from bench.analysis.wording import capitalised, join_words, quantity, strategy_title
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

    def replicates(self, strategy: str, amount: float) -> stats.Replicates:
        """Return the scores of one of the two at a budget."""
        return self.curves.replicates(strategy, amount)

    def mean(self, strategy: str, amount: float, seeds: Sequence[int] = ()) -> float:
        """Return the mean score of one of the two at a budget, of some seeds or of all."""
        measured = self.replicates(strategy, amount)
        return float((measured.with_seeds(seeds) if seeds else measured).values.mean())

    def gain(self, amount: float) -> stats.Replicates:
        """Return how much better transfer is than scratch at a budget: above 0 where it is."""
        return self.curves.difference(self.transfer, self.scratch, amount)

    def beats_baseline(self, strategy: str, amount: float) -> bool:
        """Return whether one of the two is above the baseline with 95 % confidence, on one side."""
        return stats.uncertainty(self.curves.over_baseline(strategy, amount)).lowest() > 0

    def shared_shifts(self, amount: float) -> list[str]:
        """Return the shifts under which both have scores at a budget, in the order in which they were taken."""
        here = self.shifts[self.shifts["amount"] == amount]
        taken = [set(here.loc[here["strategy"] == name, "shift"]) for name in (self.transfer, self.scratch)]
        return [shift for shift in dict.fromkeys(here["shift"]) if all(shift in one for one in taken)]

    def shifted(self, strategy: str, amount: float, shift: str) -> stats.Replicates:
        """Return the scores of one of the two under a shift."""
        return self.curves.shifted.get((strategy, amount, shift), stats.NO_REPLICATES)

    def shifted_gain(self, amount: float, shift: str) -> stats.Replicates:
        """Return how much better transfer is than scratch under a shift."""
        both = [self.shifted(name, amount, shift) for name in (self.transfer, self.scratch)]
        return stats.combine(both, [self.sign, -self.sign])

    def other_steps(self) -> str:
        """Return at which budget the two took unlike numbers of steps, and how many; nothing if at none."""
        steps = self.cells.dropna(subset="score").groupby(["amount", "strategy"], observed=True)["steps"].max()
        for amount in self.budgets:
            taken = [steps.get((amount, name)) for name in (self.transfer, self.scratch)]
            if None not in taken and taken[0] != taken[1]:
                return f"{taken[0]} and {taken[1]} with {quantity(amount)} {self.unit}"
        return ""

    def seconds(self) -> Seconds:
        """Return what each cell took with the shared work it used; loading is charged to none."""
        scored = self.cells.dropna(subset="score")
        spent = scored.assign(total=scored[["seconds", *CHARGED_SECONDS]].sum(axis="columns"))
        table = spent.pivot_table("total", index="seed", columns=["strategy", "amount"], observed=True)
        ours, theirs = (
            table.reindex(
                index=self.curves.seeds.index, columns=pd.MultiIndex.from_product([[name], self.budgets])
            ).droplevel(0, axis="columns")
            for name in (self.transfer, self.scratch)
        )
        machines = sorted({" on ".join(map(str, row)) for row in scored[TIMED_ON].itertuples(index=False)})
        return Seconds(ours, theirs, machines)


def find_pair(tables: Tables, task: str, curves: Curves) -> Pair | str:
    """Return the pair of a task and backbone, or why there is none."""
    cells = ordinary_cells(tables.cells)
    cells = cells[(cells["task"] == task) & (cells["backbone"] == curves.backbone)]
    planned = set(cells["strategy"])
    found = choose_representatives(entry for name, entry in curves.strategies.items() if name in planned)
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
