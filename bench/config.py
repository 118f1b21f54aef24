"""Owns the config: `bench.toml` read into frozen suites, every problem in it told in one error."""

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Self

from annotated_types import Ge, Interval, Len
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from bench.errors import ConfigError, nearest, unknown_name
from bench.strategy import Recipe, Strategy

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
Fraction = Annotated[float, Interval(gt=0, le=1)]
Fractions = Annotated[tuple[Fraction, ...], Len(1)]
Seeds = Annotated[int, Ge(1)]

RESERVED: Final = "overview"


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class StrategyTable(_Table):
    """`[strategies.NAME]`."""

    depth: Annotated[float, Interval(ge=0, le=1)]
    pretrained: bool = True
    recipe: Recipe = Recipe()

    @model_validator(mode="after")
    def _scratch_is_whole(self) -> Self:
        if not self.pretrained and self.depth < 1:
            raise ValueError("a strategy that starts from scratch trains all stages: set depth = 1")
        return self


class TaskTable(_Table):
    """`[tasks.NAME]`: the family (by default the task's name), the backbones to adapt, and recipes.

    `shared` is what the task sets for every strategy, `recipe` what it sets for one.
    """

    family: str = ""
    backbones: Annotated[tuple[str, ...], Len(1)]
    shared: Recipe = Recipe()
    recipe: Mapping[str, Recipe] = {}


class SuiteTable(_Table):
    """`[suites.NAME]`: tasks, and what differs from the file's fractions, number of seeds and all recipes."""

    description: str = ""
    tasks: Annotated[tuple[str, ...], Len(1)]
    fractions: Fractions | None = None
    seeds: Seeds | None = None
    recipe: Recipe = Recipe()


class Config(_Table):
    """The whole of `bench.toml`."""

    fractions: Fractions
    seeds: Seeds
    recipe: Recipe = Recipe()
    strategies: Annotated[Mapping[Name, StrategyTable], Len(1)]
    tasks: Annotated[Mapping[Name, TaskTable], Len(1)]
    suites: Annotated[Mapping[Name, SuiteTable], Len(1)]

    def suite(self, name: str) -> "Suite":
        """Return the suite `name`, its recipes worked out. Raises `UnknownNameError` if there is none."""
        if name not in self.suites:
            raise unknown_name("suite", name, self.suites)
        table = self.suites[name]
        return Suite(
            name=name,
            fractions=tuple(sorted(set(table.fractions or self.fractions))),
            seeds=table.seeds or self.seeds,
            entries=tuple(self._entry(task, table.recipe) for task in table.tasks),
        )

    def _entry(self, name: str, of_suite: Recipe) -> "Entry":
        table = self.tasks[name]
        strategies = tuple(
            Strategy(key, strategy.depth, strategy.pretrained, self._recipe(key, strategy, table, of_suite))
            for key, strategy in self.strategies.items()
        )
        return Entry(name, table.family or name, table.backbones, strategies)

    def _recipe(self, name: str, strategy: StrategyTable, task: TaskTable, of_suite: Recipe) -> Recipe:
        layers = (self.recipe, strategy.recipe, task.shared, task.recipe.get(name, Recipe()), of_suite)
        said: dict[str, Any] = {}
        for layer in layers:
            said |= layer.model_dump(exclude_unset=True)
        return Recipe(**said)


@dataclass(frozen=True, slots=True)
class Entry:
    """One task of a suite with its backbones and the strategies as they hold for it."""

    task: str
    family: str
    backbones: tuple[str, ...]
    strategies: tuple[Strategy, ...]


