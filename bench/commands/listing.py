"""Owns `list`: what there is to measure."""

import argparse

from bench_tasks import FAMILIES

from bench.backbones import catalog, sources
from bench.config.data import DOMAINS
from bench.config.reading import CONFIG, Config, StrategyTable, read_config
from bench.runtime.cache import default_cache


def answer(options: argparse.Namespace) -> int:
    """Print suites, tasks, backbones and strategies, or what is asked for of them, and return the exit code."""
    config = read_config(options.config or CONFIG, FAMILIES)
    tables: dict[str, list[tuple[str, str]]] = {
        "suites": [(name, table.description) for name, table in config.suites.items()],
        "tasks": [(name, _about_task(config, name)) for name in config.tasks],
        "backbones": [(name, _about_backbone(name)) for name in catalog.names()] + list(sources.ELSEWHERE.items()),
        "strategies": [(name, _about_strategy(table)) for name, table in config.strategies.items()],
    }
    for heading in [options.what] if options.what else tables:
        print(f"{heading}")
        for name, about in tables[heading]:
            print(f"  {name:<16} {about}" if len(name) <= 16 else f"  {name}\n  {'':<16} {about}")
    return 0


def _about_task(config: Config, name: str) -> str:
    spec = config.tasks[name].spec(name)
    if spec.address:
        return f"{DOMAINS[spec.family]}: {spec.options.title or spec.address}"
    task = FAMILIES[spec.family]
    return f"{task.card.domain}, {task.target.metric.title}: {task.card.title}"


def _about_strategy(table: StrategyTable) -> str:
    if table.classical:
        return "a classical model of the domain in the backbone's place"
    return f"trains {table.depth:.0%} of the stages, {'pretrained' if table.pretrained else 'from scratch'}"


def _about_backbone(name: str) -> str:
    card = catalog.describe(name, default_cache())
    return f"{card.domain}, {card.parameters / 1e6:.1f} M parameters, {len(card.stages)} stages: {card.title}"
