"""The contract of targets: what is predicted, from labels to scores, composed of small parts.

A target is a frozen dataclass whose fields say all that an export has to keep; its parts say the rest: how budgets are
drawn (`Sampling`), how labels are written in the geometry of prepared inputs (`Codec`), how a head learns
(`Objective`), how predictions are scored (`Metric`), how those of examples that are scored as one are combined first
(`Combine`) and what scores without learning (`Baseline`). The targets are in `bench.targets`.

No tensor library is imported here or by a target's module: objectives import it inside their methods, so that listing,
planning and reporting need none.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, ClassVar, NamedTuple, TypeVar

import numpy as np

from bench.answers import Answers
from bench.column import Array, Column, Dense, Indices
from bench.domain import Raw
from bench.errors import DataError, nearest, unknown_name
from bench.metric import Metric
from bench.metrics.grouping import Combine
from bench.metrics.own import find_metric, is_own
from bench.readout import POOLED, Readout
from bench.registry import METRICS, names
from bench.written import Written

if TYPE_CHECKING:
    from torch import Tensor, nn

    from bench.probing.problem import Problem


class LabelRows(NamedTuple):
    """A row for each label: `features` [m, d], `labels` [m] or [m, k], and the example [m] that each belongs to.

    Without `owners` each example has one label, in order.
    """

    features: "Tensor"
    labels: "Tensor"
    owners: "Tensor | None" = None


class Sampling(ABC):
    """How label budgets, folds and test blocks are drawn."""

    def overlap(self, facts: Column | None) -> int:
        """Return how many neighbours to either side of an example share labels with it where folds are dealt.

        `facts` are those of the examples that are dealt. None where labels stand for themselves.
        """
        return 0

    @property
    def counts_examples(self) -> bool:
        """Whether budgets are in examples: what `amounts` says unless a way of drawing budgets says otherwise."""
        return type(self).amounts is Sampling.amounts

    @abstractmethod
    def fewest(self, labels: Column | None) -> tuple[int, str]:
        """Return the fewest examples that can be learnt from, and for what they are needed.

        `labels` are those of the training split, or None before the data are looked at.
        """

    @abstractmethod
    def order(self, labels: Column, facts: Column | None, generator: np.random.Generator) -> Indices:
        """Return all indices [n] in the order in which budgets take them: a budget of k examples is the first k."""

    def amounts(self, labels: Column, facts: Column | None, order: Indices) -> Array:
        """Return what the first 1, 2, … n examples of an order amount to, in the target's unit; float64 [n]."""
        return np.arange(1, len(order) + 1, dtype=np.float64)

    @abstractmethod
    def folds(
        self, labels: Column, facts: Column | None, groups: Array | None, generator: np.random.Generator
    ) -> Indices | None:
        """Return the cross-validation fold of each example [n], no group in two, or None where there are too few.

        `facts` are those of the examples. Examples of a group have the same entry of `groups` [n], a name or a number.
        """

    @abstractmethod
    def blocks(self, labels: Column, facts: Column | None, groups: Array | None, seed_from: str) -> Indices:
        """Return the test block of each example of a test split [n], the same for one version (`seed_from`) of data."""


class Codec(ABC):
    """Labels as people wrote them, and the same in the geometry of prepared inputs. `decode` undoes `encode`."""

    def fit(self, labels: Column) -> "Codec":
        """Return a codec that knows what it needs of the labels of a budget, such as their mean and spread."""
        return self

    def state(self) -> dict[str, float]:
        """Return what `fit` found, for an export."""
        return {}

    def restored(self, state: Mapping[str, float]) -> "Codec":
        """Return the codec that a fitted one with this state was."""
        return self

    @abstractmethod
    def encode(self, labels: Column, geometry: Column | None) -> Column:
        """Return what a head learns."""

    @abstractmethod
    def decode(self, encoded: Column, geometry: Column | None) -> Column:
        """Return predictions on the scale of the labels."""


