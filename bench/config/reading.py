"""The config: `bench.toml` laid over the defaults and read into frozen suites, all its problems in one error."""

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, Final

from annotated_types import Ge, Len
from pydantic import BaseModel, ConfigDict, Field, PlainValidator, ValidationError
from pydantic_core import PydanticCustomError

from bench.budget import Asked, parse_asked
from bench.config.data import OWN, DataSpec, options_of, own_names, problems_of, separate_own
from bench.config.recipes import (
    Layer,
    common_problems,
    kinds_of,
    layer_problems,
    merge,
    strategy_problems,
    told,
)
from bench.config.suite import Entry, Suite
from bench.config.tuned import KEY as TUNED_KEY
from bench.config.tuned import TunedTable, find_tuned, layers_of, shipped_tables
from bench.domains.options import DataOptions
from bench.domains.registered import all_domains, families
from bench.errors import ConfigError, nearest, unknown_name
from bench.strategy import AUTO, BACKBONE, Strategy

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]


def _asked(value: object) -> Asked:
    """Return the budget that a value of TOML asks for: a float is a share, an integer a count of labels."""
    try:
        return parse_asked(str(value))
    except ConfigError as error:
        problem = 'neither a share in (0, 1], nor a whole number of labels, nor "all"'
        raise PydanticCustomError("budget", problem) from error


Budgets = Annotated[tuple[Annotated[Asked, PlainValidator(_asked)], ...], Len(1)]
Seeds = Annotated[int, Ge(1)]

RESERVED: Final = "overview"
CONFIG: Final = Path("bench.toml")
DEFAULTS: Final = Path(__file__).parent / "defaults.toml"

OF_OWN_DATA: Final[Layer] = MappingProxyType({"rates": AUTO})
"""Settings that lie below all others where data are named on the command line."""

RENAMED: Final = {"fractions": "budgets"}
"""Keys that configs had before, and what they are now."""


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class BackboneTable(_Table):
    """`[backbones."PATTERN"]`: settings for the backbones whose names match, of every strategy and of one."""

    shared: Layer = {}
    recipe: Mapping[str, Layer] = {}


class TaskTable(DataOptions):
    """`[tasks.NAME]`: family, data, the backbones to adapt, and recipes.

    The family is by default the task's name, as that of a bundled task; data that are named need that of a domain, and
    may have any of the options. `shared` is what the task sets for every strategy, `recipe` what it sets for one.
    """

    family: str = ""
    data: str = ""
    backbones: Annotated[tuple[str, ...], Len(1)]
    shared: Mapping[str, Any] = {}
    recipe: Mapping[str, Layer] = {}

    def spec(self, name: str) -> DataSpec:
        """Return which data the task `name` is about."""
        return DataSpec(self.family or name, self.data, options_of(self))


class SuiteTable(_Table):
    """`[suites.NAME]`: tasks, and what differs from the file's budgets, number of seeds, shifts and all recipes."""

    description: str = ""
    tasks: Annotated[tuple[str, ...], Len(1)]
    budgets: Budgets | None = None
    seeds: Seeds | None = None
    shifts: bool | None = None
    recipe: Layer = {}


