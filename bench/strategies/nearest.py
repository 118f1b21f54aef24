"""The strategy `nearest`: the labels of the nearest examples, averaged, on frozen features."""

from collections.abc import Iterator, Sequence
from typing import Annotated, ClassVar

from annotated_types import Gt, Len

from bench.budget import Budget
from bench.column import Column
from bench.context import Context
from bench.domain import DomainName
from bench.errors import DataError
from bench.readout import Kind
from bench.strategy import Model, Seeds, Start, Strategy
from bench.subsets.seeds import Purpose
from bench.target import Target

Count = Annotated[int, Gt(0)]


class Nearest(Strategy):
    """Nearest neighbours on frozen features, by the cosine (Wu et al. 2018, arXiv:1805.01978).

    `neighbours` are the numbers from which one is chosen by cross-validation inside the budget, by the target's own
    metric, whichever ranks; `default_neighbours` holds where the budget is too small for that.
    """

    kind: ClassVar[str] = "nearest"
    exportable: ClassVar[bool] = False
    neighbours: Annotated[tuple[Count, ...], Len(1)] = (1, 3, 5, 10, 20)
    default_neighbours: Count = 1

    @property
    def start(self) -> Start:
        return "pretrained"

    @property
    def streams(self) -> tuple[Purpose, ...]:
        return ("subset",)

    def lacks(self, target: Target, domain: DomainName) -> str:
        """Return why labels cannot be averaged: they need a mean, and one vector of features for each example."""
        read = target.readout
        averaged = target.objective.problem() is not None and read.kind is Kind.POOLED and len(read.stages) == 1
        return "" if averaged else f"labels of {target.name} cannot be averaged"

    def fit(self, context: Context, budgets: Sequence[Budget[Column]], seeds: Sequence[Seeds]) -> Iterator[Model]:
        """Yield the models. Raises `DataError` if labels cannot be averaged, or there are none."""
        from bench.training.context import network_of  # noqa: PLC0415 (loads torch)
        from bench.training.neighbours import Grid, fit_nearest  # noqa: PLC0415 (loads torch)

        network = network_of(context)
        if problem := self.lacks(network.target, network.train.raw.domain):
            raise DataError(f"{problem}: leave out strategies of the kind {self.kind}")
        for budget in budgets:
            yield fit_nearest(network, budget, Grid(self.neighbours, self.default_neighbours))
