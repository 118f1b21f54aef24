"""The target `classes`: one of several classes for each example."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np

from bench.answers import Answers, Rows
from bench.column import Array, Column, Indices, dense
from bench.domain import Raw
from bench.errors import DataError
from bench.metric import Metric
from bench.metrics import classes as metrics
from bench.metrics.grouping import Combine, combine_classes
from bench.subsets import subset
from bench.subsets.blocks import deal_blocks
from bench.subsets.folds import grouped_folds
from bench.target import Baseline, Codec, Objective, Sampling, Target, dense_only, first
from bench.written import Label, Labelling, Written, in_brackets, remarks_on

if TYPE_CHECKING:
    from torch import Tensor, nn

    from bench.probing.problem import Problem

LABEL: Final = "class"
OUTPUT: Final = "logit"
FOLDS: Final = 5


@dataclass(frozen=True, slots=True)
class Classes(Target):
    """One of the classes `names` for each example: labels are `{"class": int64 [n]}`, predictions `{"logit": [n, k]}`.

    `smoothing` is the share of a label that the loss spreads over all classes (Szegedy et al. 2016, arXiv:1512.00567).
    `column` is the name of the label column.
    """

    name: ClassVar[str] = "classes"
    unit: ClassVar[str] = "labelled examples"
    ranks_answers: ClassVar[bool] = True
    names: tuple[str, ...]
    smoothing: float = 0.0
    column: str = LABEL

    @classmethod
    def written(cls) -> "Written[Classes]":
        return WrittenClasses()

    @property
    def reads(self) -> str:
        return self.column

    @property
    def sampling(self) -> "Stratified":
        return Stratified(len(self.names))

    @property
    def codec(self) -> Codec:
        return AsTheyAre()

    @property
    def objective(self) -> Objective:
        return CrossEntropy(len(self.names), self.smoothing)

    @property
    def metrics(self) -> tuple[Metric, ...]:
        return first(metrics.METRICS, self.ranked_by)

    @property
    def combinations(self) -> Mapping[str, Combine]:
        return {"mean": combine_classes}

    @property
    def baselines(self) -> tuple[Baseline, ...]:
        return (MajorityClass(len(self.names)),)

    @property
    def rivals(self) -> tuple[str, ...]:
        return ("linear", "words")

    def answers(self, predictions: Column, raw: Raw, top: int) -> Answers:
        """Return the `top` most probable classes of each example; of equal ones the first."""
        logits = predictions[OUTPUT].astype(np.float64)
        raised = np.exp(logits - logits.max(axis=1, keepdims=True))
        chances = raised / raised.sum(axis=1, keepdims=True)  # [n, k]
        best = np.argsort(-chances, axis=1, kind="stable")[:, :top]
        lines: list[list[tuple[str, ...]]] = [
            [(self.names[place], f"{row[place]:.3f}") for place in places]
            for row, places in zip(chances, best, strict=True)
        ]
        told = [
            [{"label": self.names[place], "probability": round(float(row[place]), 6)} for place in places]
            for row, places in zip(chances, best, strict=True)
        ]
        records = [{**several[0], **({"top": several} if top > 1 else {})} for several in told]
        return Rows(("label", "probability"), lines, records)


@dataclass(frozen=True, slots=True)
class Stratified(Sampling):
    """Budgets in which each of `classes` classes has its share, and at least one example."""

    classes: int

    def fewest(self, labels: Column | None) -> tuple[int, str]:
        return self.classes, f"one example of each of {self.classes} classes"

    def order(self, labels: Column, facts: Column | None, generator: np.random.Generator) -> Indices:
        return subset.stratified_order(_only(labels), generator)

    def folds(
        self, labels: Column, facts: Column | None, groups: Array | None, generator: np.random.Generator
    ) -> Indices | None:
        classes = _only(labels)
        rarest = int(np.bincount(classes, minlength=self.classes).min())
        return None if rarest < 2 else grouped_folds(classes, groups, min(FOLDS, rarest), generator)

    def blocks(self, labels: Column, facts: Column | None, groups: Array | None, seed_from: str) -> Indices:
        return deal_blocks(len(labels), groups, seed_from=seed_from)


class AsTheyAre(Codec):
    """Labels that have no geometry."""

    def encode(self, labels: Column, geometry: Column | None) -> Column:
        return labels

    def decode(self, encoded: Column, geometry: Column | None) -> Column:
        return encoded


@dataclass(frozen=True, slots=True)
class CrossEntropy(Objective):
    """The cross-entropy of a softmax over `classes` outputs, with label `smoothing`."""

    classes: int
    smoothing: float = 0.0

    def head(self, widths: Sequence[int]) -> "nn.Module":
        from bench.probing.linear import zero_head  # noqa: PLC0415 (loads torch)

        return zero_head(widths, self.classes)

    def loss(self, outputs: "tuple[Tensor, ...]", encoded: "Mapping[str, Tensor]", geometry: Column | None) -> "Tensor":
        logs = outputs[0].float().log_softmax(-1)
        named = logs.gather(-1, next(iter(encoded.values()))[:, None]).mean()
        return -(1 - self.smoothing) * named - self.smoothing * logs.mean()

    def predict(self, outputs: "tuple[Tensor, ...]", geometry: Column | None) -> Column:
        return dense(**{OUTPUT: outputs[0].numpy()})

    def problem(self) -> "Problem":
        from bench.probing.problem import Softmax  # noqa: PLC0415 (loads torch)

        return Softmax(self.classes)


@dataclass(frozen=True, slots=True)
class MajorityClass(Baseline):
    """The most frequent class of the training split, for every example."""

    title: ClassVar[str] = "chance"
    classes: int

    def predict(self, train_labels: Column, raw: Raw, facts: Column | None) -> Column:
        """Return logits that are the logarithms of the classes' shares, so that probabilities are scored fairly too."""
        counts = np.bincount(_only(train_labels), minlength=self.classes)
        logits = np.log(np.maximum(counts, 1) / counts.sum()).astype(np.float32)  # [k]
        return dense(**{OUTPUT: np.tile(logits, (len(raw), 1))})


def _only(labels: Column) -> Indices:
    """Return the classes [n] of a column that holds nothing else, whatever it calls them."""
    (classes,) = dense_only(labels).values.values()
    found: Indices = classes.astype(np.int64)
    return found


class WrittenClasses(Written[Classes]):
    """Classes are written by their names."""

    def recognised(self, cells: Sequence[str], separator: str) -> str:
        return ""  # every cell can be one: they are what is left

    def parse(self, cell: str, separator: str) -> Label:
        return cell

    def problem(self, cell: str, column: str) -> str:
        return ""

    def labelling(self, found: Sequence[Label], noun: str) -> Labelling[Classes]:
        written = [label for label in found if isinstance(label, str)]
        names = tuple(sorted(set(written)))
        if len(names) < 2:
            held = f"all {len(found):,} have the label {names[0]!r}" if names else "there are none"
            raise DataError(f"at least two classes are expected among the {noun}, but {held}")
        numbers = {label: number for number, label in enumerate(names)}
        indices = np.array([numbers[label] for label in written], dtype=np.int64)
        return Labelling(
            Classes(names),
            dense(**{LABEL: indices}),
            strata=indices,
            names=names,
            counted=f"of {len(names):,} classes{in_brackets(names)}",
            remarks=remarks_on(names),
            are_classes=True,
        )