@dataclass(frozen=True, slots=True)
class Suite:
    """What to measure: every entry's backbones and strategies at every fraction and seed (0 to `seeds` - 1)."""

    name: str
    fractions: tuple[float, ...]
    seeds: int
    entries: tuple[Entry, ...]

    def select(
        self,
        *,
        tasks: Iterable[str] = (),
        strategies: Iterable[str] = (),
        fractions: Iterable[float] = (),
        seeds: int = 0,
    ) -> "Suite":
        """Return the suite narrowed to what is named; what is not named stays whole.

        Raises `UnknownNameError` for a task or strategy that is not in the suite, `ConfigError` for a fraction
        outside (0, 1].
        """
        wanted_tasks, wanted_strategies, wanted_fractions = set(tasks), set(strategies), set(fractions)
        _refuse_unknown("task", wanted_tasks, (entry.task for entry in self.entries))
        _refuse_unknown("strategy", wanted_strategies, (one.name for entry in self.entries for one in entry.strategies))
        for fraction in wanted_fractions:
            if not 0 < fraction <= 1:
                raise ConfigError(f"a fraction is a share of the training split, in (0, 1]: got {fraction:g}")
        entries = tuple(
            replace(
                entry,
                strategies=tuple(
                    one for one in entry.strategies if not wanted_strategies or one.name in wanted_strategies
                ),
            )
            for entry in self.entries
            if not wanted_tasks or entry.task in wanted_tasks
        )
        return Suite(self.name, tuple(sorted(wanted_fractions)) or self.fractions, seeds or self.seeds, entries)


def read_config(path: Path, families: Iterable[str]) -> Config:
    """Return the config in `path`; `families` are the task families that exist.

    Raises `ConfigError` naming the file and every problem in it.
    """
    try:
        text = path.read_text(encoding="utf-8")
        table = tomllib.loads(text)
    except FileNotFoundError as error:
        raise ConfigError(f"there is no config {path}: run where a bench.toml is, or name one with --config") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read the config {path}: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from error
    try:
        config = Config.model_validate(table)
    except ValidationError as error:
        raise ConfigError(_listing(path, (_explain(one) for one in error.errors()))) from error
    problems = list(_dangling(config, set(families)))
    if problems:
        raise ConfigError(_listing(path, problems))
    return config


_TABLES: Final[Mapping[str, type[BaseModel]]] = {
    "strategies": StrategyTable,
    "tasks": TaskTable,
    "suites": SuiteTable,
}


def _listing(path: Path, problems: Iterable[str]) -> str:
    lines = list(problems)
    count = f"{len(lines)} problems" if len(lines) > 1 else "one problem"
    return f"{path} has {count}: " + "; ".join(lines)


def _explain(error: "ErrorDetails") -> str:
    where = ".".join(str(part) for part in error["loc"] if part != "[key]")
    if error["type"] == "extra_forbidden":
        *table, key = (str(part) for part in error["loc"])
        return f"{where}: unknown key{nearest(key, _keys_of(table))}"
    if error["type"] == "missing":
        return f"{where}: missing"
    return f"{where}: {error['msg'][:1].lower()}{error['msg'][1:]}, got {error['input']!r}"


def _keys_of(table: Sequence[str]) -> Iterable[str]:
    """Return the keys that the table at a path may have."""
    if "recipe" in table or "shared" in table:
        return Recipe.model_fields
    return (_TABLES[table[0]] if table and table[0] in _TABLES else Config).model_fields


def _dangling(config: Config, families: set[str]) -> Iterator[str]:
    """Yield a line for every name that refers to nothing or is taken."""

    def check(where: str, kind: str, name: str, known: Iterable[str]) -> Iterator[str]:
        if name not in set(known):
            yield f"{where}: {unknown_name(kind, name, known)}"

    if RESERVED in config.tasks:
        yield f"tasks.{RESERVED}: this is the name of the chart of all tasks: choose another"
    for name, suite in config.suites.items():
        for task in suite.tasks:
            yield from check(f"suites.{name}.tasks", "task", task, config.tasks)
    for name, table in config.tasks.items():
        yield from check(f"tasks.{name}.family", "task family", table.family or name, families)
        for strategy in table.recipe:
            yield from check(f"tasks.{name}.recipe", "strategy", strategy, config.strategies)


def _refuse_unknown(kind: str, wanted: set[str], known: Iterable[str]) -> None:
    names = set(known)
    for name in sorted(wanted - names):
        raise unknown_name(kind, name, names)
