"""Owns cutting a network into stages: its graph is cut where one tensor crosses from one group to the next."""

import copy
import inspect
import itertools
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal

import torch
from torch import Tensor, fx, nn
from torch.fx.proxy import TraceError
from torch.utils._pytree import tree_leaves, tree_map_only

from bench.backbone import Stage
from bench.errors import WeightsError

Groups = Mapping[str, Hashable]
"""Of parameters, by name, the group that each belongs to. One that is not there goes with those before it."""

EXAMPLES: Final = 7919
"""Examples in the batch whose shapes are followed: a prime, so that a number made from it shows."""

HOLLOW: Final = torch.device("meta")
"""On which tensors have shapes and no content."""

UNTRACEABLE: Final = (TraceError, TypeError, ValueError, RuntimeError, AttributeError, LookupError, AssertionError)

Kind = Literal["flow", "fixed", "plain", "count", "device"]
"""What a node yields: values of the examples, a tensor made from buffers alone, a number or the like that is the same
for every batch, the number of examples, the device."""


class Segment(Stage):
    """A piece of a network's graph, from values to values, both [n, …]."""

    def __init__(self, graph: fx.GraphModule) -> None:
        super().__init__()
        self.graph = graph

    def forward(self, values: Tensor, mask: Tensor | None = None) -> Tensor:
        out: Tensor = self.graph(values)
        return out


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """A segment and the path of the module that it begins with."""

    name: str
    segment: Segment


def cut(network: nn.Module, groups: Groups, shape: Sequence[int]) -> list[Piece]:
    """Return a network that takes [n, *shape], as segments that share its parameters.

    Modules within one group stay as they are, and so does what they do in training. The forward pass around them is
    that of the mode in which the network is, which should be evaluation. Parameters that do not take part in it are
    left out. Raises `WeightsError` if it cannot be traced.
    """
    nodes = _Nodes(network, groups, _trace(network, groups, shape))
    bounds = [0, *nodes.cuts(), len(nodes.order)]
    return [nodes.piece(start, stop) for start, stop in itertools.pairwise(bounds)]


