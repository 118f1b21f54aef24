"""The target `grade`: classes that have an order; and two tasks that read one split, by grade and by weight."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np

from bench.answers import Answers, Rows
from bench.card import TaskCard
from bench.column import Column, dense
from bench.domain import Raw
from bench.domains.shift import Shift
from bench.domains.vision.raw import ImageArray
from bench.metric import Metric, MetricCard
from bench.runtime.cache import Cache
from bench.target import Baseline, Codec, Objective, Sampling, Target, first
from bench.targets.classes import Stratified
from bench.targets.value import Value
from bench.task import Elsewhere, Examples, Split, Task, fingerprint

if TYPE_CHECKING:
    from torch import Tensor, nn

    from bench.probing.problem import Problem

GRADES: Final = ("windfall", "cooking", "table")


# --- the target
@dataclass(frozen=True, slots=True)
class Grades(Target):
    """One of the grades `names`, the lowest first: labels and predictions are `{"grade": int64 [n]}`.

    Each question asks whether an example is above a grade (Frank and Hall 2001).
    """

    name: ClassVar[str] = "grade"
    unit: ClassVar[str] = "labelled examples"
    names: tuple[str, ...]
    column: str = "grade"

    @property
    def reads(self) -> str:
        return self.column

    @property
    def sampling(self) -> Sampling:
        return Stratified(len(self.names))

    @property
    def codec(self) -> Codec:
        return Above(len(self.names) - 1)

    @property
    def objective(self) -> Objective:
        return Questions(len(self.names) - 1)

    @property
    def metrics(self) -> tuple[Metric, ...]:
        return first((KAPPA, AWAY), self.ranked_by)

    @property
    def baselines(self) -> tuple[Baseline, ...]:
        return (MedianGrade(),)

    @property
    def rivals(self) -> tuple[str, ...]:
        return ()

    def answers(self, predictions: Column, raw: Raw, top: int) -> Answers:
        grades = [self.names[grade] for grade in predictions.values["grade"]]
        return Rows(("grade",), [[(grade,)] for grade in grades], [{"grade": grade} for grade in grades])


@dataclass(frozen=True, slots=True)
class Above(Codec):
    """Grades as answers to `questions` questions, float32 [n, questions]."""

    questions: int

    def encode(self, labels: Column, geometry: Column | None) -> Column:
        return dense(above=(labels.values["grade"][:, None] > np.arange(self.questions)).astype(np.float32))

    def decode(self, encoded: Column, geometry: Column | None) -> Column:
        return dense(grade=(encoded.values["above"] > 0.5).sum(axis=1))


@dataclass(frozen=True, slots=True)
class Questions(Objective):
    """The mean cross-entropy of `count` yes-or-no questions."""

    count: int

    def head(self, widths: Sequence[int]) -> "nn.Module":
        from bench.probing.linear import zero_head  # noqa: PLC0415 (loads torch)

        return zero_head(widths, self.count)

    def loss(self, outputs: "tuple[Tensor, ...]", encoded: "Mapping[str, Tensor]", geometry: Column | None) -> "Tensor":
        from torch.nn import functional  # noqa: PLC0415 (takes seconds)

        return functional.binary_cross_entropy_with_logits(outputs[0].float(), encoded["above"])

    def predict(self, outputs: "tuple[Tensor, ...]", geometry: Column | None) -> Column:
        return dense(above=outputs[0].sigmoid().numpy())

    def problem(self) -> "Problem":
        from bench.probing.problem import OneVsRest  # noqa: PLC0415 (loads torch)

        return OneVsRest(self.count)


class MedianGrade(Baseline):
    """The median of the training labels."""

    title: ClassVar[str] = "the median grade"

    def predict(self, train_labels: Column, raw: Raw, facts: Column | None) -> Column:
        grades = np.sort(train_labels.values["grade"])
        return dense(grade=np.full(len(raw), grades[len(grades) // 2]))


def _kappa(predictions: Column, labels: Column, facts: Column | None) -> float | None:
    """Return Cohen's kappa with quadratic weights (Cohen 1968); None where chance makes no mistake."""
    found, wanted = predictions.values["grade"], labels.values["grade"]
    by_chance = ((found[:, None] - wanted[None]) ** 2).mean()
    return float(1 - ((found - wanted) ** 2).mean() / by_chance) if by_chance else None


