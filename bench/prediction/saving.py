"""Writing an adapted network into the folder of an export."""

from importlib.metadata import version
from pathlib import Path

from safetensors.torch import save_file
from torch import nn

from bench.backbones.cards import LIBRARIES
from bench.card import TaskCard
from bench.cell import Result
from bench.domains.registered import domain_named
from bench.errors import StoreError
from bench.planning.plan import PlannedCell
from bench.prediction.exported import Exported, Refit, write_exported
from bench.strategy import Parts
from bench.training.context import NetworkContext


def save_adapted(
    folder: Path,
    planned: PlannedCell,
    card: TaskCard,
    context: NetworkContext,
    parts: Parts | None,
    result: Result | Refit,
) -> None:
    """Write the adapted network of a cell into a folder. Raises `StoreError` if it has none, or if that cannot be."""
    if parts is None:
        raise StoreError(f"models of the strategy {planned.strategy.name!r} are no networks: they cannot be exported")
    exported = Exported(
        result=result,
        task=card,
        data=planned.spec,
        backbone=context.backbone.card,
        boundary=parts.boundary,
        target=context.target,
        codec=parts.codec,
        brought=parts.brought,
        input_format=domain_named(card.domain).input_format(context.tested),
        libraries={name: version(name) for name in LIBRARIES},
    )
    # Copies, because parameters may share memory and kernels lie with their channels last: a file holds neither.
    state = together(parts.stages, parts.head).state_dict()
    tensors = {name: tensor.cpu().clone().contiguous() for name, tensor in state.items()}
    write_exported(folder, exported, lambda path: save_file(tensors, path))


def together(stages: nn.ModuleList, head: nn.Module) -> nn.ModuleDict:
    """Return stages and head as one module, whose state is the file of an export."""
    return nn.ModuleDict({"stages": stages, "head": head})
