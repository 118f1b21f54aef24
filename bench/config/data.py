"""How a task's data are named: a family, an address such as `folder:photos`, and what a config says of them."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Final, Literal, NamedTuple, TypeVar

from annotated_types import Ge, Gt, Interval, Len
from pydantic import BaseModel, ConfigDict, InstanceOf, SerializeAsAny, ValidationError

from bench.domains.contract import Domain, DomainOptions
from bench.domains.registered import all_domains, domain_of, families
from bench.errors import nearest
from bench.targets.registered import written_as, written_kinds

Count = Annotated[int, Gt(0)]

ADDRESSES: Final = ("folder", "csv", "torchvision", "torchaudio", "conll", "hf", "python")
"""The kinds of address."""

OWN: Final = "own"
"""The field that holds the options of a domain of its own; nobody names it."""

Own = TypeVar("Own", bound=DomainOptions)

OF_BUNDLED: Final = frozenset({"metric"})
"""Options that a bundled task has too."""


class DataOptions(BaseModel):
    """What a task may say of its data, beside where they are. What is not said is found out, or has the default here.

    Splits: `test_share` of the examples is held out, stratified, and whole groups of them, if the data do not come
    split. `split` names the column that says train or test. `group` names the column (for files: a regular expression
    with one group, searched in the path within the folder) of what must not be on both sides, such as a speaker or a
    patient; `held_out` lists the groups to test on. `counts` are the rows of training, validation and test of a series;
    nothing is chosen on the validation rows, and nothing learnt from them.

    `score_by` names, as `group` does, what is scored as one, such as a patient of whom there are several pictures:
    before every metric the predictions of its examples are combined, by `combine`: "mean", or, where the target is any
    number of labels, also "maximum". It is the group too where none is named. Budgets still count examples.

    `target` is what the labels are: one of several "classes", a "value", any number of "labels", "tags" of words, or
    what an installed package offers. What is not said is guessed from the labels, and told.

    Columns: `text`, `label`, `image` and `audio` name those of a table, which is written in `encoding`; `inputs` names
    that of the examples of a domain without an option of its own. `time`,
    `series` and `values` those of a table of series. Several labels are in one cell, with a `separator` between them,
    or `labels` names a column of yes and no for each. `config` and `revision` are those of a data set on a hub.

    Recordings are resampled to `rate_hz`, and cut or padded to `seconds`. Forecasts are of `horizon` steps after
    `context` ones, with a cycle of `season` steps.

    `metric` names the metric of the task's target that ranks; without it that is the target's first. Of forecasts "mse"
    changes the unit that errors are counted in too: the standard deviation of the series, as benchmarks have it.

    `skip_bad` leaves out files that cannot be read, `fill` interpolates what a series lacks; otherwise both are
    refused, with a list.

    `own` holds what the domain has beside these (see `bench.domains.contract.DomainOptions`).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = ""
    licence: str = "not stated"
    citation: str = "not stated"
    source: str = ""

    test_share: Annotated[float, Interval(gt=0, lt=1)] = 0.25
    split_seed: Annotated[int, Ge(0)] = 0
    split: str | None = None
    group: str | None = None
    held_out: tuple[str, ...] = ()
    score_by: str | None = None
    combine: str | None = None
    skip_bad: bool = False
    metric: str | None = None

    target: str | None = None
    text: str = "text"
    label: str = "label"
    labels: tuple[str, ...] = ()
    separator: Annotated[str, Len(1)] = ";"
    image: str = "image"
    audio: str = "audio"
    inputs: str = "input"
    encoding: str = "utf-8"
    config: str | None = None
    revision: str | None = None

    rate_hz: Count = 16_000
    seconds: Annotated[float, Gt(0)] | None = None

    time: str | None = None
    series: str | None = None
    values: tuple[str, ...] = ()
    context: Count = 96
    horizon: Count = 24
    season: Count | None = None
    frequency: str | None = None
    counts: tuple[Count, Annotated[int, Ge(0)], Count] | None = None
    fill: bool = False
    own: SerializeAsAny[InstanceOf[DomainOptions]] | None = None

    def own_as(self, kind: type[Own]) -> Own:
        """Return the options that a domain has of its own, as its readers know them."""
        return self.own if isinstance(self.own, kind) else kind()

    @property
    def error(self) -> Literal["mase", "mse"]:
        """Whose unit the errors of forecasts are counted in."""
        return "mse" if self.metric == "mse" else "mase"


class DataSpec(NamedTuple):
    """Which data a task is about: `family` alone for a bundled task, else with the `address` of the data.

    An address is a kind and a place, such as `folder:photos/ants` or `torchvision:CIFAR10`.
    """

    family: str
    address: str = ""
    options: DataOptions = DataOptions()

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
