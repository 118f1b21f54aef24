"""What the small networks of the domains have in common: never trained, of a few layers, with a card that says so.

They stand beside training from scratch in the architecture of a backbone, which is often too large for few labels.
"""

from collections.abc import Sequence

from torch import nn

from bench.backbone import Backbone, Layers, Stage
from bench.card import BackboneCard
from bench.domain import DomainName


class SmallNetwork(Backbone):
    """A few layers over prepared inputs, one stage each; a domain says how they are prepared."""

    def __init__(
        self, domain: DomainName, title: str, description: str, stages: Sequence[tuple[str, Stage]], *, width: int
    ) -> None:
        super().__init__()
        self.stages = nn.ModuleList(stage for _, stage in stages)
        self.card = BackboneCard(
            name=f"small:{domain}",
            title=title,
            domain=domain,
            description=description,
            source="random weights, never trained",
            licence="none needed",
            citation="this project",
            sha256="",
            parameters=sum(parameter.numel() for parameter in self.parameters()),
            width=width,
            stages=tuple(name for name, _ in stages),
        )

    def initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Conv2d | nn.Embedding):
                module.reset_parameters()


def convolution(channels: int, kernels: int, size: int, *, padding: int = 0) -> Layers:
    """Return a convolution with its rectifier, pooled by two."""
    return Layers(nn.Conv2d(channels, kernels, size, padding=padding), nn.ReLU(), nn.MaxPool2d(2))
