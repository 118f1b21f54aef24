"""Cutting a network of transformers into stages: what comes before its layers, and then each layer."""

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from bench.backbone import Batch, run_stages
from bench.backbones.huggingface.slices import (
    LayerSlice,
    PassThrough,
    SharedModule,
    ending,
    nothing,
    without_parameters,
)
from bench.errors import WeightsError

PATHS: Final = (
    "encoder.layer",
    "encoder.layers",
    "encoder.stages",
    "encoder.block",
    "encoder.blocks",
    "transformer.layer",
    "vision_model.encoder.layers",
    "decoder.layers",
    "layers",
    "layer",
    "stages",
    "block",
    "blocks",
    "h",
)
"""Where networks keep their list of layers."""

PATH_OF: Final[Mapping[str, str]] = {"albert": "encoder"}
"""Where families keep what is not a list: ALBERT runs one layer many times, so all of them are one stage."""

SHARED: Final[Mapping[str, tuple[str, ...]]] = {
    "beit": ("beit.shared_position_bias",),
    "data2vec-vision": ("data2vec_vision.shared_position_bias",),
    "deberta": ("encoder.rel_embeddings", "encoder.LayerNorm"),
    "deberta-v2": ("encoder.rel_embeddings", "encoder.LayerNorm"),
    "mpnet": ("encoder.relative_attention_bias",),
}
"""Modules that every layer of a family uses, by model type: the first stage has them, the others share them."""


EXACT: Final = frozenset({"deberta"})
"""Families that mask their scores with the least number of another type, which bfloat16 does not have."""

MISFITS: Final = (AssertionError, AttributeError, IndexError, KeyError, RuntimeError, TypeError, ValueError)
"""What a network raises that wants other inputs, or of which more is missing than it can do without."""


@dataclass(slots=True, eq=False)
class Trace:
    """What was called in one run of a network: `calls` in order, and what the modules were given and gave."""

    calls: list[nn.Module] = field(default_factory=list)
    arguments: dict[nn.Module, tuple[object, ...]] = field(default_factory=dict)
    outputs: dict[nn.Module, object] = field(default_factory=dict)


def find_layers(network: PreTrainedModel, kind: str, declared: str | None, name: str) -> str:
    """Return the dotted path of the layers in `network`, whose model type is `kind`.

    Raises `WeightsError` if there are none where networks keep them, or none at the `declared` path.
    """
    if declared is None:
        if kind in PATH_OF:
            return PATH_OF[kind]
        for path in PATHS:
            if isinstance(_at(network, path), nn.ModuleList):
                return path
        raise WeightsError(
            f"{name} has no list of layers where networks of transformers keep it: declare its dotted path in "
            f"{type(network).__name__} with '?layers=', as in '?layers=encoder.layer'"
        )
    if _at(network, declared) is None:
        lists = [path for path, module in network.named_modules() if isinstance(module, nn.ModuleList)]
        raise WeightsError(f"{name} has no module {declared!r} (there are the lists: {', '.join(lists) or 'none'})")
    return declared


def cut(network: PreTrainedModel, path: str, kind: str, run: Callable[[], Tensor]) -> tuple[list[LayerSlice], Tensor]:
    """Return what comes before the layers at `path` and then each layer as slices, and the features of `run`.

    `run` calls the network once and returns what its features are made of. What takes no part in these is dropped.
    Raises `WeightsError` for a network that does not run layer by layer.
    """
    # 1. Watch one run: which of the layers, and of the modules that lie beside them or beside a module around them,
    #    are called, in which order, with what.
    whole = network.get_submodule(path)
    layers = list(whole) if isinstance(whole, nn.ModuleList) else [whole]
    parents = [network, *(network.get_submodule(part) for part in _parents(path))]
    around = [unit for parent in parents for unit in parent.children() if unit is not whole and unit not in parents]
    around = [unit for unit in around if any(True for _ in unit.parameters())]
    try:
        features, trace = _traced(run, [*layers, *around])
    except MISFITS as error:
        raise WeightsError(f"{type(network).__name__} cannot be run: {type(error).__name__}: {error}") from error
    if [call for call in trace.calls if call in layers] != layers:
        raise WeightsError(f"the layers {path!r} of {type(network).__name__} do not run one after the other, once each")
    # 2. Only what autograd saw take part in the features stays; a pooler or a decoder goes.
    _drop_unused(network, _leaves(features))
    if any(True for parent in parents for _ in parent.parameters(recurse=False)):
        raise WeightsError(f"{type(network).__name__} keeps parameters beside its layers {path!r}: it cannot be cut")
    # 3. Each module beside the layers belongs to the stage that it runs in: what runs before the first layer to stage
    #    0, what runs after layer k to stage k. A slice is then a copy of the network with everything replaced that
    #    belongs to other stages.
    shared = [_at(network, place) for place in SHARED.get(kind, ())]
    owners = {unit: 0 if unit in shared else _owner(unit, trace, layers) for unit in around}
    surgery = _Surgery(network, whole, layers, owners, shared, trace)
    return [surgery.layer_slice(height) for height in range(len(layers) + 1)], features


