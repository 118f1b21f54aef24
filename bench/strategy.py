"""The contract of strategies: how a backbone is adapted, from which weights, by which recipe.

A strategy is data of the config: one class for each kind, whose fields are what a recipe may set. The same object goes
into the key of a cell and into the manifest. The kinds are in `bench.strategies`.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, Literal, NamedTuple, Protocol

from annotated_types import Gt, Interval, Len
from pydantic import BaseModel, ConfigDict

from bench.budget import Budget
from bench.cell import Work
from bench.column import Column
from bench.context import Context
from bench.domain import DomainName, Raw
from bench.runtime.arithmetic import PrecisionChoice
from bench.subsets.seeds import Purpose
from bench.target import Target

if TYPE_CHECKING:
    from torch import nn

LABELS: Final = "labels"
LABELS_OR_HEAD: Final = "labels or a head that came with the backbone"
BACKBONE: Final = "a backbone"
RIVALS: Final = "a classical model"
UNLABELLED: Final = "unlabelled inputs"
SOURCE: Final = "a labelled source"
BROUGHT_HEAD: Final = "a head that came with the backbone"
"""What strategies require, by the words that a refusal has for it."""

SHIPPED: Final = "shipped"
CHOSEN: Final = "chosen"
AUTO: Final = "auto"
TOO_FEW: Final = "too few labels"
"""Where a learning rate is from: the recipe, a choice inside the budget, or the recipe for want of labels."""

MANY: Final = 1_000
"""Labelled examples from which on a rate is not chosen unless it is asked for: the shipped one is near enough there."""

PROBE: Final = "probe"
FINETUNED: Final = "finetuned"
"""What was kept where both could be."""

Start = Literal["pretrained", "random", "nothing"]
"""What a strategy starts from: pretrained weights, weights drawn anew, or no network at all."""


class Seeds(NamedTuple):
    """The seeds of the random streams that a strategy draws from: those of initialisation and of order."""

    initialisation: int
    order: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one model cost alone, and what it shares with others.

    `seconds` is all that was done for it alone, what was tried included; of these `training_seconds` went into the
    gradient loop. `losses` are means of the training loss over stretches of the steps. `learning_rate` is the peak of
    its uppermost stage, as it was trained in the end. `rates` says where that is from and `kept` what was kept of
    probe and fine-tuned network, where labels were held out to choose (see `ChoiceRecipe`). `choice` is how the
    precision was chosen, if it was timed. `penalty` is what held the head it is or begins with. `work` is what other
    cells use too.
    """

    seconds: float
    training_seconds: float = 0.0
    steps: int = 0
    losses: tuple[float, ...] = ()
    learning_rate: float | None = None
    rates: str | None = None
    kept: str | None = None
    precision: str = "float32"
    choice: PrecisionChoice | None = None
    penalty: float | None = None
    trainable_parameters: int = 0
    total_parameters: int = 0
    work: tuple[Work, ...] = ()


class Parts(NamedTuple):
    """An adapted network as it is exported: all its stages from input to features, and its head.

    `boundary` is the index of the first stage that is not the backbone's own, `codec` what its codec found in
    the labels. `brought` says that the head is of a whole reader that came with the backbone.
    """

    stages: "nn.ModuleList"
    head: "nn.Module"
    boundary: int
    codec: Mapping[str, float]
    brought: bool = False


class Model(Protocol):
    """A model fitted on one budget."""

    @property
    def cost(self) -> Cost:
        """What it cost."""

    def predict(self, raw: Raw) -> Column:
        """Return predictions on the scale of the labels."""

    def parts(self) -> Parts | None:
        """Return the model as it is exported, or None if it cannot be."""


