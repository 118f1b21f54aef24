"""A target that is read off two stages of the toy backbone, by a head that nobody solves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from bench.backbone import Features
from bench.column import Column, dense
from bench.readout import Readout
from bench.target import Objective
from bench.targets.classes import Classes

TWO_STAGES = Readout(stages=(1, -1))
"""Of four stages: what comes out of the second and of the last."""


class TwoHeads(nn.Module):
    """Two linear heads, one for each stage that is read, that put out zeros; their outputs are added."""

    def __init__(self, widths: Sequence[int], outputs: int) -> None:
        super().__init__()
        self.parts = nn.ModuleList(nn.Linear(width, outputs) for width in widths)
        for parameter in self.parameters():
            nn.init.zeros_(parameter)

    def forward(self, features: Features) -> Features:
        assert len(features) == len(self.parts)
        return (sum(part(values) for part, values in zip(self.parts, features, strict=True)),)


@dataclass(frozen=True, slots=True)
class OfTwoStages(Objective):
    """The cross-entropy of the sum of two heads, which nobody solves."""

    classes: int

    def head(self, widths: Sequence[int]) -> nn.Module:
        return TwoHeads(widths, self.classes)

    def loss(self, outputs: tuple[Tensor, ...], encoded: Mapping[str, Tensor], geometry: Column | None) -> Tensor:
        return nn.functional.cross_entropy(outputs[0], encoded["class"])

    def predict(self, outputs: tuple[Tensor, ...], geometry: Column | None) -> Column:
        return dense(logit=outputs[0].numpy())


@dataclass(frozen=True, slots=True, kw_only=True)
class Both(Classes):
    """Classes that are read off the second and the last of four stages."""

    readout: ClassVar[Readout] = TWO_STAGES

    @property
    def objective(self) -> Objective:
        return OfTwoStages(len(self.names))


BOTH = Both(names=("a", "b", "c"))
