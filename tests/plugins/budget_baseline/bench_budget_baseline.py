"""The strategy `budget_baseline`: what has no skill, learnt from the labels of a budget alone. There is no backbone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from bench.budget import Budget
from bench.column import Column
from bench.context import Context
from bench.domain import Raw
from bench.strategy import LABELS, Cost, Model, Parts, Seeds, Start, Strategy
from bench.subsets.seeds import Purpose
from bench.target import Baseline


class BudgetBaseline(Strategy):
    """The first of the target's baselines, which knows the labels of the budget and no other."""

    kind: ClassVar[str] = "budget_baseline"
    requires: ClassVar[frozenset[str]] = frozenset({LABELS})
    together: ClassVar[bool] = True

    @property
    def start(self) -> Start:
        return "nothing"

    @property
    def streams(self) -> tuple[Purpose, ...]:
        return ("subset",)

    def fit(self, context: Context, budgets: Sequence[Budget[Column]], seeds: Sequence[Seeds]) -> Iterator[Model]:
        for budget in budgets:
            yield Unskilled(context.target.baselines[0], budget.labels)


@dataclass(frozen=True, slots=True, eq=False)
class Unskilled:
    """A baseline and the labels that it knows."""

    baseline: Baseline
    labels: Column

    @property
    def cost(self) -> Cost:
        """There is nothing to pay for."""
        return Cost(seconds=0.0)

    def predict(self, raw: Raw) -> Column:
        """Return the same for every example, or what the example itself repeats."""
        return self.baseline.predict(self.labels, raw, None)

    def parts(self) -> Parts | None:
        """None: it is no network."""
        return None