class Strategy(BaseModel, ABC):
    """How a backbone is adapted. Fields are what a recipe may set; `name` is the one of the config.

    `requires` is what a pair of task and backbone must offer. One that is fitted `together` gets all budgets of a task
    at once, since they share work; else each cell is fitted by itself, in any process. One whose models are no networks
    is not `exportable`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ClassVar[str]
    requires: ClassVar[frozenset[str]] = frozenset({LABELS, BACKBONE})
    together: ClassVar[bool] = False
    exportable: ClassVar[bool] = True
    name: str = ""

    @property
    @abstractmethod
    def start(self) -> Start:
        """What it starts from."""

    @property
    @abstractmethod
    def streams(self) -> tuple[Purpose, ...]:
        """The random streams that it draws from."""

    @property
    def trained_fraction(self) -> float:
        """The share of a backbone's stages whose weights change, for the order of tables: 0 for a head alone."""
        return 0.0

    def boundaries(self, n_stages: int) -> frozenset[int]:
        """Return where activations are frozen: how many of the stages run once; all but for a gradient loop."""
        return frozenset({n_stages})

    def recipe(self) -> dict[str, object]:
        """Return its settings as plain values."""
        return {"kind": self.kind, **self.model_dump(mode="json", exclude={"name"})}

    def lacks(self, target: Target, domain: DomainName) -> str:
        """Return why it cannot serve a target in a domain, as a clause, or nothing: as it stands, it serves all.

        The plan asks before anything is loaded, and leaves such cells out. What `requires` says is asked elsewhere.
        """
        return ""

    def learns(self, target: Target, domain: DomainName) -> bool:
        """Return whether it learns from labels, whatever comes with the backbone: a budget of 0 is not for it then.

        As it stands, it does if it says so by `requires`.
        """
        return LABELS in self.requires

    @abstractmethod
    def fit(self, context: Context, budgets: Sequence[Budget[Column]], seeds: Sequence[Seeds]) -> Iterator[Model]:
        """Yield the model of each budget, in order; each has its seeds.

        What is shared is done when the first is asked for, and what belongs to one model alone when that is.
        """


class LoopRecipe(BaseModel):
    """Every number that the gradient loop depends on.

    `learning_rate` is that of the uppermost trained stage; each stage below it learns at `layer_decay` times the rate
    of the one above, so that what is most general changes least. `epochs` are passes over the label budget, bounded
    by `min_steps` and `max_steps` of `batch_size` examples each. The rate rises linearly over the first `warmup`
    share of the steps and falls to zero along a cosine. While its stages learn, a batch norm goes by the statistics
    of each batch and averages them, or with `batch_norm` = "pretrained" keeps those it came with, which few small
    batches only blur.
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
    batch_norm: Literal["batch", "pretrained"] = "batch"

    def steps(self, n_examples: int) -> int:
        """Return the number of optimiser steps on a budget of `n_examples`; none on an empty one."""
        if not n_examples:
            return 0
        wanted = math.ceil(self.epochs * n_examples / min(self.batch_size, n_examples))
        return max(self.min_steps, min(wanted, self.max_steps))


class RateRecipe(BaseModel):
    """Where the learning rate of a network comes from.

    `rates` = "shipped" is the rate of the recipe. "chosen" tries a third of it, the rate itself and three times as much
    on all but a fifth of the label budget, and trains on all of it at the one that did best on that fifth: about 3.4
    times the training. At least 10 labels have to be held out; from 50 on the linear probe is a candidate too, for a
    network that starts from pretrained weights. "auto" is "chosen" below 1,000 labelled examples.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rates: Literal["shipped", "chosen", "auto"] = SHIPPED

    def chooses(self, n_examples: int) -> bool:
        """Return whether the rate is chosen on a budget of so many examples."""
        return self.rates == CHOSEN or (self.rates == AUTO and n_examples < MANY)


class PenaltyRecipe(BaseModel):
    """How strongly linear models are held.

    `penalties` is the grid from which the penalty is chosen by cross-validation inside the budget; `default_penalty`
    holds where the budget is too small for that. Penalties are per example and in units of the features' mean square.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    penalties: Annotated[tuple[Annotated[float, Gt(0)], ...], Len(1)] = (1e-3, 1e-2, 1e-1, 1.0)
    default_penalty: Annotated[float, Gt(0)] = 0.1


def boundary(trained_fraction: float, n_stages: int) -> int:
    """Return the index of the first of `n_stages` stages that is trained; `n_stages` if none is.

    A share that is no whole number of stages is rounded down, but one above 0 trains at least one stage.
    """
    if trained_fraction == 0:
        return n_stages
    return n_stages - max(1, math.floor(trained_fraction * n_stages + 1e-9))
