"""Low-rank adapters: they begin as nothing, end as plain weights, and are put where they are asked for."""

from pathlib import Path
from typing import Final

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

from bench.backbone import Batch, Stage
from bench.budget import ALL
from bench.domain import Raw
from bench.errors import ConfigError
from bench.planning.budgets import Budgets
from bench.readout import POOLED
from bench.runtime.cache import Cache
from bench.strategies.lora import Lora
from bench.strategy import Seeds
from bench.targets.classes import LABEL
from bench.training.adapted import AdaptedNetwork
from bench.training.adapters import adapter_rates, add_adapters, layers_to_adapt, merge_adapters
from bench.training.context import NetworkContext
from tests.toys import QUICK, SIDE, WIDTH, ToyBackbone, ToyTask, toy_split

RANK: Final = 2
SEEDS: Final = Seeds(0, 0)


class Mixed(Stage):
    """Layers of several kinds, some of which cannot be adapted: attention takes the weights of its own away from it."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(4, 4)
        self.tied = nn.Linear(4, 4)
        self.again = nn.Linear(4, 4)
        self.again.weight = self.tied.weight
        self.attention = nn.MultiheadAttention(4, 2, batch_first=True)
        self.transposed = Conv1D(4, 4)
        nn.init.normal_(self.transposed.weight)
        self.convolution = nn.Conv2d(1, 3, 3, padding=1)
        self.grouped = nn.Conv2d(3, 3, 3, padding=1, groups=3)

    def forward(self, values: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return values [n, positions, 4] after all layers."""
        values = self.again(self.tied(self.first(values)))
        attended, _ = self.attention(values, values, values)
        out: Tensor = self.grouped(self.convolution(self.transposed(attended.contiguous())[:, None])).mean(1)
        return out


class MixedBackbone(ToyBackbone):
    """Two such stages, on pictures of which three rows are seen."""

    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.stages = nn.ModuleList([Mixed(), Mixed()])

    def prepare(self, raw: Raw) -> Batch:
        return Batch(super().prepare(raw).values[:, :12].view(-1, 3, 4))


def mixed() -> nn.ModuleList:
    return MixedBackbone().stages


def layers(pattern: str = "") -> list[tuple[str, ...]]:
    return layers_to_adapt(MixedBackbone(), toy_split().test.raw.take(np.array([0])), POOLED, pattern)


def run(network: nn.ModuleList) -> Tensor:
    values = torch.linspace(-1, 1, 24).view(2, 3, 4)
    with torch.no_grad():
        for stage in network:
            values = stage(values)
    return values


def moved(network: nn.ModuleList) -> nn.ModuleList:
    """Return a network whose adapters are no longer nothing."""
    generator = torch.Generator().manual_seed(1)
    for parameter in network.parameters():
        if parameter.requires_grad:
            parameter.data += torch.randn(parameter.shape, generator=generator) * 0.2
    return network


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("", ("first", "transposed")),
        (".*", ("first", "transposed", "convolution")),
        ("fi.*|conv.*", ("first", "convolution")),
        ("fi", ()),
    ],
)
def test_layers_are_the_linear_ones_or_those_whose_whole_name_matches(pattern: str, expected: tuple[str, ...]) -> None:
    assert layers(pattern) == [expected, expected]


@pytest.mark.parametrize("pattern", ["", ".*", "first|conv.*"])
def test_adapters_begin_as_nothing_and_are_merged_into_plain_weights(pattern: str) -> None:
    plain, network = mixed(), mixed()
    add_adapters(network, layers(pattern), rank=RANK, alpha=4, seed=0)
    torch.testing.assert_close(run(network), run(plain))
    adapted = run(moved(network))
    assert (adapted - run(plain)).abs().max() > 1e-3
    merged = merge_adapters(network)
    torch.testing.assert_close(run(merged), adapted, atol=1e-5, rtol=1e-4)
    assert merged.state_dict().keys() == plain.state_dict().keys()
    assert all(parameter.requires_grad for parameter in merged.parameters())
    before, after = plain.state_dict(), merged.state_dict()
    changed = {name for name in after if not torch.equal(after[name], before[name])}
    assert changed == {f"{place}.{name}.weight" for place, names in enumerate(layers(pattern)) for name in names}
    for name in changed:
        update = (after[name] - before[name]).flatten(1)
        assert torch.linalg.matrix_rank(update, atol=1e-5) <= RANK * (1 if update.shape[1] < 9 else 3), name


def test_the_factor_that_is_drawn_comes_from_the_seed() -> None:
    def drawn(seed: int) -> Tensor:
        rates = adapter_rates(add_adapters(mixed(), layers(), rank=RANK, alpha=4, seed=seed), Lora(**QUICK))
        return torch.cat([parameter.flatten() for rate in rates for parameter in rate.parameters])

    torch.manual_seed(7)
    first = drawn(0)
    assert torch.equal(drawn(0), first)
    assert not torch.equal(drawn(1), first)


