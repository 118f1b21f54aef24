"""Where a network's stages begin: as the user says, or as its own modules are nested."""

from collections.abc import Iterable, Iterator
from typing import Final

from torch import nn

from bench.backbones.vision.tracing import Groups
from bench.errors import WeightsError, nearest

SEQUENCES: Final = (nn.Sequential, nn.ModuleList)

MANY: Final = 40
"""Blocks above which coarser parts are the stages: a network of a hundred layers has no hundred stages."""


def declared_groups(network: nn.Module, layers: str) -> Groups:
    """Return the groups of parameters by what `?layers=` says: paths of modules, with commas between.

    A stage begins at each of them; of a list of modules, at each in it. Raises `WeightsError` for another path.
    """
    modules = dict(network.named_modules())
    paths: list[str] = []
    for path in layers.split(","):
        if path not in modules:
            raise WeightsError(
                f"layers={layers} names no module {path!r} of {type(network).__name__}{nearest(path, modules)}; its "
                f"parts are {', '.join(name for name, _ in network.named_children())}"
            )
        module = modules[path]
        paths += [f"{path}.{name}" for name, _ in module.named_children()] if isinstance(module, SEQUENCES) else [path]
    return groups_below(network, paths)


def nested_groups(network: nn.Module) -> Groups:
    """Return the groups of parameters by how modules are nested: its blocks are the elements of its sequences.

    Of more than `MANY`, those that are nested deepest are taken together.
    """
    paths = list(_blocks(network, "", top=True))
    if len(paths) > MANY:
        deepest = max(path.count(".") for path in paths)
        paths = [path.rpartition(".")[0] if path.count(".") == deepest else path for path in paths]
    return groups_below(network, dict.fromkeys(paths))


def groups_below(network: nn.Module, paths: Iterable[str]) -> Groups:
    """Return as the group of each parameter the path that it lies below."""
    return {
        f"{path}.{name}": path
        for path in paths
        for name, _ in network.get_submodule(path).named_parameters(remove_duplicate=False)
    }


def _blocks(module: nn.Module, prefix: str, *, top: bool = False) -> Iterator[str]:
    for name, child in module.named_children():
        if not any(True for _ in child.parameters()):
            continue
        if _is_opened(child, inside=module, top=top):
            yield from _blocks(child, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def _is_opened(module: nn.Module, *, inside: nn.Module, top: bool) -> bool:
    """Whether a module's children are blocks, rather than the module itself.

    A sequence is opened if it is a part of the network itself or holds modules that have modules of their own; any
    other if it holds such a sequence and is not itself an element of one, which makes it a block.
    """
    if isinstance(module, SEQUENCES):
        return top or _holds_blocks(module)
    held = (child for child in module.children() if isinstance(child, SEQUENCES))
    return not isinstance(inside, SEQUENCES) and any(_holds_blocks(child) for child in held)


def _holds_blocks(module: nn.Module) -> bool:
    return any(any(True for _ in child.children()) for child in module.children())