class Objective(ABC):
    """Outputs of a head and encoded labels. Predictions may hold more arrays than labels do, such as scores.

    `features` and `outputs` are tuples of tensors, one for each stage that the target's readout names.
    """

    @abstractmethod
    def head(self, widths: Sequence[int]) -> "nn.Module":
        """Return a head on features of these widths that puts out zeros."""

    @abstractmethod
    def loss(self, outputs: "tuple[Tensor, ...]", encoded: "Mapping[str, Tensor]", geometry: Column | None) -> "Tensor":
        """Return the mean loss of a batch, a scalar. `encoded` are the arrays of the encoded labels of its examples.

        Of ragged labels there are those of one example after the other, with their `" offsets"` [n + 1].
        """

    @abstractmethod
    def predict(self, outputs: "tuple[Tensor, ...]", geometry: Column | None) -> Column:
        """Return the encoded predictions of outputs that are on the CPU, in float32."""

    def problem(self) -> "Problem | None":
        """Return how linear heads are solved to their optimum, or None where they are not: the loop trains them."""
        return None

    def rows(
        self, features: "tuple[Tensor, ...]", encoded: "Mapping[str, Tensor]", geometry: Column | None
    ) -> "LabelRows":
        """Return features as a solver wants them: a row for each label, with the example it belongs to."""
        (values,), (labels,) = features, encoded.values()
        return LabelRows(values, labels)


