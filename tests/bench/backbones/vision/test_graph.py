"""Networks are cut where one tensor crosses, and nowhere else."""

import pytest
import torch
from torch import Tensor, nn

from bench.backbones.vision.graph import cut
from bench.backbones.vision.structure import MANY, declared_groups, nested_groups
from bench.errors import WeightsError

SHAPE = (4,)


class Chain(nn.Module):
    """Three layers, of which a subclass says how they are put together."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two, self.three = (nn.Linear(4, 4) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        return self.three(self.two(self.one(x)).relu())  # type: ignore[no-any-return]


class Skipping(Chain):
    """What the first says is needed after the second, too."""

    def forward(self, x: Tensor) -> Tensor:
        first = self.one(x)
        return self.three(self.two(first) + first)  # type: ignore[no-any-return]


class LateSkip(Chain):
    """What the first says is needed after all."""

    def forward(self, x: Tensor) -> Tensor:
        first = self.one(x)
        return self.three(self.two(first)) + first  # type: ignore[no-any-return]


class Tied(Chain):
    """The first and the last layer have one weight."""

    def __init__(self) -> None:
        super().__init__()
        self.three.weight = self.one.weight


class Tabled(Chain):
    """Every layer reads a table made from a buffer, and the number of examples."""

    def __init__(self) -> None:
        super().__init__()
        self.angles = nn.Buffer(torch.arange(4.0), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        n, table = x.shape[0], self.angles.sin()
        for layer in (self.one, self.two, self.three):
            x = layer(x + table.expand(n, -1))
        return x


class Forking(Chain):
    """The way depends on the shape."""

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[1] == SHAPE[0]:
            return super().forward(x)
        return x


class Judging(Chain):
    """The way depends on the values."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) if x.sum() > 0 else x


class Opaque(Chain):
    """What it does with the shape cannot be written down."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x * float(x.shape[1]))


class Unused(Chain):
    """One layer does not take part."""

    def forward(self, x: Tensor) -> Tensor:
        return self.three(self.one(x))  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("network", "names"),
    [
        (Chain(), ["one", "two", "three"]),
        (Skipping(), ["one", "two", "three"]),
        (LateSkip(), ["one", "two"]),
        (Tied(), ["one"]),
        (Tabled(), ["one", "two", "three"]),
        (Forking(), ["one", "two", "three"]),
        (Unused(), ["one", "three"]),
    ],
)
def test_a_network_is_cut_where_one_tensor_crosses(network: nn.Module, names: list[str]) -> None:
    pieces = cut(network.eval(), nested_groups(network), SHAPE)
    assert [piece.name for piece in pieces] == names
    inputs = torch.randn(3, *SHAPE)
    values = inputs
    for piece in pieces:
        values = piece.segment(values)
    torch.testing.assert_close(values, network(inputs))
    owned = [id(parameter) for piece in pieces for parameter in piece.segment.parameters()]
    assert len(owned) == len(set(owned))


def test_what_does_not_take_part_is_left_out() -> None:
    network = Unused().eval()
    names = {
        name for piece in cut(network, nested_groups(network), SHAPE) for name, _ in piece.segment.named_parameters()
    }
    assert not any("two" in name for name in names)


def test_a_way_that_depends_on_the_values_is_refused() -> None:
    with pytest.raises(WeightsError, match="the forward pass of Judging cannot be traced"):
        cut(Judging().eval(), nested_groups(Judging()), SHAPE)


def test_a_part_that_cannot_be_followed_is_left_whole() -> None:
    network = nn.Sequential(Opaque(), Chain(), nn.Linear(4, 2)).eval()
    groups = {name: name.rpartition(".")[0] for name, _ in network.named_parameters()}  # Opaque would be looked into
    assert [piece.name for piece in cut(network, groups, SHAPE)] == ["0", "1.one", "1.two", "1.three", "2"]


def test_stages_begin_where_the_user_says() -> None:
    network = nn.Sequential(Chain(), Chain(), nn.ModuleDict({"last": Chain()})["last"]).eval()
    pieces = cut(network, declared_groups(network, "0.two,2"), SHAPE)
    assert [piece.name for piece in pieces] == ["0.one", "0.two", "2"]


def test_a_norm_alone_is_no_stage() -> None:
    network = nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4), nn.Linear(4, 4), nn.LayerNorm(4)).eval()
    assert [piece.name for piece in cut(network, nested_groups(network), SHAPE)] == ["0", "2"]


class Nested(nn.Module):
    """A sequence of single layers, of layers that belong together, and of sequences of blocks."""

    def __init__(self, blocks: int) -> None:
        super().__init__()
        stem = nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4))
        self.features = nn.Sequential(stem, nn.Sequential(*(Chain() for _ in range(blocks))), nn.Linear(4, 4))

    def forward(self, x: Tensor) -> Tensor:
        return self.features(x)  # type: ignore[no-any-return]


def test_blocks_are_the_elements_of_sequences() -> None:
    groups = set(nested_groups(Nested(2)).values())
    assert groups == {"features.0", "features.1.0", "features.1.1", "features.2"}


def test_of_many_blocks_those_of_a_sequence_are_taken_together() -> None:
    assert set(nested_groups(Nested(MANY)).values()) == {"features.0", "features.1", "features.2"}
