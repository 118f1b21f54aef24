"""The strategy `newcomer`: only what is a vector learns, such as biases and norms, together with a head."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, ClassVar

from annotated_types import Interval

from bench.budget import Budget
from bench.column import Column
from bench.context import Context
from bench.strategy import LoopRecipe, Model, Seeds, Start, Strategy, boundary
from bench.subsets.seeds import Purpose

if TYPE_CHECKING:
    from torch import nn

    from bench.training.loop import Rate


class Newcomer(Strategy, LoopRecipe):
    """The vectors of the uppermost stages learn. Fields are what a config may set; those of the loop come with it.

    `trained` is the share of the stages, counted from the top, in which they do.
    """

    kind: ClassVar[str] = "newcomer"  # as the entry point
    trained: Annotated[float, Interval(gt=0, le=1)] = 1.0

    @property
    def start(self) -> Start:
        return "pretrained"

    @property
    def streams(self) -> tuple[Purpose, ...]:
        return ("subset", "order")  # nothing is drawn at the start

    @property
    def trained_fraction(self) -> float:
        return self.trained

    def boundaries(self, n_stages: int) -> frozenset[int]:
        return frozenset({boundary(self.trained, n_stages)})  # what lies below runs once and is kept

    def fit(self, context: Context, budgets: Sequence[Budget[Column]], seeds: Sequence[Seeds]) -> Iterator[Model]:
        from bench.training.adapted import stages_from  # noqa: PLC0415 (loads torch)
        from bench.training.context import network_of  # noqa: PLC0415 (loads torch)
        from bench.training.fitting import NetworkPlan, fit_network  # noqa: PLC0415 (loads torch)

        network = network_of(context)
        frozen = boundary(self.trained, network.n_stages)
        plan = NetworkPlan(frozen, self, begin=partial(stages_from, network, frozen), learns=self._learns, brought=True)
        for budget, seed in zip(budgets, seeds, strict=True):
            yield fit_network(network, budget, seed, plan)

    def _learns(self, network: "nn.ModuleList") -> "list[Rate]":
        """Return what learns of the copied stages, with its rate; whatever else moves is refused."""
        from bench.training.loop import Rate  # noqa: PLC0415 (loads torch)

        vectors = [parameter for parameter in network.parameters() if parameter.ndim == 1]
        return [Rate(vectors, self.learning_rate)]
