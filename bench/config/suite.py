"""Owns a suite: what is to be measured, with every recipe worked out."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from bench.config.data import DataSpec
from bench.errors import ConfigError, unknown_name
from bench.strategy import Strategy


@dataclass(frozen=True, slots=True)
class Entry:
    """One task of a suite on one backbone, with the strategies as they hold for the two."""

    task: str
    spec: DataSpec
    backbone: str
    strategies: tuple[Strategy, ...]


@dataclass(frozen=True, slots=True)
class Suite:
    """What to measure: every entry's strategies at every fraction and seed (0 to `seeds` - 1).

    With `shifts` every cell is scored on shifted test data too.
    """

    name: str
    fractions: tuple[float, ...]
    seeds: int
    entries: tuple[Entry, ...]
    shifts: bool = False

    def select(
        self,
        *,
        tasks: Iterable[str] = (),
        backbones: Iterable[str] = (),
        strategies: Iterable[str] = (),
        fractions: Iterable[float] = (),
        seeds: int = 0,
        shifts: bool = True,
    ) -> "Suite":
        """Return the suite narrowed to what is named; what is not named stays whole. Without `shifts` it has none.

        Raises `UnknownNameError` for a task, backbone or strategy that is not in the suite, `ConfigError` for a
        fraction outside (0, 1].
        """
        wanted_tasks, wanted_strategies, wanted_fractions = set(tasks), set(strategies), set(fractions)
        wanted_backbones = set(backbones)
        _refuse_unknown("backbone", wanted_backbones, (entry.backbone for entry in self.entries))
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
            if (not wanted_tasks or entry.task in wanted_tasks)
            and (not wanted_backbones or entry.backbone in wanted_backbones)
        )
        return replace(
            self,
            fractions=tuple(sorted(wanted_fractions)) or self.fractions,
            seeds=seeds or self.seeds,
            entries=entries,
            shifts=self.shifts and shifts,
        )


def _refuse_unknown(kind: str, wanted: set[str], known: Iterable[str]) -> None:
    names = set(known)
    for name in sorted(wanted - names):
        raise unknown_name(kind, name, names)
