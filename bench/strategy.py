"""Owns strategies: how much of a backbone is trained, from which weights, and by which recipe."""

import math
from typing import Annotated, Literal, NamedTuple

from annotated_types import Gt, Interval, Len
from pydantic import BaseModel, ConfigDict


class Recipe(BaseModel):
    """Every number that training depends on. Every field can be set for all, per strategy, or per task and strategy.

    `learning_rate` is that of the uppermost trained stage; each stage below it learns at `layer_decay` times the rate
    of the one above, so that what is most general changes least. `epochs` are passes over the label budget, bounded
    by `min_steps` and `max_steps` of `batch_size` examples each. The rate rises linearly over the first `warmup`
    share of the steps and falls to zero along a cosine. While its stages learn, a batch norm goes by the statistics
    of each batch and averages them, or with `batch_norm` = "pretrained" keeps those it came with, which few small
    batches only blur. `head` says where the head starts: "solved" from the linear probe of the same budget (LP-FT,
    Kumar et al. 2022, arXiv:2202.10054), "zero" from nothing. `penalties` is the grid from which the linear probe
    chooses by cross-validation inside the budget; `default_penalty` holds where the budget is too small for that.
    Penalties are per example and in units of the features' mean square.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    learning_rate: Annotated[float, Gt(0)] = 1e-3
    head_learning_rate: Annotated[float, Gt(0)] = 1e-3
    layer_decay: Annotated[float, Interval(gt=0, le=1)] = 1.0
    weight_decay: Annotated[float, Interval(ge=0)] = 0.01
    batch_size: Annotated[int, Gt(0)] = 32
    epochs: Annotated[float, Gt(0)] = 10.0
    min_steps: Annotated[int, Interval(ge=1)] = 1
    max_steps: Annotated[int, Interval(ge=1)] = 1000
    warmup: Annotated[float, Interval(ge=0, lt=1)] = 0.1
    head: Literal["solved", "zero"] = "solved"
    batch_norm: Literal["batch", "pretrained"] = "batch"
    penalties: Annotated[tuple[Annotated[float, Gt(0)], ...], Len(1)] = (1e-3, 1e-2, 1e-1, 1.0)
    default_penalty: Annotated[float, Gt(0)] = 0.1

    def steps(self, n_labels: int) -> int:
        """Return the number of optimiser steps on a budget of `n_labels`."""
        wanted = math.ceil(self.epochs * n_labels / min(self.batch_size, n_labels))
        return max(self.min_steps, min(wanted, self.max_steps))


class Strategy(NamedTuple):
    """`depth` is the share of stages trained, counted from the top: 0 is a linear probe, 1 is all of them.

    `pretrained` is false for training from scratch: the weights are drawn anew. `classical` puts a classical model of
    the domain in the backbone's place, see `bench.classical`: nothing of a backbone is looked at.
    """

    name: str
    depth: float
    pretrained: bool
    recipe: Recipe
    classical: bool = False

    def boundary(self, n_stages: int) -> int:
        """Return the index of the first trained stage; `n_stages` if none is trained."""
        return boundary(self.depth, n_stages)


def boundary(depth: float, n_stages: int) -> int:
    """Return the index of the first of `n_stages` stages that a depth trains; `n_stages` if it trains none.

    A share that is no whole number of stages is rounded down, but a depth above 0 trains at least one stage.
    """
    if depth == 0:
        return n_stages
    return n_stages - max(1, math.floor(depth * n_stages + 1e-9))
