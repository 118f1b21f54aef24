"""The strategy `classical`: a model that is older than pretrained networks, in the backbone's place."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

from bench.budget import Budget
from bench.column import Column
from bench.context import Context
from bench.domain import DomainName
from bench.domains.registered import domain_named
from bench.errors import DataError
from bench.registry import RIVALS as RIVAL_MODELS
from bench.registry import load_class
from bench.strategy import RIVALS, Model, PenaltyRecipe, Seeds, Start, Strategy
from bench.subsets.seeds import Purpose
from bench.target import Target

if TYPE_CHECKING:
    from bench.rivals.rival import Rival


class Classical(Strategy, PenaltyRecipe):
    """A classical model: the first of those that the target names which the domain of the task allows.

    No backbone is needed, and one that has nothing to learn needs no labels either.
    """

    kind: ClassVar[str] = "classical"
    requires: ClassVar[frozenset[str]] = frozenset({RIVALS})
    together: ClassVar[bool] = True

    @property
    def start(self) -> Start:
        return "nothing"

    @property
    def streams(self) -> tuple[Purpose, ...]:
        return ("subset",)

    def lacks(self, target: Target, domain: DomainName) -> str:
        found = find_rival(target, domain)
        return "" if found else f"there is no classical model that predicts {target.name} in the domain {domain!r}"

    def learns(self, target: Target, domain: DomainName) -> bool:
        found = find_rival(target, domain)
        return found is not None and found.learns

    def fit(self, context: Context, budgets: Sequence[Budget[Column]], seeds: Sequence[Seeds]) -> Iterator[Model]:
        """Yield the models. Raises `DataError` if there is no classical model, or no label to learn from."""
        from bench.probing.heads import Penalties  # noqa: PLC0415 (loads torch)

        target, domain = context.target, context.train.raw.domain
        rival = find_rival(target, domain)
        if rival is None:
            raise DataError(f"{self.lacks(target, domain)}: leave out strategies of the kind {self.kind}")
        models = rival.fit(
            context,
            [budget for budget in budgets if len(budget.rows) or not rival.learns],
            Penalties(self.penalties, self.default_penalty),
        )
        for budget in budgets:
            if rival.learns and not len(budget.rows):
                raise DataError(f"a budget of {budget.asked} has no labels for the classical model to learn from")
            yield next(models)


def find_rival(target: Target, domain: DomainName) -> "Rival | None":
    """Return the classical model of a target in a domain: the first that finds there what it needs; or None."""
    from bench.rivals.rival import Rival  # noqa: PLC0415 (for this kind of strategy alone)

    offered = domain_named(domain).offers
    for name in target.rivals:
        rival = load_class(RIVAL_MODELS, name, Rival)()  # type: ignore[type-abstract]  # what it finds is concrete
        if rival.needs in offered and rival.predicts(target):
            return rival
    return None