def _away(predictions: Column, labels: Column, facts: Column | None) -> float:
    return float(np.abs(predictions.values["grade"] - labels.values["grade"]).mean())


def _worst(predictions: Column, labels: Column, facts: Column | None) -> float:
    (found,), (wanted,) = predictions.values.values(), labels.values.values()
    return float(np.abs(found - wanted).max())


KAPPA: Final = Metric(MetricCard("kappa", "weighted kappa", higher_is_better=True, perfect=1.0), _kappa)
AWAY: Final = Metric(MetricCard("grades_away", "grades away", higher_is_better=False, perfect=0.0), _away)
WORST: Final = Metric(MetricCard("worst", "largest error", higher_is_better=False, perfect=0.0), _worst)
"""A metric of any target whose predictions and labels are one number for each example."""


# --- a shift of pictures
def _darken(examples: Examples) -> Examples:
    raw = examples.raw
    assert isinstance(raw, ImageArray), f"pictures are shifted here, not {type(raw).__name__}"
    return replace(examples, raw=ImageArray(raw.pixels // 2))


DUSK: Final = Shift("dusk", "half the light", _darken, "vision")


# --- data made here
@cache
def apples() -> Split:
    """Return pictures of apples, large ones heavy, light ones of a high grade; and of small ones of another orchard."""
    everything, small = _grown("tree", 80, (3, 7)), _grown("dwarf tree", 20, (2, 4))
    orchard = Elsewhere("orchard", "smaller apples of another orchard", small)
    return Split(everything.take(np.arange(48)), everything.take(np.arange(48, 80)), elsewhere=(orchard,))


def _grown(tree: str, count: int, radius: tuple[float, float]) -> Examples:
    """Return pictures of apples whose radii are even between two bounds, four of a tree."""
    generator = np.random.default_rng(count)
    pixels = generator.integers(0, 50, size=(count, 16, 16, 1))
    grades, radii = np.arange(count) % len(GRADES), generator.uniform(*radius, count)
    rows, columns = np.mgrid[:16, :16] - 7.5
    for picture, grade, size in zip(pixels[..., 0], grades, radii, strict=True):
        picture[np.hypot(rows, columns) < size] += 60 + 60 * grade
    weights = 30 + 20 * radii + generator.normal(0, 2, count)
    labels = {"grade": dense(grade=grades.astype(np.int64)), "weight": dense(value=weights)}
    groups = np.array([f"{tree} {row // 4}" for row in range(count)])
    return Examples(ImageArray(pixels.astype(np.uint8)), labels, None, groups)


def _card(name: str, description: str) -> TaskCard:
    return TaskCard(
        name=name,
        title="Apples",
        domain="vision",
        description=description,
        source="drawn by the package bench-apples",
        licence="CC0-1.0",
        citation="none",
        version=1,
        sha256=fingerprint(apples()),
        synthetic=True,
    )


class ApplesByGrade(Task):
    """Grades of apples."""

    target = Grades(names=GRADES)

    def __init__(self) -> None:
        self.card = _card("apples-grade", "Grades of apples.")

    def split(self, fold: int, cache: Cache) -> Split:
        return apples()


class ApplesByWeight(Task):
    """Weights of the same apples."""

    target = Value(column="weight")

    def __init__(self) -> None:
        self.card = _card("apples-weight", "Weights of apples, in grams.")

    def split(self, fold: int, cache: Cache) -> Split:
        return apples()
