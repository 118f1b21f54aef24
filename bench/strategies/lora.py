"""The strategy `lora`: low-rank adapters trained together with a head, all other weights frozen."""

import re
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, Literal

import numpy as np
from annotated_types import Gt, Interval
from pydantic import AfterValidator

from bench.budget import Budget
from bench.column import Column
from bench.context import Context
from bench.errors import ConfigError
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

if TYPE_CHECKING:
    from torch import nn

    from bench.training.context import NetworkContext

NAMED: Final = 6


def _regular(pattern: str) -> str:
    """Return a regular expression. Raises `ValueError` if it is none."""
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"no regular expression ({error})") from error
    return pattern


class Lora(Strategy, PenaltyRecipe, LoopRecipe, RateRecipe):
    """Low-rank adapters (LoRA, Hu et al. 2022, arXiv:2106.09685) in the uppermost stages, trained together with a head.

    To the weights of each layer alpha / rank times the product of two matrices is added, of `rank` columns and rows.
    `trained` is the share of the stages, counted from the top, that may have adapters; `layers` is a regular expression
    that the names of layers within their stages match as a whole, and nothing for all linear ones, or all convolutions
    where there is no linear one. `head` says where the head starts, as in fine-tuning.
    """

    kind: ClassVar[str] = "lora"
    rank: Annotated[int, Gt(0)] = 8
    alpha: Annotated[int, Gt(0)] = 16
    layers: Annotated[str, AfterValidator(_regular)] = ""
    trained: Annotated[float, Interval(gt=0, le=1)] = 1.0
    head: Literal["solved", "zero"] = "solved"

    @property
    def start(self) -> Start:
        return "pretrained"

    @property
    def streams(self) -> tuple[Purpose, ...]:
        return VARIED

    @property
    def trained_fraction(self) -> float:
        return self.trained

    def boundaries(self, n_stages: int) -> frozenset[int]:
        probed = self.head == "solved" or self.rates != SHIPPED
        return frozenset({boundary(self.trained, n_stages), *({n_stages} if probed else ())})

    def fit(self, context: Context, budgets: Sequence[Budget[Column]], seeds: Sequence[Seeds]) -> Iterator[Model]:
        """Yield the models. Raises `ConfigError` if the backbone has no layer to adapt."""
        from bench.probing.heads import Penalties  # noqa: PLC0415 (loads torch)
        from bench.training.adapted import stages_from  # noqa: PLC0415 (loads torch)
        from bench.training.adapters import adapter_rates, add_adapters, merge_adapters  # noqa: PLC0415 (loads peft)
        from bench.training.choosing import fit_at_rate  # noqa: PLC0415 (loads torch)
        from bench.training.context import network_of  # noqa: PLC0415 (loads torch)
        from bench.training.fitting import NetworkPlan  # noqa: PLC0415 (loads torch)

        network = network_of(context)
        layers = self._layers_of(network)
        frozen = next(place for place, names in enumerate(layers) if names)
        penalties = Penalties(self.penalties, self.default_penalty)
        for budget, seed in zip(budgets, seeds, strict=True):

            def begin(seed: int = seed.initialisation) -> "nn.ModuleList":
                stages = stages_from(network, frozen)
                return add_adapters(stages, layers[frozen:], rank=self.rank, alpha=self.alpha, seed=seed)

            plan = NetworkPlan(
                frozen,
                self,
                begin=begin,
                learns=partial(adapter_rates, recipe=self),
                finish=merge_adapters,
                penalties=penalties if self.head == "solved" else None,
                brought=self.head == "solved",
            )
            yield fit_at_rate(network, budget, seed, plan, choice=self, probe=penalties)

    def _layers_of(self, network: "NetworkContext") -> list[tuple[str, ...]]:
        """Return the names of the layers to adapt in each stage. Raises `ConfigError` if there are none."""
        from bench.training.adapters import ADAPTABLE, layers_to_adapt  # noqa: PLC0415 (loads peft)

        example, readout = network.tested.take(np.array([0])), network.readout(brought=self.head == "solved")
        lowest = boundary(self.trained, network.n_stages)
        layers = layers_to_adapt(network.backbone, example, readout, self.layers)
        everything = layers if any(layers[lowest:]) else layers_to_adapt(network.backbone, example, readout, ".*")
        if any(everything[lowest:]) and (everything is layers or not self.layers):
            return [*([()] * lowest), *everything[lowest:]]
        there = list(dict.fromkeys(name for names in everything[lowest:] for name in names))
        kinds = " or ".join(kind.__name__ for kind in ADAPTABLE)
        wanted = f"whose name matches layers = {self.layers!r}" if self.layers else "that is linear or a convolution"
        names = ", ".join(there[:NAMED]) + (", …" if len(there) > NAMED else "")
        advice = f"set layers to a regular expression for some of these: {names}" if there else f"there is no {kinds}"
        raise ConfigError(
            f"{network.backbone.card.name} has no layer {wanted} in the upper {network.n_stages - lowest} of "
            f"{network.n_stages} stages, so that there is nothing for the strategy {self.name!r} to adapt: {advice}"
        )
