"""The strategy `as_it_came`: the backbone with what came with it. It uses no label, however many there are."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

from bench.budget import Budget
from bench.column import Column
from bench.context import Context
from bench.strategy import BACKBONE, BROUGHT_HEAD, Cost, Model, Seeds, Start, Strategy
from bench.subsets.seeds import Purpose


class AsItCame(Strategy):
    """Nothing is learnt: the head or the whole reader that came with the backbone."""

    kind: ClassVar[str] = "as_it_came"
    requires: ClassVar[frozenset[str]] = frozenset({BACKBONE, BROUGHT_HEAD})
    together: ClassVar[bool] = True

    @property
    def start(self) -> Start:
        return "pretrained"

    @property
    def streams(self) -> tuple[Purpose, ...]:
        return ()

    def fit(self, context: Context, budgets: Sequence[Budget[Column]], seeds: Sequence[Seeds]) -> Iterator[Model]:
        from torch import nn  # noqa: PLC0415 (takes seconds)

        from bench.runtime.precision import frozen_precision  # noqa: PLC0415 (loads torch)
        from bench.training.adapted import AdaptedNetwork, count_parameters, fresh_reader  # noqa: PLC0415 (loads torch)
        from bench.training.context import network_of  # noqa: PLC0415 (loads torch)

        network = network_of(context)
        precision = frozen_precision(network.device)
        for budget in budgets:
            reader = fresh_reader(network, budget.labels.take([]), brought=True)
            cost = Cost(
                seconds=0.0,
                precision=precision,
                total_parameters=count_parameters(network.backbone) + count_parameters(reader.head),
                work=tuple(network.frozen_work(network.n_stages, reader.readout)),
            )
            yield AdaptedNetwork(network, network.n_stages, nn.ModuleList(), reader, cost, precision)
