"""Owns the config: `bench.toml` laid over the defaults and read into frozen suites, all its problems in one error."""

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Self

from annotated_types import Ge, Interval, Len
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from bench.config.data import DOMAINS, DataOptions, DataSpec, options_of, problems_of
from bench.config.suite import Entry, Suite
from bench.errors import ConfigError, nearest, unknown_name
from bench.strategy import Recipe, Strategy

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
Fraction = Annotated[float, Interval(gt=0, le=1)]
Fractions = Annotated[tuple[Fraction, ...], Len(1)]
Seeds = Annotated[int, Ge(1)]

RESERVED: Final = "overview"
CONFIG: Final = Path("bench.toml")
DEFAULTS: Final = Path(__file__).parent / "defaults.toml"


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class StrategyTable(_Table):
    """`[strategies.NAME]`."""

    depth: Annotated[float, Interval(ge=0, le=1)]
    pretrained: bool = True
    classical: bool = False
    recipe: Recipe = Recipe()

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.classical and (self.pretrained or self.depth > 0):
            raise ValueError("a classical model has no stages and no pretraining: set depth = 0 and pretrained = false")
        if not (self.pretrained or self.classical) and self.depth < 1:
            raise ValueError("a strategy that starts from scratch trains all stages: set depth = 1")
        return self


class BackboneTable(_Table):
    """`[backbones."PATTERN"]`: recipes for the backbones whose names match, for every strategy and for one."""

    shared: Recipe = Recipe()
    recipe: Mapping[str, Recipe] = {}


class TaskTable(DataOptions):
    """`[tasks.NAME]`: family, data, the backbones to adapt, and recipes.

    The family is by default the task's name, as that of a bundled task; data that are named need one of `DOMAINS`, and
    may have any of the options. `shared` is what the task sets for every strategy, `recipe` what it sets for one.
    """

    family: str = ""
    data: str = ""
    backbones: Annotated[tuple[str, ...], Len(1)]
    shared: Recipe = Recipe()
    recipe: Mapping[str, Recipe] = {}

    def spec(self, name: str) -> DataSpec:
        """Return which data the task `name` is about."""
        return DataSpec(self.family or name, self.data, options_of(self))


class SuiteTable(_Table):
    """`[suites.NAME]`: tasks, and what differs from the file's fractions, number of seeds, shifts and all recipes."""

    description: str = ""
    tasks: Annotated[tuple[str, ...], Len(1)]
    fractions: Fractions | None = None
    seeds: Seeds | None = None
    shifts: bool | None = None
    recipe: Recipe = Recipe()


class Config(_Table):
    """The whole of `bench.toml`, laid over the defaults."""

    fractions: Fractions
    seeds: Seeds
    shifts: bool
    recipe: Recipe = Recipe()
    strategies: Annotated[Mapping[Name, StrategyTable], Len(1)]
    backbones: Mapping[str, BackboneTable] = {}
    tasks: Mapping[Name, TaskTable] = {}
    suites: Mapping[Name, SuiteTable] = {}

    def suite(self, name: str) -> Suite:
        """Return the suite `name`, its recipes worked out. Raises `UnknownNameError` if there is none."""
        if name not in self.suites:
            raise unknown_name("suite", name, self.suites)
        table = self.suites[name]
        return Suite(
            name=name,
            fractions=tuple(sorted(set(table.fractions or self.fractions))),
            seeds=table.seeds or self.seeds,
            entries=tuple(
                Entry(
                    task,
                    self.tasks[task].spec(task),
                    backbone,
                    tuple(self._strategy(name, task, backbone, table.recipe) for name in self.strategies),
                )
                for task in table.tasks
                for backbone in self.tasks[task].backbones
            ),
            shifts=self.shifts if table.shifts is None else table.shifts,
        )

    def with_task(self, name: str, table: TaskTable) -> "Config":
        """Return the config with a task, and a suite of the same name that is this task alone."""
        tasks, suites = {**self.tasks, name: table}, {**self.suites, name: SuiteTable(tasks=(name,))}
        return self.model_copy(update={"tasks": tasks, "suites": suites})

    def _strategy(self, name: str, task: str, backbone: str, of_suite: Recipe) -> Strategy:
        table = self.strategies[name]
        matching = (one for pattern, one in self.backbones.items() if fnmatchcase(backbone, pattern))
        of_backbone = [] if table.classical else list(matching)
        layers = [self.recipe, table.recipe]
        particular: list[BackboneTable | TaskTable] = [*of_backbone, self.tasks[task]]
        for one in particular:
            layers += [one.shared, one.recipe.get(name, Recipe())]
        said: dict[str, Any] = {}
        for layer in (*layers, of_suite):
            said |= layer.model_dump(exclude_unset=True)
        return Strategy(name, table.depth, table.pretrained, Recipe(**said), table.classical)


def read_config(path: Path, bundled: Iterable[str]) -> Config:
    """Return the config in `path`, laid over the defaults; `bundled` are the task families that bring their data.

    Raises `ConfigError` naming the file and every problem in it.
    """
    said, defaults = _toml(path), _toml(DEFAULTS)
    if "strategies" in said:
        del defaults["backbones"]  # whose rates are for the strategies there
    table = {**defaults, **said}
    try:
        config = Config.model_validate(table)
    except ValidationError as error:
        raise ConfigError(listing(str(path), map(explain, error.errors()))) from error
    problems = list(_dangling(config, set(bundled)))
    if problems:
        raise ConfigError(listing(str(path), problems))
    return config


def default_config() -> Config:
    """Return the config that holds where there is none: no tasks, no suites."""
    return Config.model_validate(_toml(DEFAULTS))


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
    "strategies": StrategyTable,
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
        return f"{where}: unknown key{nearest(key, _keys_of([*table, *inside]))}"
    if error["type"] == "missing":
        return f"{where}: missing"
    return f"{where}: {error['msg'][:1].lower()}{error['msg'][1:]}, got {error['input']!r}"


def _keys_of(table: Sequence[str]) -> Iterable[str]:
    """Return the keys that the table at a path may have."""
    if "recipe" in table or "shared" in table:
        return Recipe.model_fields
    return (_TABLES[table[0]] if table and table[0] in _TABLES else Config).model_fields


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
        known = DOMAINS if table.data else bundled
        yield from check(f"tasks.{name}.family", "task family", table.family or name, known)
        if (table.family or name) in known:
            yield from (f"tasks.{name}: {problem}" for problem in problems_of(table.spec(name)))
        for strategy in table.recipe:
            yield from check(f"tasks.{name}.recipe", "strategy", strategy, config.strategies)