class Baseline(ABC):
    """A prediction that looks at no input, or learns nothing: what stands for no skill.

    The same for every budget, so that a skill means one thing along a curve: it may know the training labels.
    """

    @property
    @abstractmethod
    def title(self) -> str:
        """What it is called: a constant of its class, or a field."""

    @abstractmethod
    def predict(self, train_labels: Column, raw: Raw, facts: Column | None) -> Column:
        """Return predictions of the examples `raw`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target(ABC):
    """What is predicted. Subclasses are frozen dataclasses of what an export keeps.

    Two targets are equal if a head that was made for one serves the other. `ranked_by` names the metric that is the
    score in place of the target's own choice, `combined_by` the one of its `combinations` that is used in place of the
    first.
    """

    ranked_by: str = field(default="", compare=False)
    combined_by: str = field(default="", compare=False)

    name: ClassVar[str]
    unit: ClassVar[str]  # of budgets, in the plural, such as "labelled examples"
    readout: ClassVar[Readout] = POOLED
    ranks_answers: ClassVar[bool] = False  # whether several answers of one example can be put in order

    @property
    def identity(self) -> str:
        """What it has in common with the targets that it is equal to, as text for the keys of what is kept."""
        kind = type(self)
        said = {one.name: getattr(self, one.name) for one in fields(self) if one.compare}
        return f"{kind.__module__}.{kind.__qualname__} {said}"

    def among(self, said: Sequence[str]) -> bool:
        """Return whether it is among the targets that are said by the name of their kind, or by identity."""
        return self.name in said or self.identity in said

    def outputs_of(self, made_for: "Target") -> int:
        """Return how many outputs of a linear head for another target, the first ones, are a head for this one.

        As it stands none are: a head serves targets that are equal.
        """
        return 0

    @property
    def horizon(self) -> int:
        """The steps of time after its inputs that a prediction is about; 0 where it is about the inputs."""
        return 0

    @classmethod
    def written(cls) -> "Written[Target] | None":
        """Return how its labels are written in tables and folders, None where they are not."""
        return None

    @property
    @abstractmethod
    def reads(self) -> str:
        """The name of the label column that is predicted."""

    @property
    @abstractmethod
    def sampling(self) -> Sampling:
        """How budgets, folds and test blocks are drawn."""

    @property
    @abstractmethod
    def codec(self) -> Codec:
        """How labels are written for a head."""

    @property
    @abstractmethod
    def objective(self) -> Objective:
        """How a head learns and predicts."""

    @property
    @abstractmethod
    def metrics(self) -> tuple[Metric, ...]:
        """What is scored; the first is the score, which is the one that the target is `ranked_by`."""

    @property
    def combinations(self) -> Mapping[str, Combine]:
        """The ways to combine predictions of examples that are scored as one, by name, the usual one first.

        None where they cannot be combined: each example is scored then.
        """
        return {}

    @property
    @abstractmethod
    def baselines(self) -> tuple[Baseline, ...]:
        """What has no skill, one prediction or several: of these `zero_skill` is the best on the training split."""

    @property
    def guess(self) -> str:
        """What zero skill is called before the data are looked at."""
        return self.baselines[0].title if len(self.baselines) == 1 else f"best trivial {self.name}"

    @property
    @abstractmethod
    def rivals(self) -> tuple[str, ...]:
        """The classical models that can predict it, by their names in `bench.rivals`, the preferred one first."""

    @abstractmethod
    def answers(self, predictions: Column, raw: Raw, top: int) -> Answers:
        """Return predictions of the examples `raw` as people read them, the `top` likeliest where there are several."""


def zero_skill(target: Target, labels: Column, raw: Raw, facts: Column | None) -> Baseline:
    """Return the baseline that stands for no skill: the one with the best score on the whole training split.

    `labels`, `raw` and `facts` are those of the training split. A baseline that looks at the past of a series alone
    forecasts every training window from before it: this is a choice by rolling origin. It goes by the target's own
    metric, whichever ranks, and of several as good it is the first.
    """
    first_one, *others = target.baselines
    if not others:
        return first_one
    metric = replace(target, ranked_by="").metrics[0]

    def skill(one: Baseline) -> float:
        value = metric.compute(one.predict(labels, raw, facts), labels, facts)
        return -math.inf if value is None else metric.card.direction * value

    return max(target.baselines, key=skill)


AnyTarget = TypeVar("AnyTarget", bound=Target)


def first(metrics: Sequence[Metric], name: str) -> tuple[Metric, ...]:
    """Return metrics with the one of this name first, or one of others (see `bench.metrics.own`) before them all.

    They are in their order if the name is empty.
    """
    if not name:
        return tuple(metrics)
    chosen = next((metric for metric in metrics if metric.card.name == name), None) or find_metric(name)
    return (chosen, *(metric for metric in metrics if metric.card.name != chosen.card.name))


def rank_by(target: AnyTarget, name: str) -> AnyTarget:
    """Return a target that another metric ranks: one of its own, of an installed package or in a Python file.

    Raises `UnknownNameError` if there is none of this name.
    """
    known = [metric.card.name for metric in target.metrics]
    if name not in known and not is_own(name):
        raise unknown_name(f"metric of {target.name}", name, [*known, *names(METRICS)])
    ranked = replace(target, ranked_by=name)
    wanted = name if name in known else find_metric(name).card.name
    assert ranked.metrics[0].card.name == wanted, "targets put the metric first that they are ranked by"
    return ranked


def combine_by(target: AnyTarget, name: str) -> AnyTarget:
    """Return a target that combines predictions of examples that are scored as one in this way; "" is the usual one.

    Raises `DataError` if it does not.
    """
    if not target.combinations:
        raise uncombined(target.name)
    if name and name not in target.combinations:
        ways = ", ".join(target.combinations)
        raise DataError(
            f"predictions of {target.name} are not combined by their {name}{nearest(name, target.combinations)}: leave "
            f"combine = {name!r} out (what there is: {ways})"
        )
    return replace(target, combined_by=name or next(iter(target.combinations)))


def uncombined(target: str) -> DataError:
    """Return the error that predictions of a target, by the name of its kind, cannot be combined."""
    return DataError(
        f"predictions of {target} cannot be combined into one, so that nothing but single examples is scored: leave "
        "score_by out (units in a task of your own); `group` keeps what belongs together on one side"
    )


def combination(target: Target) -> Combine:
    """Return how a target combines predictions of examples that are scored as one. Raises `DataError` if it cannot."""
    return target.combinations[combine_by(target, target.combined_by).combined_by]


def dense_only(column: Column) -> Dense:
    """Return a column that is dense by contract."""
    assert isinstance(column, Dense), "this column has one entry for each example"
    return column