def test_the_uppermost_adapters_learn_fastest() -> None:
    network = add_adapters(mixed(), layers(), rank=RANK, alpha=4, seed=0)
    upper, lower = adapter_rates(network, Lora(learning_rate=0.1, layer_decay=0.5))
    assert (upper.learning_rate, lower.learning_rate) == (0.1, 0.05)
    assert {id(parameter) for parameter in upper.parameters} <= {id(parameter) for parameter in network[1].parameters()}


class Bare(Stage):
    """A stage without a linear layer."""

    def forward(self, values: Tensor, mask: Tensor | None = None) -> Tensor:
        return values


class Convolved(Bare):
    """A stage with a convolution and nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(1, 1, 1)

    def forward(self, values: Tensor, mask: Tensor | None = None) -> Tensor:
        out: Tensor = self.conv(values[:, None])[:, 0]
        return out


def context_of(folder: Path, backbone: ToyBackbone) -> NetworkContext:
    split = toy_split()
    return NetworkContext(
        "toy",
        ToyTask.target,
        split,
        backbone,
        needed=np.arange(len(split.train)),
        boundaries=frozenset({0, 4}),
        content="toy",
        cache=Cache(folder),
        device=torch.device("cpu"),
    )


def fit(strategy: Lora, context: NetworkContext) -> AdaptedNetwork:
    split = toy_split()
    budget = Budgets(ToyTask.target, split.train.labels[LABEL], None).draw(ALL, 0)
    [model] = strategy.fit(context, [budget], [SEEDS])
    assert isinstance(model, AdaptedNetwork)
    return model


def test_what_lies_below_the_first_adapter_is_frozen(tmp_path: Path) -> None:
    backbone = ToyBackbone()
    strategy = Lora(name="lora", rank=RANK, layers="linear", **QUICK)
    backbone.stages[1] = Bare()
    backbone.stages[0] = Bare()
    backbone.stages[2].linear = nn.Linear(16, WIDTH)
    model = fit(strategy, context_of(tmp_path, backbone))
    assert model.frozen == 2
    head = 3 * (WIDTH + 1)
    assert model.cost.trainable_parameters == head + RANK * (16 + WIDTH) + RANK * (WIDTH + WIDTH)
    assert model.cost.total_parameters == sum(one.numel() for one in backbone.parameters()) + head


def test_a_network_without_layers_to_adapt_is_refused_with_what_there_is(tmp_path: Path) -> None:
    backbone = ToyBackbone()
    context = context_of(tmp_path, backbone)
    with pytest.raises(
        ConfigError, match=r"toy:dense has no layer whose name matches layers = 'query' in the upper 2 of"
    ):
        fit(Lora(name="lora", trained=0.5, layers="query", **QUICK), context)
    backbone.stages[3] = Convolved()
    with pytest.raises(
        ConfigError,
        match=r"matches layers = 'query' in the upper 1 of 4 .* 'lora' to adapt: set layers to .* of these: conv$",
    ):
        fit(Lora(name="lora", trained=0.25, layers="query", **QUICK), context)
    backbone.stages[3] = Bare()
    with pytest.raises(ConfigError, match="there is no Linear or Conv1D or Conv1d or Conv2d"):
        fit(Lora(name="lora", trained=0.25, **QUICK), context)


class Normed(Stage):
    """A convolution between pixels, normed: what a residual network is made of."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 3, padding=1)
        self.norm = nn.BatchNorm2d(1)

    def forward(self, values: Tensor, mask: Tensor | None = None) -> Tensor:
        out: Tensor = self.norm(self.conv(values)).tanh()
        return out


class Flat(Normed):
    """The same, and one vector of each picture."""

    def forward(self, values: Tensor, mask: Tensor | None = None) -> Tensor:
        return super().forward(values).flatten(1)[:, :WIDTH]


class Convolutions(ToyBackbone):
    """A network of nothing but convolutions and norms."""

    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.stages = nn.ModuleList([Normed(), Normed(), Normed(), Flat()])
        self.eval()

    def prepare(self, raw: Raw) -> Batch:
        return Batch(super().prepare(raw).values.view(-1, 1, SIDE, SIDE))


def test_of_a_network_of_convolutions_the_adapters_learn_and_all_else_stays(tmp_path: Path) -> None:
    backbone = Convolutions()
    model = fit(Lora(name="lora", trained=0.5, rank=RANK, batch_norm="batch", **QUICK), context_of(tmp_path, backbone))
    assert model.frozen == 2
    adapters = 2 * (RANK * 9 + RANK)  # of kernels of 3 x 3 from one channel to one
    assert model.cost.trainable_parameters == adapters + 3 * (WIDTH + 1)
    before, after = backbone.stages[2:].state_dict(), model.network.state_dict()
    assert before.keys() == after.keys()
    changed = {name for name in after if not torch.equal(after[name], before[name])}
    assert changed == {"0.conv.weight", "1.conv.weight"}, "neither biases nor norms nor their statistics"


def test_layers_are_a_regular_expression() -> None:
    with pytest.raises(ValidationError, match="no regular expression"):
        Lora(layers="(")
