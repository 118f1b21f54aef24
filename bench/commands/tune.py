"""`tune`: make the default recipes of all strategies by one procedure, on other tasks than those they are for."""

import datetime as dt
import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bench_tasks import load_family

from bench.commands.options import TuneOptions
from bench.config.reading import CONFIG, Config, SuiteTable, read_config
from bench.errors import ConfigError, unknown_name
from bench.registry import TASKS, names
from bench.runtime.atomic import write_whole
from bench.runtime.cache import Cache, default_cache
from bench.strategy import Strategy
from bench.task import Task
from bench.tuning.grid import is_tuned, tuned_settings
from bench.tuning.writing import to_toml

log = logging.getLogger(__name__)


def main(options: TuneOptions) -> int:
    """Tune the recipes of the tasks asked for, write their tables, and return the exit code."""
    config = read_config(options.config or CONFIG, names(TASKS))
    cache = default_cache()
    tasks = _bundled(config)
    for wanted in options.tasks:
        if wanted not in tasks:
            raise unknown_name("task", wanted, tasks)
    tables = []
    for name in options.tasks or tuple(tasks):
        tables.append(_table(name, tasks, config, options, cache))
        write_whole(options.out, to_toml(tables).encode())
    print(options.out)
    return 0


def _bundled(config: Config) -> dict[str, Task]:
    """Return the tasks of a config that bring their data."""
    bundled = {name: table.family or name for name, table in config.tasks.items() if not table.data}
    return {name: load_family(family) for name, family in bundled.items()}


def _table(name: str, tasks: Mapping[str, Task], config: Config, options: TuneOptions, cache: Cache) -> dict[str, Any]:
    """Return the table of a task, tuned on all others of its domain."""
    from bench.backbones.loading import load_backbone  # noqa: PLC0415 (loads torch)
    from bench.pretraining.other_classes import OTHER_CLASSES  # noqa: PLC0415 (loads torch)
    from bench.tuning.tuning import Bench, tune  # noqa: PLC0415 (loads torch)

    domain = tasks[name].card.domain
    others = [task for other, task in tasks.items() if other != name and task.card.domain == domain]
    others = others or [task for task in OTHER_CLASSES if task.card.domain == domain]
    if not others:
        raise ConfigError(f"there are no other data of the domain {domain!r} to tune the recipes of {name} on")
    backbone = config.tasks[name].backbones[0]
    loaded = load_backbone(backbone)
    benches: Sequence[Bench] = [Bench(task, loaded, cache=cache) for task in others]
    found = {}
    for strategy in _strategies(config, name, backbone, options):
        tuned = tune(strategy, benches, options.budgets, options.seeds)
        found[strategy.name] = {
            "recipe": tuned_settings(tuned.winner),
            "scores": {task: round(value, 4) for task, value in tuned.scores.items()},
            "tried": tuned.tried,
        }
        log.info("%s: %s", name, found[strategy.name])
    return {
        "task": config.tasks[name].family or name,
        "backbone": backbone,
        "on": [task.card.name for task in others],
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "budgets": [str(budget) for budget in options.budgets],
        "seeds": options.seeds,
        "strategies": found,
    }


def _strategies(config: Config, task: str, backbone: str, options: TuneOptions) -> Iterator[Strategy]:
    """Yield the strategies that are tuned, each with its settings where nothing was tuned yet."""
    untuned = config.model_copy(update={"tuned": (), "suites": {task: SuiteTable(tasks=(task,))}})
    for entry in untuned.suite(task).entries:
        if entry.backbone == backbone:
            yield from (
                one
                for one in entry.strategies
                if is_tuned(one) and (not options.strategies or one.name in options.strategies)
            )