class _Follower(fx.Interpreter):
    """Runs the nodes of a graph, as it grows, for a batch of `EXAMPLES`, and keeps what each yields in `env`.

    What depends on the examples has shapes and no content; what is made from buffers alone, such as a table of angles,
    is real.
    """

    def __init__(
        self, network: nn.Module, graph: fx.Graph, shape: Sequence[int], options: Mapping[str, object]
    ) -> None:
        super().__init__(copy.deepcopy(network).to(HOLLOW), garbage_collect_values=False, graph=graph)
        self._network = network
        self._parameters = {name for name, _ in network.named_parameters(remove_duplicate=False)}
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
            return torch.zeros(EXAMPLES, *self._shape, device=HOLLOW)
        name, _, _ = str(target).rpartition("_")  # torch.fx numbers the arguments that were given a value
        return self._options[name]

    def get_attr(self, target: Any, args: Any, kwargs: Any) -> Any:  # noqa: ANN401 - as torch.fx declares it
        if target in self._parameters:
            return super().get_attr(target, args, kwargs)
        path, _, name = str(target).rpartition(".")
        return getattr(self._network.get_submodule(path), name)

    def fetch_args_kwargs_from_env(self, n: fx.Node) -> tuple[tuple[Any, ...], dict[str, Any]]:
        given = _mutable(super().fetch_args_kwargs_from_env(n))
        hollow = any(isinstance(leaf, Tensor) and leaf.device == HOLLOW for leaf in tree_leaves(given))
        if hollow or n.op == "call_module":
            args, kwargs = tree_map_only(Tensor, lambda tensor: tensor.to(HOLLOW), given)
        else:
            args, kwargs = tree_map_only(torch.device, lambda _: torch.device("cpu"), given)
        return args, kwargs


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

    Where the way forks on a shape, it takes the way of pictures of `shape`.
    """

    def __init__(self, opened: set[str], follow: Callable[[fx.Graph], _Follower]) -> None:
        super().__init__()
        self.opened = opened
        self.stuck = ""
        self._follow = follow

    @cached_property
    def follower(self) -> _Follower:
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
            self.stuck = self.stuck or self.path_of_module(m)
            raise

    def to_bool(self, obj: fx.Proxy) -> bool:
        self.follower.catch_up()
        value = self.follower.env[obj.node]
        return super().to_bool(obj) if isinstance(value, Tensor) else bool(value)


def _trace(network: nn.Module, groups: Groups, shape: Sequence[int]) -> _Follower:
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
        tracer = _Tracer(opened, lambda graph: _Follower(network, graph, shape, defaults))
        try:
            tracer.trace(network, concrete_args=defaults)
            tracer.follower.catch_up()
        except UNTRACEABLE as error:
            if not tracer.stuck:
                reason = str(error).partition("\n")[0]
                raise WeightsError(
                    f"the forward pass of {type(network).__name__} cannot be traced ({reason}), so it cannot be cut into "
                    "stages; choose another architecture, or write a source for it in bench/backbones"
                ) from error
            opened.remove(tracer.stuck)
        else:
            return tracer.follower


class _Nodes:
    """The nodes of a graph in the order in which they run, what each of them yields and which parameters it has."""

    def __init__(self, network: nn.Module, groups: Groups, follower: _Follower) -> None:
        self._network = network
        self._groups = groups
        self._seen = follower.env
        graph = follower.graph
        (self._input, *_) = graph.find_nodes(op="placeholder")
        (self._result,) = graph.output_node().all_input_nodes
        self.order = [node for node in graph.nodes if node.op not in ("placeholder", "output")]
        self._owned = [dict(self._parameters(node)) for node in self.order]
        self._kinds: dict[fx.Node, Kind] = {self._input: "flow"}
        for node in self.order:
            self._kinds[node] = self._kind(node)
        self._crossing = self._crossings()
        self._held = self._together()

    def cuts(self) -> list[int]:
        """Return before which nodes the graph is cut: between groups with weights, as late as one tensor crosses."""
        weighty = [
            node.op == "call_module" and any(parameter.ndim > 1 for parameter in owned.values())
            for node, owned in zip(self.order, self._owned, strict=True)
        ]
        found: list[int] = []
        for place in range(1, len(self.order)):
            if not any(weighty[:place]) or not any(weighty[place:]) or not self._clean(place):
                continue
            if found and not any(weighty[found[-1] : place]):
                found.pop()  # what lies between has no weights: a norm or an activation is no stage of its own
            found.append(place)
        return found

    def piece(self, start: int, stop: int) -> Piece:
        """Return the nodes from `start` to before `stop` as a segment."""
        graph = fx.Graph()
        values = graph.placeholder("values")
        copies = {self._crossing[start][0] if start else self._input: values}

        def fetch(node: fx.Node) -> Any:  # noqa: ANN401 - any argument of a node
            kind = self._kinds[node]
            if kind == "plain":
                return self._seen[node]
            if node not in copies:
                if kind == "count":
                    copies[node] = graph.call_method("size", (values, 0))
                elif kind == "device":
                    copies[node] = graph.call_function(getattr, (values, "device"))
                else:
                    assert kind == "fixed", f"{node} is needed before it was made"
                    name = f"fixed_{node.name}"
                    self._network.register_buffer(name, self._seen[node], persistent=False)
                    copies[node] = graph.get_attr(name)
            return copies[node]

        for node in self.order[start:stop]:
            if self._kinds[node] == "flow":
                copies[node] = graph.node_copy(node, fetch)
        graph.output(fetch(self._result if stop == len(self.order) else self._crossing[stop][0]))
        return Piece(self._name(start, stop), Segment(fx.GraphModule(self._network, graph)))

    def _parameters(self, node: fx.Node) -> Iterator[tuple[str, nn.Parameter]]:
        """Yield the parameters of a node by name; a parameter that several modules share has one name."""
        names = {id(parameter): name for name, parameter in self._network.named_parameters()}
        if node.op == "call_module":
            for parameter in self._network.get_submodule(str(node.target)).parameters():
                yield names[id(parameter)], parameter
        elif node.op == "get_attr":
            path, _, name = str(node.target).rpartition(".")
            found = getattr(self._network.get_submodule(path), name)
            if isinstance(found, nn.Parameter):
                yield names[id(found)], found

    def _kind(self, node: fx.Node) -> Kind:
        value = self._seen[node]
        if isinstance(value, Tensor):
            return "flow" if value.device == HOLLOW else "fixed"
        if isinstance(value, torch.device):
            return "device"
        if isinstance(value, int) and value == EXAMPLES:
            return "count"
        return "plain" if _is_plain(value) else "flow"

    def _crossings(self) -> list[list[fx.Node]]:
        """Return for each place the nodes before it whose values are needed from there on and cannot be remade."""
        place = {node: index for index, node in enumerate(self.order)}
        crossing: list[list[fx.Node]] = [[] for _ in range(len(self.order) + 1)]
        for node in [self._input, *self.order]:
            if self._kinds[node] == "flow":
                uses = [place[user] for user in node.users if self._kinds.get(user) == "flow"]
                last = len(self.order) if node is self._result else max(uses, default=-1)
                for index in range(place.get(node, -1) + 1, last + 1):
                    crossing[index].append(node)
        return crossing

    def _together(self) -> set[int]:
        """Return the places that have a parameter or a group on both sides."""
        spans: dict[Hashable, list[int]] = defaultdict(list)
        latest: Hashable = None
        for place, (node, owned) in enumerate(zip(self.order, self._owned, strict=True)):
            for name in owned:
                spans["parameter", name].append(place)
                if node.op == "call_module":  # what a network adds of its own, such as a class token, may come late
                    latest = self._groups.get(name, latest)
                    spans["group", latest].append(place)
        return {place for places in spans.values() for place in range(min(places) + 1, max(places) + 1)}

    def _clean(self, place: int) -> bool:
        """Whether one tensor [n, …] crosses before the node at `place`, and no parameter or group is on both sides."""
        if place in self._held or len(self._crossing[place]) != 1:
            return False
        value = self._seen.get(self._crossing[place][0])
        return isinstance(value, Tensor) and value.ndim > 1 and len(value) == EXAMPLES

    def _name(self, start: int, stop: int) -> str:
        """Return the path of the module that a piece is, or that its first group is, or that is called first in it."""
        inside = [name for owned in self._owned[start:stop] for name in owned]
        group = [name for name in inside if self._groups.get(name) == self._groups.get(inside[0])]
        every = [name for name, _ in self._network.named_parameters()]
        for names in (inside, group):
            path = _shared_path(names)
            for depth in range(1, len(path) + 1):  # the outermost that has no other parameters
                whole = ".".join(path[:depth])
                if all(name in inside for name in every if name.startswith(f"{whole}.")):
                    return whole
        steps = zip(self.order[start:stop], self._owned[start:stop], strict=True)
        return next((str(node.target) for node, owned in steps if owned and node.op == "call_module"), inside[0])


def _shared_path(names: Iterable[str]) -> list[str]:
    """Return the path of the innermost module that has all the parameters named, empty for the network itself."""
    levels = zip(*(name.split(".")[:-1] for name in names), strict=False)
    return [level[0] for level in itertools.takewhile(lambda level: len(set(level)) == 1, levels)]


def _is_plain(value: object) -> bool:
    """Whether a value can be written into a graph and does not depend on the number of examples."""
    if isinstance(value, tuple | list):
        return all(_is_plain(one) for one in value)
    if isinstance(value, int):
        return value % EXAMPLES != 0 or value == 0
    return value is None or isinstance(value, float | str | slice | torch.dtype)