class Config(_Table):
    """The whole of `bench.toml`, laid over the defaults."""

    budgets: Budgets
    seeds: Seeds
    fold_seeds: Seeds | None = None
    shifts: bool
    recipe: Layer = {}
    strategies: Annotated[Mapping[Name, Layer], Len(1)]
    backbones: Mapping[str, BackboneTable] = {}
    tuned: tuple[TunedTable, ...] = ()
    tasks: Mapping[Name, TaskTable] = {}
    suites: Mapping[Name, SuiteTable] = {}

    def suite(self, name: str) -> Suite:
        """Return the suite `name`, its recipes worked out. Raises `UnknownNameError` if there is none."""
        if name not in self.suites:
            raise unknown_name("suite", name, self.suites)
        table, kinds = self.suites[name], kinds_of(self.strategies)
        return Suite(
            name=name,
            budgets=tuple(sorted(set(table.budgets or self.budgets))),
            seeds=table.seeds or self.seeds,
            fold_seeds=table.seeds or self.fold_seeds,
            entries=tuple(
                Entry(
                    task,
                    self.tasks[task].spec(task),
                    backbone,
                    tuple(self._strategy(name, kinds[name], task, backbone, table.recipe) for name in kinds),
                    self._tuned_cards(task, backbone),
                )
                for task in table.tasks
                for backbone in self.tasks[task].backbones
            ),
            shifts=self.shifts if table.shifts is None else table.shifts,
        )

    def with_own_data(self, name: str, table: TaskTable) -> "Config":
        """Return the config with data as a task, and a suite of the same name that is this task alone.

        What nobody tuned recipes for has its rates chosen inside small budgets, unless the config says otherwise.
        """
        tasks, suites = {**self.tasks, name: table}, {**self.suites, name: SuiteTable(tasks=(name,))}
        return self.model_copy(update={"tasks": tasks, "suites": suites, "recipe": {**OF_OWN_DATA, **self.recipe}})

    def tuned_for(self, strategy: str, task: str, backbone: str) -> TunedTable | None:
        """Return the table of the tuned recipe that holds for a strategy on a task and backbone, or None."""
        alone = BACKBONE not in kinds_of(self.strategies)[strategy].requires
        table = self.tasks[task]
        named = "" if table.data else table.family or task
        return find_tuned(self.tuned, named, backbone, strategy, alone=alone)

    def _tuned_cards(self, task: str, backbone: str) -> dict[str, dict[str, Any]]:
        """Return how the recipes for a task and backbone were tuned, by the names of strategies, as far as they were.

        What the config sets for the task itself was not.
        """
        found = {name: self.tuned_for(name, task, backbone) for name in self.strategies}
        set_here = {name for name in self.strategies if self.tasks[task].recipe.get(name) or self.tasks[task].shared}
        return {name: table.card(name) for name, table in found.items() if table is not None and name not in set_here}

    def strategy(self, name: str) -> Strategy:
        """Return a strategy as its own table has it, on any backbone and task."""
        return merge(kinds_of(self.strategies)[name], name, [self.recipe, self.strategies[name]])

    def _strategy(self, name: str, kind: type[Strategy], task: str, backbone: str, of_suite: Layer) -> Strategy:
        """Return a strategy as it holds for a task and backbone.

        Raises `ConfigError` if its settings do not go together.
        """
        matching = [one for pattern, one in self.backbones.items() if fnmatchcase(backbone, pattern)]
        layers = [self.recipe, self.strategies[name]]
        for one in matching if BACKBONE in kind.requires else []:
            layers += [one.shared, one.recipe.get(name, {})]
        tuned = self.tuned_for(name, task, backbone)
        if tuned is not None:
            layers.append(tuned.strategies[name].recipe)
        layers += [self.tasks[task].shared, self.tasks[task].recipe.get(name, {})]
        try:
            return merge(kind, name, [*layers, of_suite])
        except ValidationError as error:
            raise ConfigError(f"the strategy {name!r} for the task {task!r} on {backbone}: {told(error)}") from error


def read_config(path: Path, bundled: Iterable[str]) -> Config:
    """Return the config in `path`, laid over the defaults; `bundled` are the task families that bring their data.

    Raises `ConfigError` naming the file and every problem in it.
    """
    said, defaults = _toml(path), _defaults()
    if "strategies" in said:
        del defaults["backbones"], defaults[TUNED_KEY]  # whose rates are for the strategies there
    if "seeds" in said:
        del defaults["fold_seeds"]  # what is said of seeds means data in folds too
    table = {**defaults, **said}
    problems = [*_recipe_problems(table), *_separate_own(table)]
    try:
        config = Config.model_validate(table)
    except ValidationError as error:
        raise ConfigError(listing(str(path), [*map(explain, error.errors()), *problems])) from error
    problems += _dangling(config, set(bundled))
    problems = problems or list(dict.fromkeys(_contradictions(config)))
    if problems:
        raise ConfigError(listing(str(path), problems))
    return config


def _separate_own(table: dict[str, Any]) -> Iterator[str]:
    """Put the options that a domain has of its own apart, in every task of a raw config; yield what is wrong."""
    tasks = _tables(table, "tasks")
    for name, said in tasks.items():
        family = said.get("family")
        if "data" in said and family in families():
            found = separate_own(family, said)
            table["tasks"] = {**table["tasks"], name: found.said}
            yield from (f"tasks.{name}.{problem}" for problem in found.problems)


def default_config() -> Config:
    """Return the config that holds where there is none: no tasks, no suites."""
    return Config.model_validate(_defaults())


def _defaults() -> dict[str, Any]:
    """Return the defaults, with the recipes that were tuned."""
    return {**_toml(DEFAULTS), TUNED_KEY: shipped_tables()}


