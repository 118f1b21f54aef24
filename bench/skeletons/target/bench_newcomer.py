"""The target `newcomer`: a share, from 0 to 1, for each example; and a task that has it. Make each part your own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np

from bench.answers import Answers, Rows
from bench.card import TaskCard
from bench.column import Array, Column, Indices, dense
from bench.domain import Raw
from bench.domains.vision.raw import ImageArray
from bench.metric import Metric, MetricCard
from bench.runtime.cache import Cache
from bench.subsets.blocks import deal_blocks
from bench.target import Baseline, Codec, Objective, Sampling, Target, first
from bench.task import Examples, Split, Task, fingerprint

if TYPE_CHECKING:
    from torch import Tensor, nn

N_TRAIN, N_TEST, SIDE = 40, 20, 16


@dataclass(frozen=True, slots=True)
class Newcomer(Target):
    """A share for each example: labels and predictions are `{"share": float64 [n]}`."""

    name: ClassVar[str] = "newcomer"  # as the entry point
    unit: ClassVar[str] = "labelled examples"  # what budgets count

    @property
    def reads(self) -> str:
        return "share"  # the label column

    @property
    def sampling(self) -> Sampling:
        return AnyExamples()

    @property
    def codec(self) -> Codec:
        return InSinglePrecision()

    @property
    def objective(self) -> Objective:
        return Logistic()

    @property
    def metrics(self) -> tuple[Metric, ...]:
        return first((ERROR,), self.ranked_by)  # the first is the score

    @property
    def baselines(self) -> tuple[Baseline, ...]:
        return (MeanShare(),)

    @property
    def rivals(self) -> tuple[str, ...]:
        return ()

    def answers(self, predictions: Column, raw: Raw, top: int) -> Answers:
        shares = [round(float(share), 4) for share in predictions.values["share"]]
        return Rows(("share",), [[(f"{share:.1%}",)] for share in shares], [{"share": share} for share in shares])


class AnyExamples(Sampling):
    """Any examples are a budget."""

    def fewest(self, labels: Column | None) -> tuple[int, str]:
        return 2, "two shares"

    def order(self, labels: Column, facts: Column | None, generator: np.random.Generator) -> Indices:
        return generator.permutation(len(labels))

    def folds(
        self, labels: Column, facts: Column | None, groups: Array | None, generator: np.random.Generator
    ) -> Indices | None:
        return None  # nothing is chosen inside a budget

    def blocks(self, labels: Column, facts: Column | None, groups: Array | None, seed_from: str) -> Indices:
        return deal_blocks(len(labels), groups, seed_from=seed_from)


class InSinglePrecision(Codec):
    """Shares as a head learns them. Where labels lie in space or time, `geometry` says what was done to the inputs."""

    def encode(self, labels: Column, geometry: Column | None) -> Column:
        return dense(share=labels.values["share"].astype(np.float32))

    def decode(self, encoded: Column, geometry: Column | None) -> Column:
        return dense(share=encoded.values["share"].astype(np.float64))


class Logistic(Objective):
    """The cross-entropy of a sigmoid. With a `problem`, heads would be solved; without one the loop trains them."""

    def head(self, widths: Sequence[int]) -> "nn.Module":
        from bench.probing.linear import zero_head  # noqa: PLC0415 (loads torch)

        return zero_head(widths, 1)

    def loss(self, outputs: "tuple[Tensor, ...]", encoded: "Mapping[str, Tensor]", geometry: Column | None) -> "Tensor":
        from torch.nn import functional  # noqa: PLC0415 (takes seconds)

        return functional.binary_cross_entropy_with_logits(outputs[0].float()[:, 0], encoded["share"])

    def predict(self, outputs: "tuple[Tensor, ...]", geometry: Column | None) -> Column:
        return dense(share=outputs[0][:, 0].sigmoid().numpy())


class MeanShare(Baseline):
    """The mean of the training labels, for every example."""

    title: ClassVar[str] = "the mean"

    def predict(self, train_labels: Column, raw: Raw, facts: Column | None) -> Column:
        return dense(share=np.full(len(raw), train_labels.values["share"].mean()))


def _error(predictions: Column, labels: Column, facts: Column | None) -> float:
    return float(np.abs(predictions.values["share"] - labels.values["share"]).mean())


ERROR: Final = Metric(MetricCard("share_error", "mean error of shares", higher_is_better=False, perfect=0.0), _error)


@cache
def read_data() -> Split:
    """Return pictures of which the upper part is bright, with its share."""
    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 60, size=(N_TRAIN + N_TEST, SIDE, SIDE, 1))
    bright = generator.integers(0, SIDE + 1, len(pixels))  # rows
    for picture, rows in zip(pixels, bright, strict=True):
        picture[:rows] += 150
    everything = Examples(ImageArray(pixels.astype(np.uint8)), {"share": dense(share=bright / SIDE)})
    return Split(everything.take(np.arange(N_TRAIN)), everything.take(np.arange(N_TRAIN, N_TRAIN + N_TEST)))


class NewcomerTask(Task):
    """How much of a picture is bright."""

    target = Newcomer()

    def __init__(self) -> None:
        self.card = TaskCard(
            name="newcomer-task",
            title="Newcomer",
            domain="vision",
            description="How much of a picture is bright.",
            source="drawn by this package",
            licence="not stated",
            citation="not stated",
            version=1,
            sha256=fingerprint(read_data()),
            synthetic=True,
        )

    def split(self, fold: int, cache: Cache) -> Split:
        return read_data()
