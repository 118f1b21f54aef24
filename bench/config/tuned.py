"""Recipes that `bench tune` made, with a card for each: which data, which grid, how many seeds, and when."""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from bench.config.recipes import Layer

TUNED: Final = Path(__file__).parent / "tuned.toml"

KEY: Final = "tuned"


class TunedStrategy(BaseModel):
    """The recipe of a strategy, with the mean score of the winner on each task that it was tuned on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    recipe: Layer
    scores: Mapping[str, float] = {}
    tried: int = 0


class TunedTable(BaseModel):
    """`[[tuned]]`: recipes for one task on a backbone, or without a task for every other task on it.

    `on` are the tasks whose training splits they were tuned on. Where the task itself is among them, its labels were
    used: `labels` of them, beside every budget.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: str = ""
    backbone: str
    on: tuple[str, ...]
    labels: int = 0
    date: str
    budgets: tuple[str, ...]
    seeds: int
    strategies: Mapping[str, TunedStrategy]

    def card(self, strategy: str) -> dict[str, Any]:
        """Return what a report has to know of where the recipe of a strategy is from."""
        entry = self.strategies[strategy]
        said = self.model_dump(mode="json", exclude={"strategies", "task", "backbone"})
        return {**said, "scores": dict(entry.scores), "tried": entry.tried}


def find_tuned(
    tables: Iterable[TunedTable], task: str, backbone: str, strategy: str, *, alone: bool
) -> TunedTable | None:
    """Return the table with the recipe of a strategy for a task on a backbone, or None.

    That of the task, if one is named, comes before that of all others. A strategy that stands `alone`, without a
    backbone, is the same beside all of them: of it only the recipe for the task itself is taken.
    """
    having = [table for table in tables if strategy in table.strategies]
    own = [table for table in having if task and table.task == task and (alone or table.backbone == backbone)]
    others = [table for table in having if not table.task and table.backbone == backbone and not alone]
    return next(iter((*own, *others)), None)


def shipped_tables() -> list[dict[str, Any]]:
    """Return the tables that ship, as they stand in their file."""
    found: list[dict[str, Any]] = tomllib.loads(TUNED.read_text(encoding="utf-8")).get(KEY, [])
    return found


def layers_of(said: Mapping[str, Any]) -> Iterator[tuple[str, str, object]]:
    """Yield the place, strategy and recipe of every tuned recipe in a raw config."""
    tables = said.get(KEY)
    for place, table in enumerate(tables if isinstance(tables, list) else ()):
        strategies = table.get("strategies") if isinstance(table, Mapping) else None
        for name, entry in strategies.items() if isinstance(strategies, Mapping) else ():
            if isinstance(entry, Mapping):
                yield f"{KEY}.{place}.strategies.{name}.recipe", name, entry.get("recipe")
