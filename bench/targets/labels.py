"""The target `labels`: any number of labels for each example (multi-label classification)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from bench.answers import Answers, Rows
from bench.column import Array, Column, Indices, dense
from bench.domain import Raw
from bench.errors import DataError
from bench.metric import Metric
from bench.metrics import labels as metrics
from bench.metrics.grouping import Combine, combine_labels
from bench.subsets.blocks import deal_blocks
from bench.subsets.folds import spread_folds
from bench.subsets.subset import stratified_order
from bench.target import Baseline, Codec, Objective, Sampling, Target, first
from bench.written import Label, Labelling, Written, in_brackets, remarks_on

if TYPE_CHECKING:
    from torch import Tensor, nn

    from bench.probing.problem import Problem

LABEL: Final = "present"
OUTPUT: Final = "logit"
FOLDS: Final = 5


@dataclass(frozen=True, slots=True)
class Labels(Target):
    """Which of the labels `names` an example has.

    Labels are `{"present": bool [n, k]}`, predictions `{"logit": float32 [n, k]}`: a label is predicted where its logit
    is above 0. `column` names the labels.
    """

    name: ClassVar[str] = "labels"
    unit: ClassVar[str] = "labelled examples"
    ranks_answers: ClassVar[bool] = True
    names: tuple[str, ...]
    column: str = LABEL

    @classmethod
    def written(cls) -> "Written[Labels]":
        return WrittenLabels()

    @property
    def reads(self) -> str:
        return self.column

    @property
    def sampling(self) -> Sampling:
        return RarestFirst()

    @property
    def codec(self) -> Codec:
        return AsNumbers()

    @property
    def objective(self) -> Objective:
        return BinaryCrossEntropy(len(self.names))

    @property
    def metrics(self) -> tuple[Metric, ...]:
        return first(metrics.METRICS, self.ranked_by)

    @property
    def combinations(self) -> Mapping[str, Combine]:
        """The mean probability of a label, and the highest one: for what is present where one example shows it."""
        return {"mean": combine_labels, "maximum": partial(combine_labels, how="maximum")}

    @property
    def baselines(self) -> tuple[Baseline, ...]:
        return (LabelShares(),)

    @property
    def rivals(self) -> tuple[str, ...]:
        return ("linear", "words")

    def answers(self, predictions: Column, raw: Raw, top: int) -> Answers:
        """Return the labels that are predicted, the likeliest first, or the `top` likeliest if `top` is above 1."""
        chances = (1 + np.tanh(predictions[OUTPUT].astype(np.float64) / 2)) / 2  # [n, k]: this sigmoid cannot overflow
        best = np.argsort(-chances, axis=1, kind="stable")
        lines: list[list[tuple[str, ...]]] = []
        records = []
        for row, places in zip(chances, best, strict=True):
            shown = places[:top] if top > 1 else places[row[places] > 0.5]
            lines.append([(self.names[place], f"{row[place]:.3f}") for place in shown] or [("none", "")])
            likely = [{"label": self.names[place], "probability": round(float(row[place]), 6)} for place in shown]
            records.append({"labels": [self.names[place] for place in places[row[places] > 0.5]], "likeliest": likely})
        return Rows(("label", "probability"), lines, records)


class RarestFirst(Sampling):
    """Budgets and folds stratified by the rarest label that an example has."""

    def fewest(self, labels: Column | None) -> tuple[int, str]:
        return 2, "two examples"

    def order(self, labels: Column, facts: Column | None, generator: np.random.Generator) -> Indices:
        return stratified_order(rarest(labels[LABEL]), generator)

    def folds(
        self, labels: Column, facts: Column | None, groups: Array | None, generator: np.random.Generator
    ) -> Indices | None:
        """Return folds in which labels are about even; None of fewer than two examples a fold."""
        count = min(FOLDS, len(labels) // 2)
        return spread_folds(rarest(labels[LABEL]), groups, count, generator) if count > 1 else None

    def blocks(self, labels: Column, facts: Column | None, groups: Array | None, seed_from: str) -> Indices:
        return deal_blocks(len(labels), groups, seed_from=seed_from)


class AsNumbers(Codec):
    """Flags as 0 and 1."""

    def encode(self, labels: Column, geometry: Column | None) -> Column:
        return dense(**{LABEL: labels[LABEL].astype(np.float32)})

    def decode(self, encoded: Column, geometry: Column | None) -> Column:
        return encoded


@dataclass(frozen=True, slots=True)
class BinaryCrossEntropy(Objective):
    """The mean cross-entropy of `count` yes-or-no questions."""

    count: int

    def head(self, widths: Sequence[int]) -> "nn.Module":
        from bench.probing.linear import zero_head  # noqa: PLC0415 (loads torch)

        return zero_head(widths, self.count)

    def loss(self, outputs: "tuple[Tensor, ...]", encoded: "Mapping[str, Tensor]", geometry: Column | None) -> "Tensor":
        logits, present = outputs[0].float(), encoded[LABEL]
        return (logits.clamp(min=0) - logits * present + (-logits.abs()).exp().log1p()).mean()

    def predict(self, outputs: "tuple[Tensor, ...]", geometry: Column | None) -> Column:
        return dense(**{OUTPUT: outputs[0].numpy()})

    def problem(self) -> "Problem":
        from bench.probing.problem import OneVsRest  # noqa: PLC0415 (loads torch)

        return OneVsRest(self.count)


class LabelShares(Baseline):
    """The share of each label in the training split, for every example."""

    title: ClassVar[str] = "label shares"

    def predict(self, train_labels: Column, raw: Raw, facts: Column | None) -> Column:
        n = len(train_labels)
        shares = np.clip(train_labels[LABEL].mean(axis=0), 0.5 / n, 1 - 0.5 / n)  # [k]
        logits = np.log(shares / (1 - shares)).astype(np.float32)
        return dense(**{OUTPUT: np.tile(logits, (len(raw), 1))})


def rarest(present: NDArray[np.bool_]) -> Indices:
    """Return the rarest label [n] that each example has, k where it has none; `present` is [n, k]."""
    order = np.argsort(present.sum(axis=0), kind="stable")
    by_rarity = present[:, order]
    found: Indices = np.where(by_rarity.any(axis=1), order[by_rarity.argmax(axis=1)], present.shape[1])
    return found


class WrittenLabels(Written[Labels]):
    """Several labels are written in one cell, with a separator between them, or in a column of yes and no each."""

    several: ClassVar[bool] = True

    def recognised(self, cells: Sequence[str], separator: str) -> str:
        distinct = set(cells)
        several = [parts_of(cell, separator) for cell in distinct]
        names = {name for one in several for name in one}
        shared = len(names) < len(distinct) and any(len(one) > 1 for one in several)
        return f"cells with {separator!r} hold several labels each" if shared else ""

    def parse(self, cell: str, separator: str) -> Label:
        return parts_of(cell, separator)

    def problem(self, cell: str, column: str) -> str:
        return ""

    def labelling(self, found: Sequence[Label], noun: str) -> Labelling[Labels]:
        names = tuple(sorted({name for several in found for name in several}))
        if not names:
            raise DataError(f"none of the {noun} has a label")
        places = {name: place for place, name in enumerate(names)}
        present = np.zeros((len(found), len(names)), dtype=np.bool_)
        for row, several in zip(present, found, strict=True):
            row[[places[name] for name in several]] = True
        counted = f"with any of {len(names):,} labels{in_brackets(names)}"
        return Labelling(Labels(names), dense(**{LABEL: present}), rarest(present), names, counted, remarks_on(names))


def parts_of(cell: str, separator: str) -> tuple[str, ...]:
    """Return the labels in a cell, each once, sorted; none of an empty one."""
    return tuple(sorted({part.strip() for part in cell.split(separator)} - {""}))