def _toml(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        return tomllib.loads(text)
    except FileNotFoundError as error:
        raise ConfigError(f"there is no config {path}: run where a bench.toml is, or name one with --config") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read the config {path}: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from error


_TABLES: Final[Mapping[str, type[BaseModel]]] = {
    "backbones": BackboneTable,
    "tasks": TaskTable,
    "suites": SuiteTable,
}


def listing(what: str, problems: Iterable[str]) -> str:
    """Return one line that tells all problems of a file or an argument."""
    lines = list(problems)
    count = f"{len(lines)} problems" if len(lines) > 1 else "one problem"
    return f"{what} has {count}: " + "; ".join(lines)


def explain(error: "ErrorDetails", table: Sequence[str] = ()) -> str:
    """Return what is wrong with one key, in one line; `table` is the path of the table that was validated."""
    where = ".".join(str(part) for part in error["loc"] if part != "[key]")
    if error["type"] == "extra_forbidden":
        *inside, key = (str(part) for part in error["loc"])
        if key in RENAMED:
            return f"{where}: not read any more: write {RENAMED[key]}"
        return f"{where}: unknown key{nearest(key, _keys_of([*table, *inside]))}"
    if error["type"] == "missing":
        return f"{where}: missing"
    return f"{where}: {error['msg'][:1].lower()}{error['msg'][1:]}, got {error['input']!r}"


def _keys_of(table: Sequence[str]) -> Iterable[str]:
    """Return the keys that the table at a path may have; of a task those that some domain has of its own too."""
    usual = (_TABLES[table[0]] if table and table[0] in _TABLES else Config).model_fields
    own = all_domains().values() if table and table[0] == "tasks" else ()
    return [name for name in (*usual, *(name for domain in own for name in own_names(domain))) if name != OWN]


def _recipe_problems(said: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line for every setting of a strategy that cannot be, in whichever table of a raw config."""
    strategies = _tables(said, "strategies")
    kinds = kinds_of(strategies)
    everywhere = [("recipe", said.get("recipe"))]
    everywhere += [(f"suites.{name}.recipe", table.get("recipe")) for name, table in _tables(said, "suites").items()]
    for name, table in strategies.items():
        yield from strategy_problems(name, table)
    for section in ("backbones", "tasks"):
        for name, table in _tables(said, section).items():
            everywhere.append((f"{section}.{name}.shared", table.get("shared")))
            for strategy, layer in _tables(table, "recipe").items():
                if strategy in kinds:
                    yield from layer_problems(f"{section}.{name}.recipe.{strategy}", layer, kinds[strategy])
    for where, strategy, layer in layers_of(said):
        if strategy in kinds:
            yield from layer_problems(where, layer, kinds[strategy])
    for where, layer in everywhere:
        yield from common_problems(where, layer, kinds.values())


def _tables(said: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Return the tables under a key, without what is none."""
    found = said.get(key)
    tables = found.items() if isinstance(found, Mapping) else ()
    return {name: table for name, table in tables if isinstance(table, Mapping)}


def _contradictions(config: Config) -> Iterator[str]:
    """Yield a line for settings of a strategy that are sound one by one, but do not go together."""
    for name in config.strategies:
        try:
            config.strategy(name)
        except ValidationError as error:
            yield f"strategies.{name}: {told(error)}"
            return
    for name in config.suites:
        try:
            config.suite(name)
        except ConfigError as error:
            yield str(error)


def _dangling(config: Config, bundled: set[str]) -> Iterator[str]:
    """Yield a line for every name that refers to nothing or is taken, and for data that cannot be what is said."""

    def check(where: str, kind: str, name: str, known: Iterable[str]) -> Iterator[str]:
        if name not in set(known):
            yield f"{where}: {unknown_name(kind, name, known)}"

    if RESERVED in config.tasks:
        yield f"tasks.{RESERVED}: this is the name of the chart of all tasks: choose another"
    for name, suite in config.suites.items():
        for task in suite.tasks:
            yield from check(f"suites.{name}.tasks", "task", task, config.tasks)
    for name, table in config.tasks.items():
        known = families() if table.data else bundled
        yield from check(f"tasks.{name}.family", "task family", table.family or name, known)
        if (table.family or name) in known:
            yield from (f"tasks.{name}: {problem}" for problem in problems_of(table.spec(name)))
        for strategy in table.recipe:
            yield from check(f"tasks.{name}.recipe", "strategy", strategy, config.strategies)
