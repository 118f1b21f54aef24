"""A target whose head has a hidden layer, which is drawn."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from bench.backbone import Features
from bench.readout import Readout
from bench.target import Objective
from bench.targets.classes import Classes
from tests.bench.training.two_stages import OfTwoStages

UNITS = 7


class HiddenHead(nn.Module):
    """A head with one hidden layer that puts out zeros."""

    def __init__(self, width: int, outputs: int) -> None:
        super().__init__()
        self.hidden, self.last = nn.Linear(width, UNITS), nn.Linear(UNITS, outputs)
        for parameter in self.last.parameters():
            nn.init.zeros_(parameter)

    def forward(self, features: Features) -> Features:
        (values,) = features
        out: Tensor = self.last(self.hidden(values).relu())
        return (out,)


class ByHidden(OfTwoStages):
    """The cross-entropy of a head with a hidden layer."""

    def head(self, widths: Sequence[int]) -> nn.Module:
        (width,) = widths
        return HiddenHead(width, self.classes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hidden(Classes):
    """Classes that are told by a head with a hidden layer."""

    readout: ClassVar[Readout] = Classes.readout

    @property
    def objective(self) -> Objective:
        return ByHidden(len(self.names))


HIDDEN = Hidden(names=("a", "b", "c"))
