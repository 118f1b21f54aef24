"""The strategy `finetune`: the upper stages of a backbone trained, from pretrained weights or from random ones."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Annotated, ClassVar, Literal, Self

from annotated_types import Interval
from pydantic import model_validator

from bench.budget import Budget
from bench.column import Column
from bench.context import Context
from bench.strategy import (
    SHIPPED,
    LoopRecipe,
    Model,
    PenaltyRecipe,
    RateRecipe,
    Seeds,
    Start,
    Strategy,
    boundary,
)
from bench.subsets.seeds import VARIED, Purpose


class Finetune(Strategy, PenaltyRecipe, LoopRecipe, RateRecipe):
    """The uppermost stages trained together with a head.

    `trained` is their share, counted from the top: 1 is all of them. `weights` = "random" draws them anew, which is
    training from scratch. `head` says where the head starts: "solved" from the linear probe of the same budget (LP-FT,
    Kumar et al. 2022, arXiv:2202.10054), "zero" from nothing.
    """

    kind: ClassVar[str] = "finetune"
    trained: Annotated[float, Interval(gt=0, le=1)] = 1.0
    weights: Literal["pretrained", "random"] = "pretrained"
    head: Literal["solved", "zero"] = "solved"

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.weights == "random" and (self.trained < 1 or self.head == "solved"):
            raise ValueError(
                'random weights are trained as a whole, under a fresh head: set trained = 1, head = "zero"'
            )
        return self

    @property
    def start(self) -> Start:
        return self.weights

    @property
    def streams(self) -> tuple[Purpose, ...]:
        """What starts from pretrained weights draws none."""
        return ("subset", "order") if self.weights == "pretrained" else VARIED

    @property
    def trained_fraction(self) -> float:
        return self.trained

    def boundaries(self, n_stages: int) -> frozenset[int]:
        probed = self.head == "solved" or (self.weights == "pretrained" and self.rates != SHIPPED)
        return frozenset({boundary(self.trained, n_stages), *({n_stages} if probed else ())})

    def fit(self, context: Context, budgets: Sequence[Budget[Column]], seeds: Sequence[Seeds]) -> Iterator[Model]:
        from bench.probing.heads import Penalties  # noqa: PLC0415 (loads torch)
        from bench.training.adapted import drawn_stages, stages_from  # noqa: PLC0415 (loads torch)
        from bench.training.choosing import fit_at_rate  # noqa: PLC0415 (loads torch)
        from bench.training.context import network_of  # noqa: PLC0415 (loads torch)
        from bench.training.fitting import NetworkPlan, stage_rates  # noqa: PLC0415 (loads torch)

        network = network_of(context)
        frozen = boundary(self.trained, network.n_stages)
        pretrained = self.weights == "pretrained"
        penalties = Penalties(self.penalties, self.default_penalty)
        for budget, seed in zip(budgets, seeds, strict=True):
            begin = (
                partial(stages_from, network, frozen)
                if pretrained
                else partial(drawn_stages, network, frozen, seed.initialisation)
            )
            plan = NetworkPlan(
                frozen,
                self,
                begin=begin,
                learns=partial(stage_rates, recipe=self),
                penalties=penalties if self.head == "solved" else None,
                brought=self.head == "solved",
            )
            yield fit_at_rate(network, budget, seed, plan, choice=self, probe=penalties if pretrained else None)
