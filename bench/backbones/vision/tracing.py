"""Following a network's forward pass: which modules and operations run, in which order, and what each yields."""

import copy
import inspect
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import cached_property
from typing import Any, Final

import torch
from torch import Tensor, fx, nn
from torch.fx.proxy import TraceError
from torch.utils._pytree import tree_leaves, tree_map_only

from bench.errors import WeightsError

Groups = Mapping[str, Hashable]
"""Of parameters, by name, the group that each belongs to. One that is not there goes with those before it."""

EXAMPLES: Final = 7919
"""Examples in the batch whose shapes are followed: a prime, so that a number made from it shows."""

META: Final = torch.device("meta")
"""On which tensors have shapes and no content."""

UNTRACEABLE: Final = (TraceError, TypeError, ValueError, RuntimeError, AttributeError, LookupError, AssertionError)


class Follower(fx.Interpreter):
    """Runs the nodes of a graph, as it grows, for a batch of `EXAMPLES`, and keeps what each yields in `env`.

    What depends on the examples has shapes and no content; what is made from buffers alone, such as a table of angles,
    is real.
    """

    def __init__(
        self, network: nn.Module, graph: fx.Graph, shape: Sequence[int], options: Mapping[str, object]
    ) -> None:
        super().__init__(copy.deepcopy(network).to(META), garbage_collect_values=False, graph=graph)
        self._network = network
        self._parameters = {name for name, _ in network.named_parameters(remove_duplicate=False)}
        self._buffers = dict(network.named_buffers(remove_duplicate=False))
        self._shape = shape
        self._options = options
        self.running = False

    def catch_up(self) -> None:
        """Run the nodes that were not run yet."""
        self.running = True
        with torch.no_grad():
            for node in self.graph.nodes:
                if node not in self.env and node.op != "output":
                    self.env[node] = self.run_node(node)
        self.running = False

    def placeholder(self, target: Any, args: Any, kwargs: Any) -> Any:  # noqa: ANN401 - as torch.fx declares it
        if not self.env:
            return torch.zeros(EXAMPLES, *self._shape, device=META)
        name, _, _ = str(target).rpartition("_")  # torch.fx numbers the arguments that were given a value
        return self._options[name]

    def get_attr(self, target: Any, args: Any, kwargs: Any) -> Any:  # noqa: ANN401 - as torch.fx declares it
        if target in self._parameters:
            return super().get_attr(target, args, kwargs)
        if target in self._buffers:
            return self._buffers[target]
        path, _, name = str(target).rpartition(".")
        return getattr(self._network.get_submodule(path), name)

    def fetch_args_kwargs_from_env(self, n: fx.Node) -> tuple[tuple[Any, ...], dict[str, Any]]:
        given = _mutable(super().fetch_args_kwargs_from_env(n))
        if any(_depends(leaf) for leaf in tree_leaves(given)) or n.op == "call_module":
            args, kwargs = tree_map_only(Tensor, lambda tensor: tensor.to(META), given)
        else:
            args, kwargs = tree_map_only(torch.device, lambda _: torch.device("cpu"), given)
        return args, kwargs


def _depends(argument: object) -> bool:
    """Whether an argument depends on the examples, be it on their number alone."""
    return argument.device == META if isinstance(argument, Tensor) else argument == EXAMPLES


def _mutable(arguments: Any) -> Any:  # noqa: ANN401 - any argument of a node
    """Return arguments with the lists and dictionaries among them as plain ones, which modules may write into."""
    if isinstance(arguments, tuple | list):
        plain = [_mutable(one) for one in arguments]
        return tuple(plain) if type(arguments) is tuple else plain
    if isinstance(arguments, dict):
        return {key: _mutable(one) for key, one in arguments.items()}
    return arguments


class _Tracer(fx.Tracer):
    """Looks into the modules at the paths `opened` and no further, and keeps which of them it could not follow.

    Where the way forks on a shape, it takes that of the examples which are followed.
    """

    proxy_buffer_attributes = True  # as torch.fx declares it: buffers are nodes, not constants

    def __init__(self, opened: set[str], follow: Callable[[fx.Graph], Follower]) -> None:
        super().__init__()
        self.opened = opened
        self.stuck = ""
        self._follow = follow

    @cached_property
    def follower(self) -> Follower:
        """What the nodes so far yield."""
        return self._follow(self.graph)

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return module_qualified_name not in self.opened

    def call_module(
        self, m: nn.Module, forward: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:  # noqa: ANN401 - as torch.fx declares it
        if self.follower.running:
            return forward(*args, **kwargs)
        try:
            return super().call_module(m, forward, args, kwargs)
        except UNTRACEABLE:
            path = self.path_of_module(m)
            self.stuck = self.stuck or (path if path in self.opened else "")
            raise

    def to_bool(self, obj: fx.Proxy) -> bool:
        self.follower.catch_up()
        value = self.follower.env[obj.node]
        return super().to_bool(obj) if isinstance(value, Tensor) and value.device == META else bool(value)


def trace(network: nn.Module, groups: Groups, shape: Sequence[int]) -> Follower:
    """Return the graph of a network and what its nodes yield.

    The nodes are modules of one group, or of several where one cannot be traced.
    """
    opened = {
        path
        for path, module in network.named_modules()
        if len({groups.get(f"{path}.{name}" if path else name) for name, _ in module.named_parameters()}) > 1
    }
    _, *options = inspect.signature(network.forward).parameters.values()
    defaults = {option.name: option.default for option in options}
    while True:
        tracer = _Tracer(opened, lambda graph: Follower(network, graph, shape, defaults))
        try:
            tracer.trace(network, concrete_args=defaults)
            tracer.follower.catch_up()
        except UNTRACEABLE as error:
            if not tracer.stuck:
                reason = str(error).partition("\n")[0]
                raise WeightsError(
                    f"the forward pass of {type(network).__name__} cannot be traced ({reason}), so it cannot be cut "
                    "into stages; choose another architecture, or write a source for it in bench/backbones"
                ) from error
            opened.remove(tracer.stuck)
        else:
            return tracer.follower
