"""Linear heads as modules."""

from collections.abc import Sequence

import torch
from torch import nn

from bench.backbone import Features, Head


class LinearHead(nn.Linear):
    """A linear head on the features of one stage: they may have any axes before the last."""

    def forward(self, features: Features) -> Features:  # type: ignore[override]  # heads take what readouts give
        """Return outputs [n, …, outputs]."""
        (values,) = features
        return (super().forward(values),)


def zero_head(widths: Sequence[int], outputs: int) -> LinearHead:
    """Return a head that puts out zeros."""
    (width,) = widths
    head = LinearHead(width, outputs)
    nn.init.zeros_(head.weight)
    nn.init.zeros_(head.bias)
    return head


def put(solved: Head, head: nn.Module) -> None:
    """Put a solved head's numbers into a module that is linear."""
    assert isinstance(head, LinearHead), "what is solved is linear"
    with torch.no_grad():
        head.weight.copy_(solved.weight.T)
        head.bias.copy_(solved.bias)
