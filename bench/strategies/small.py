"""The strategy `small`: the small network of a domain, trained from random weights in the backbone's place."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import ClassVar
from uuid import uuid4

from bench.budget import Budget
from bench.cell import LOADING, Work
from bench.column import Column
from bench.context import Context
from bench.domain import DomainName
from bench.domains.registered import domain_named
from bench.errors import DataError
from bench.readout import Kind
from bench.strategy import LABELS, LoopRecipe, Model, RateRecipe, Seeds, Start, Strategy
from bench.subsets.seeds import VARIED, Purpose
from bench.target import Target


class Small(Strategy, LoopRecipe, RateRecipe):
    """A small network that the domain names, such as LeNet for pictures, trained as a whole under a fresh head.

    Training a large backbone from random weights is a weak rival where labels are few. This one is not trained before
    either, but of a size for few labels. It sees no backbone, and is the same beside all of them.
    """

    kind: ClassVar[str] = "small"
    requires: ClassVar[frozenset[str]] = frozenset({LABELS})
    exportable: ClassVar[bool] = False

    @property
    def start(self) -> Start:
        return "random"

    @property
    def streams(self) -> tuple[Purpose, ...]:
        return VARIED

    @property
    def trained_fraction(self) -> float:
        return 1.0

    def lacks(self, target: Target, domain: DomainName) -> str:
        if domain_named(domain).small is None:
            return f"the domain {domain!r} names no small network"
        if target.readout.kind is not Kind.POOLED:
            return f"{target.name} needs {target.readout.kind} features, which a small network does not have"
        return ""

    def fit(self, context: Context, budgets: Sequence[Budget[Column]], seeds: Sequence[Seeds]) -> Iterator[Model]:
        """Yield the models. Raises `DataError` if the domain has no small network for the target."""
        from bench.training.adapted import drawn_stages  # noqa: PLC0415 (loads torch)
        from bench.training.choosing import fit_at_rate  # noqa: PLC0415 (loads torch)
        from bench.training.context import see_through  # noqa: PLC0415 (loads torch)
        from bench.training.fitting import NetworkPlan, stage_rates  # noqa: PLC0415 (loads torch)

        raw = context.train.raw
        make = domain_named(raw.domain).small
        lacking = self.lacks(context.target, raw.domain)
        if make is None or lacking:
            raise DataError(f"{lacking}: leave out strategies of the kind {self.kind}")
        start = time.perf_counter()
        network = see_through(context, make(raw))
        loading = Work(LOADING, uuid4().hex, time.perf_counter() - start)
        for budget, seed in zip(budgets, seeds, strict=True):
            begin = partial(drawn_stages, network, 0, seed.initialisation)
            plan = NetworkPlan(0, self, begin=begin, learns=partial(stage_rates, recipe=self))
            model = fit_at_rate(network, budget, seed, plan, choice=self, probe=None)
            yield replace(model, cost=replace(model.cost, work=(*model.cost.work, loading)))
