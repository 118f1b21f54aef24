"""How a task's data are named: a family, an address such as `folder:photos`, and what a config says of them."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from pydantic import ValidationError

from bench.domains.contract import Domain
from bench.domains.options import DataOptions
from bench.domains.registered import all_domains, domain_of, families
from bench.errors import nearest
from bench.targets.registered import written_as, written_kinds

ADDRESSES: Final = ("folder", "csv", "torchvision", "torchaudio", "conll", "hf", "python")
"""The kinds of address."""

OWN: Final = "own"
"""The field that holds the options of a domain of its own; nobody names it."""

ONE_SPLIT: Final = ("test_share", "split_seed", "held_out", "split")
"""Options of which every one says that there is one split."""

OF_BUNDLED: Final = frozenset({"metric"})
"""Options that a bundled task has too."""


FOLDS: Final = 5
"""Fewest folds that data without a split are dealt into, as far as there are examples or groups for it."""


class DataSpec(NamedTuple):
    """Which data a task is about: `family` alone for a bundled task, else with the `address` of the data.

    An address is a kind and a place, such as `folder:photos/ants` or `torchvision:CIFAR10`. `folds` are as many as data
    are dealt into that come without a split.
    """

    family: str
    address: str = ""
    options: DataOptions = DataOptions()
    folds: int = FOLDS

    @property
    def kind(self) -> str:
        """How the data are kept, such as "folder"."""
        return self.address.partition(":")[0]

    @property
    def place(self) -> str:
        """Where they are, or what they are called there."""
        return self.address.partition(":")[2]


def options_of(table: DataOptions) -> DataOptions:
    """Return the options that a table sets, without what else it holds."""
    said = {name: getattr(table, name) for name in table.model_fields_set if name in DataOptions.model_fields}
    return DataOptions(**said)


class Separated(NamedTuple):
    """What is said of data, with the options that the domain alone has as one model, and what is wrong with these."""

    said: dict[str, Any]
    problems: tuple[str, ...]


def separate_own(family: str, said: Mapping[str, Any]) -> Separated:
    """Return what is said of data of a family, by name, with the options that its domain has of its own apart."""
    domain = domain_of(family)
    owners = {name: other for other in (*all_domains().values(), domain) for name in own_names(other)}
    mine = {name: said[name] for name in own_names(domain) if name in said}
    usual = {name: value for name, value in said.items() if name != OWN and name not in owners}
    problems = [f"{OWN}: unknown key"] if OWN in said else []
    problems += (
        f"{name}: says nothing of {family} (only of {owners[name].name})"
        for name in said
        if name in owners and name not in mine
    )
    if domain.own_options and mine:
        try:
            usual[OWN] = domain.own_options.model_validate(mine)
        except ValidationError as error:
            problems += (f"{one['loc'][0]}: {one['msg'][:1].lower()}{one['msg'][1:]}" for one in error.errors())
    return Separated(usual, tuple(problems))


def own_names(domain: Domain) -> Iterable[str]:
    """Return the names of the options that a domain has of its own, without those that all have."""
    fields = domain.own_options.model_fields if domain.own_options else {}
    return [name for name in fields if name not in DataOptions.model_fields]


def problems_of(spec: DataSpec) -> Iterator[str]:
    """Yield a line for everything that does not go together in a description of data."""
    said = spec.options.model_fields_set
    if not spec.address:
        yield from (f"{name}: a bundled task has no such option" for name in sorted(said - OF_BUNDLED))
        return
    domain = domain_of(spec.family)
    if spec.kind not in ADDRESSES or not spec.place:
        known = ", ".join(f"{kind}:…" for kind in ADDRESSES)
        yield f"data: an address is one of {known}, got {spec.address!r}{nearest(spec.kind, ADDRESSES)}"
    elif spec.kind not in domain.addresses:
        yield f"data: {spec.kind}: holds {' or '.join(families(spec.kind))}, not {spec.family}"
    for name in sorted(said - domain.options - {OWN}):
        others = [other.name for other in all_domains().values() if name in other.options]
        if others:
            yield f"{name}: says nothing of {spec.family} (only of {', '.join(others)})"
    if spec.options.test == "folds":
        idle = [name for name in ONE_SPLIT if name in said]
        if idle:
            yield f'test: "folds" tests every example once: leave {" and ".join(idle)} out, or say test = "one"'
    if spec.options.combine is not None and spec.options.score_by is None:
        yield "combine: says how predictions are combined of what is scored as one: say what that is (score_by)"
    if spec.options.target is not None and "target" in domain.options:
        yield from _problems_of_target(spec.options.target, spec, domain)


def _problems_of_target(target: str, spec: DataSpec, domain: Domain) -> Iterator[str]:
    known = [name for name, _ in written_kinds()]
    if target not in known:
        yield f"target: unknown target {target!r}{nearest(target, known)} (there are: {', '.join(known)})"
        return
    written = written_as(target)
    if written and written.in_words and not (domain.cells and domain.cells.tagged):
        yield f"target: {target} are those of words, and {spec.family} has none"
    if spec.options.labels and not (written and written.several):
        yield f'labels: columns of yes and no are several labels: leave target = "{target}" out'
