"""Backbones made of vision networks, whichever library they come from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Final, Self

import torch
from torch import Tensor, nn

from bench.backbone import Backbone, Batch, run_stages
from bench.backbones.opened import Reference
from bench.backbones.vision.graph import cut
from bench.backbones.vision.pictures import MODES, Preparation, Scaled
from bench.backbones.vision.structure import declared_groups
from bench.backbones.vision.tracing import Groups
from bench.card import BackboneCard
from bench.domain import Raw
from bench.errors import UnknownNameError, WeightsError

TOLERANCE: Final = 1e-4
"""Of the largest feature: what the order of additions may change."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Design:
    """An architecture of a library.

    `draw` makes its network without the classifier, from torch's default generator. `groups` are those of its
    parameters that each make a step from pictures to features. A checkpoint may have more than the network, under the
    prefixes `spare`; `rename` makes the network's names of those in files of other versions.
    """

    title: str
    draw: Callable[[], nn.Module]
    groups: Callable[[nn.Module], Groups]
    preparation: Preparation
    spare: tuple[str, ...]
    rename: Callable[[str], str] = str


class VisionBackbone(Backbone):
    """A network on pictures, cut into stages that share its parameters."""

    def __init__(self, reference: Reference, design: Design, network: nn.Module, *, source: str, licence: str) -> None:
        """`network` is drawn by the design. The card's hash is left to the source.

        Raises `WeightsError` if the network cannot be cut into stages.
        """
        super().__init__()
        self._design = design
        if design.preparation.shape[0] not in MODES:
            raise WeightsError(
                f"{design.title} takes pictures of {design.preparation.shape[0]} channels; choose one that takes 1 or 3"
            )
        network.eval()
        layers = reference.settings.get("layers")
        groups = declared_groups(network, layers) if layers else design.groups(network)
        first, *others = cut(network, groups, design.preparation.shape)
        if not others:
            raise WeightsError(
                f"nowhere in {design.title} does a single tensor pass from one group of layers to the next, so it has "
                f"no stages; say where they begin by {reference.name.partition('?')[0]}?layers=path,path, or choose "
                "another architecture"
            )
        lowest = Scaled(first.segment.graph, design.preparation)
        self.stages = nn.ModuleList([lowest, *(piece.segment for piece in others)])
        self.card = BackboneCard(
            name=reference.name,
            title=design.title,
            domain="vision",
            description=f"{design.title} on pictures of {design.preparation.shape[1]} x {design.preparation.shape[2]}; "
            "features are what its classifier sees.",
            source=source,
            licence=licence,
            citation="not stated",
            sha256="",
            parameters=sum(parameter.numel() for parameter in self.parameters()),
            width=self._checked_width(network, lowest),
            stages=tuple(piece.name for piece in (first, *others)),
        )

    def known_by(self, sha256: str) -> Self:
        """Return this backbone with the hash of its weights on its card."""
        self.card = replace(self.card, sha256=sha256)
        return self

    def prepare(self, raw: Raw) -> Batch:
        """Return uint8 [n, channels, height, width]."""
        return Batch(self._design.preparation.apply(raw))

    def initialise(self) -> None:
        drawn = self._design.draw()
        fresh = dict(drawn.named_parameters(remove_duplicate=False)) | dict(drawn.named_buffers(remove_duplicate=False))
        with torch.no_grad():
            for stage in self.stages:
                graph = stage.get_submodule("graph")
                for name, tensor in (*graph.named_parameters(), *graph.named_buffers()):
                    if name in fresh:  # else it is a constant of the forward pass
                        tensor.copy_(fresh[name])

    def _checked_width(self, network: nn.Module, first: Scaled) -> int:
        """Return the number of features. Raises `WeightsError` if the stages do not say what the network says."""
        generator = torch.Generator().manual_seed(0)
        pictures = torch.randint(256, (2, *self._design.preparation.shape), generator=generator, dtype=torch.uint8)
        with torch.no_grad():
            expected: Tensor = network(first.scale(pictures))
            found = run_stages(self.stages, Batch(pictures)).values
        bound = TOLERANCE * float(expected.abs().max())
        if found.ndim != 2 or found.shape != expected.shape or float((found - expected).abs().max()) > bound:
            raise WeightsError(
                f"{self._design.title} cut into stages does not give the features [n, width] that it gives whole; "
                "choose another architecture"
            )
        return int(found.shape[1])


def unknown_among_many(kind: str, got: str, known: Sequence[str]) -> UnknownNameError:
    """Return the error for a name that is not among so many that only the nearest are listed."""
    close = get_close_matches(got, known, n=4, cutoff=0.5)
    said = f"; did you mean {' or '.join(repr(name) for name in close)}?" if close else ""
    return UnknownNameError(f"unknown {kind} {got!r}{said} (there are {len(known)})")
