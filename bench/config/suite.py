"""A suite: what is to be measured, with every recipe worked out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bench.budget import Asked
from bench.card import TaskCard
from bench.config.data import FOLDS, DataSpec
from bench.errors import unknown_name
from bench.strategy import Strategy


@dataclass(frozen=True, slots=True)
class Entry:
    """One task of a suite on one backbone, with the strategies as they hold for the two.

    `tuned` says of those strategies whose recipes were tuned how that was done, by their names.
    """

    task: str
    spec: DataSpec
    backbone: str
    strategies: tuple[Strategy, ...]
    tuned: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Suite:
    """What to measure: every entry's strategies at every budget and seed (0 to `seeds` - 1).

    For data that are dealt into folds there are `fold_seeds` instead, if that is said, but no more than folds. With
    `shifts` every cell is scored on shifted test data too.
    """

    name: str
    budgets: tuple[Asked, ...]
    seeds: int
    entries: tuple[Entry, ...]
    shifts: bool = False
    fold_seeds: int | None = None

    def seeds_of(self, task: TaskCard) -> int:
        """Return the number of seeds of a task: of several folds each is tested by one seed."""
        return min(self.fold_seeds or self.seeds, task.folds) if task.folds > 1 else self.seeds

    def with_folds(self) -> "Suite":
        """Return the suite with as many folds for data without a split as there are seeds, five at least."""
        folds = max(FOLDS, self.fold_seeds or self.seeds)
        return replace(self, entries=tuple(replace(one, spec=one.spec._replace(folds=folds)) for one in self.entries))

    def select(
        self,
        *,
        tasks: Iterable[str] = (),
        backbones: Iterable[str] = (),
        strategies: Iterable[str] = (),
        budgets: Iterable[Asked] = (),
        seeds: int | None = None,
        shifts: bool = True,
    ) -> "Suite":
        """Return the suite narrowed to what is named; what is not named stays whole. Without `shifts` it has none.

        Raises `UnknownNameError` for a task, backbone or strategy that is not in the suite.
        """
        wanted_tasks, wanted_strategies = set(tasks), set(strategies)
        wanted_backbones = set(backbones)
        _refuse_unknown("backbone", wanted_backbones, (entry.backbone for entry in self.entries))
        _refuse_unknown("task", wanted_tasks, (entry.task for entry in self.entries))
        _refuse_unknown("strategy", wanted_strategies, (one.name for entry in self.entries for one in entry.strategies))
        entries = tuple(
            replace(
                entry,
                strategies=tuple(
                    one for one in entry.strategies if not wanted_strategies or one.name in wanted_strategies
                ),
            )
            for entry in self.entries
            if (not wanted_tasks or entry.task in wanted_tasks)
            and (not wanted_backbones or entry.backbone in wanted_backbones)
        )
        return replace(
            self,
            budgets=tuple(sorted(set(budgets))) or self.budgets,
            seeds=seeds or self.seeds,
            fold_seeds=seeds or self.fold_seeds,
            entries=entries,
            shifts=self.shifts and shifts,
        )


def _refuse_unknown(kind: str, wanted: set[str], known: Iterable[str]) -> None:
    names = set(known)
    for name in sorted(wanted - names):
        raise unknown_name(kind, name, names)
