"""The strategy `probe`: a linear head on frozen features, solved to its optimum where it can be."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

from bench.budget import Budget
from bench.column import Column
from bench.context import Context
from bench.strategy import (
    BACKBONE,
    LABELS_OR_HEAD,
    LoopRecipe,
    Model,
    PenaltyRecipe,
    Seeds,
    Start,
    Strategy,
)
from bench.subsets.seeds import Purpose


class Probe(Strategy, PenaltyRecipe, LoopRecipe):
    """A linear head on frozen features.

    It is solved, for all budgets side by side, with a penalty that is chosen inside each. Where a target has no solver,
    or the backbone brings a whole reader with a loss of its own, the loop trains the head alone by the loop's recipe.
    Without labels it is what came with the backbone, as it is.
    """

    kind: ClassVar[str] = "probe"
    requires: ClassVar[frozenset[str]] = frozenset({LABELS_OR_HEAD, BACKBONE})
    together: ClassVar[bool] = True

    @property
    def start(self) -> Start:
        return "pretrained"

    @property
    def streams(self) -> tuple[Purpose, ...]:
        return ("subset", "order")  # a head that is solved draws nothing from the second

    def fit(self, context: Context, budgets: Sequence[Budget[Column]], seeds: Sequence[Seeds]) -> Iterator[Model]:
        from torch import nn  # noqa: PLC0415 (takes seconds to load)

        from bench.probing.heads import Penalties  # noqa: PLC0415 (loads torch)
        from bench.training.context import network_of  # noqa: PLC0415 (loads torch)
        from bench.training.fitting import (  # noqa: PLC0415 (loads torch)
            NetworkPlan,
            fit_heads,
            fit_network,
            refuse_nothing,
        )

        network = network_of(context)
        if network.solves:
            yield from fit_heads(network, budgets, Penalties(self.penalties, self.default_penalty))
            return
        plan = NetworkPlan(network.n_stages, self, begin=nn.ModuleList, learns=lambda network: [], brought=True)
        for budget, seed in zip(budgets, seeds, strict=True):
            refuse_nothing(network, budget)
            yield fit_network(network, budget, seed, plan)