@dataclass(frozen=True, slots=True, eq=False)
class _Surgery:
    """What slices are cut by: `owners` are the stages of the modules beside the layers, None of those unused."""

    network: PreTrainedModel
    whole: nn.Module
    layers: list[nn.Module]
    owners: Mapping[nn.Module, int | None]
    shared: list[nn.Module | None]
    trace: Trace

    def layer_slice(self, height: int) -> LayerSlice:
        """Return a copy of the network that shares the parameters of the stage `height` and has no others."""
        pass_throughs: list[PassThrough] = []
        memo: dict[int, object] = {id(unit): self._in_place_of(unit, height, pass_throughs) for unit in self.owners}
        kept = self.layers[height - 1 : height] if height else []
        if isinstance(self.whole, nn.ModuleList):
            # The layer after the slice raises what it is called with: the network's own code has by then made masks
            # and positions for it, and nothing after it runs.
            following = [ending(layer) for layer in self.layers[height : height + 1]]
            memo[id(self.whole)] = nn.ModuleList([*kept, *following])
        else:
            memo[id(self.whole)] = self.whole if kept else ending(self.whole)
        copied = copy.deepcopy(self.network, memo)  # which takes what the memo holds for copied already
        kinds = getattr(copied.config, "layer_types", None)
        if kinds:  # which networks look up by a layer's place in the list
            copied.config.layer_types = kinds[max(0, height - 1) : height + 1]
        return LayerSlice(copied, tuple(pass_throughs), exact=copied.config.model_type in EXACT)

    def _in_place_of(self, unit: nn.Module, height: int, pass_throughs: list[PassThrough]) -> nn.Module | None:
        """Return what stands for a module in the slice `height`; a new one is added to `pass_throughs`."""
        owner = self.owners[unit]
        if owner == height:
            return unit
        if unit in self.shared:
            return SharedModule(unit)
        if owner is not None and 0 < owner < len(self.layers):  # it runs between two layers: others do without
            return None
        # A module of the first stage: the hidden states that the slice is given come out in its place, as if they had
        # just been computed. One after the last layer is never reached, since the run ends before.
        pass_through = PassThrough()
        pass_throughs.append(pass_through)
        output = self.trace.outputs.get(unit)
        if isinstance(output, tuple) and height:
            pass_through.rest = self.trace.arguments[self.layers[height - 1]][1 : len(output)]
        return without_parameters(unit, nothing if isinstance(unit, nn.Embedding) else pass_through)


def _owner(unit: nn.Module, trace: Trace, layers: list[nn.Module]) -> int | None:
    """Return the stage of a module beside the layers: that of the layer called last before it; None if it is empty."""
    if not any(True for _ in (*unit.parameters(), *unit.buffers())):
        return None
    before = trace.calls[: trace.calls.index(unit)] if unit in trace.calls else []
    return sum(call in layers for call in before)


def _traced(run: Callable[[], Tensor], modules: list[nn.Module]) -> tuple[Tensor, Trace]:
    """Return what `run` returns, and what was called of `modules` while it ran."""
    trace = Trace()

    def before(module: nn.Module, args: tuple[object, ...]) -> None:
        trace.calls.append(module)
        trace.arguments[module] = args

    def after(module: nn.Module, args: tuple[object, ...], output: object) -> None:
        trace.outputs[module] = output

    handles = [module.register_forward_pre_hook(before) for module in modules]
    handles += [module.register_forward_hook(after) for module in modules]
    with torch.enable_grad():
        features = run()
    for handle in handles:
        handle.remove()
    return features, trace


def _leaves(features: Tensor) -> set[Tensor]:
    """Return all parameters that `features` were computed with, as autograd noted them."""
    found, seen, queue = set(), set(), [features.grad_fn]
    while queue:
        node = queue.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        leaf = getattr(node, "variable", None)
        if leaf is not None:
            found.add(leaf)
        queue += [following for following, _ in node.next_functions]
    return found


def _drop_unused(network: PreTrainedModel, used: set[Tensor]) -> None:
    """Take out parameters that take no part; those that are never trained, such as waves for positions, are buffers."""
    for module in network.modules():
        for name, parameter in list(module.named_parameters(recurse=False)):
            if not parameter.requires_grad:
                delattr(module, name)
                module.register_buffer(name, parameter.detach())
            elif parameter not in used:
                module.register_parameter(name, None)


def _at(network: PreTrainedModel, path: str) -> nn.Module | None:
    return dict(network.named_modules()).get(path)


def _parents(path: str) -> Iterator[str]:
    parts = path.split(".")
    return (".".join(parts[:depth]) for depth in range(1, len(parts)))


def checked(
    name: str,
    stages: nn.ModuleList,
    batch: Batch,
    expected: Tensor,
    read: Callable[[Batch], Tensor] = lambda after: after.values,
) -> nn.ModuleList:
    """Return stages that make the features `expected` of a batch, however far it is padded.

    `read` makes features of what comes out of the last stage. Raises `WeightsError` if they do not.
    """
    try:
        with torch.inference_mode():
            found = read(run_stages(stages.eval(), batch))
            padded = read(run_stages(stages, _padded(batch)))
    except MISFITS as error:
        raise WeightsError(f"{name} cannot be cut into stages: {type(error).__name__}: {error}") from error
    if found.shape != expected.shape or not torch.allclose(found, expected, rtol=1e-3, atol=1e-4):
        raise WeightsError(
            f"{name} cannot be cut into stages: layer by layer it does not give the features that it gives as a whole"
        )
    if not torch.allclose(padded, expected, rtol=1e-3, atol=1e-4):
        raise WeightsError(f"{name} is no backbone: the features of a text change with the padding after it")
    return stages


def _padded(batch: Batch) -> Batch:
    """Return token ids [n, length] with three more positions of padding; what has no lengths as it is."""
    return batch if batch.lengths is None else Batch(torch.nn.functional.pad(batch.values, (0, 3)), batch.lengths)
