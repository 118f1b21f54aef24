"""Cutting a network into stages: its graph is cut where one tensor crosses from one group to the next.

The network is traced once, on examples without values, into a list of nodes in the order in which they run. A place
between two nodes is clean, so that the list may be cut there, if exactly one tensor of examples made above it is used
below it, and neither a parameter nor a group of modules has nodes on both sides: a residual connection that spans the
place is a second tensor, and a block of a network is a group. Of the clean places between two groups with weights the
last is taken, so that norms and activations end the stage whose outputs they change. What crosses a place without
coming from the examples (a number, their count, a table of positions) is made again in each piece.
"""

import itertools
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, fx, nn

from bench.backbone import Stage
from bench.backbones.vision.tracing import EXAMPLES, META, Follower, Groups, trace

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
    nodes = _Nodes(network, groups, trace(network, groups, shape))
    bounds = [0, *nodes.cuts(), len(nodes.order)]
    return [nodes.piece(start, stop) for start, stop in itertools.pairwise(bounds)]


class _Nodes:
    """The nodes of a graph in the order in which they run, what each of them yields and which parameters it has."""

    def __init__(self, network: nn.Module, groups: Groups, follower: Follower) -> None:
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
                continue  # both sides must have something to learn
            if found and not any(weighty[found[-1] : place]):
                found.pop()  # what lies between has no weights: a norm or an activation is no stage of its own
            found.append(place)
        return found

    def piece(self, start: int, stop: int) -> Piece:
        """Return the nodes from `start` to before `stop` as a segment."""
        graph = fx.Graph()
        # What crosses the upper cut is the segment's input. Nodes are copied into a new graph, in which they look up
        # the copies of what they used; what was made above the cut, but not of the examples, is made anew by `fetch`.
        values = graph.placeholder("values")
        copies = {self._crossing[start][0] if start else self._input: values}

        def fetch(node: fx.Node) -> Any:  # noqa: ANN401 - any argument of a node
            kind = self._kinds[node]
            if kind == "plain":
                return self._seen[node]
            if node not in copies:
                if kind == "count":  # differs from batch to batch, and the segment's own input has it too
                    copies[node] = graph.call_method("size", (values, 0))
                elif kind == "device":
                    copies[node] = graph.call_function(getattr, (values, "device"))
                else:
                    assert kind == "fixed", f"{node} is needed before it was made"
                    # Made of buffers alone, such as a mask or a grid of positions: the traced value holds for all.
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
            return "flow" if value.device == META else "fixed"
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
                # It crosses every place from behind its own node up to the last node that uses it. The network's
                # result is used by whatever comes after, so that it crosses the end of the list as well.
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
        # A cut before node p has the nodes 0 … p - 1 above it: between the first and the last node of a span there is
        # none that leaves the span whole.
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
