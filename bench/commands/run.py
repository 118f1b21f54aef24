"""Owns `run`: a suite measured, as far as it is not measured yet."""

import argparse
import logging
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from bench.backbones import catalog
from bench.cache import default_cache
from bench.card import BackboneCard
from bench.commands.report import show_report
from bench.config import Suite, read_config
from bench.device import default_workers, resolve_device
from bench.executors.in_process import execute_here
from bench.executors.processes import execute_in_processes
from bench.plan import PlannedCell, plan_cells
from bench.runner import Execute, Tally, pending_cells, run_cells
from bench.store import Manifest, Store, StrategyEntry, TaskEntry
from tasks import FAMILIES

FINE: Final = 0
SOME_FAILED: Final = 1


def answer(options: argparse.Namespace) -> int:
    """Run what is pending of a suite, show the report, and return the exit code: 1 if some cell failed."""
    suite = _suite(options)
    backbones = catalog.describe_all(name for entry in suite.entries for name in entry.backbones)
    plan = plan_cells(suite, {name: task.card for name, task in FAMILIES.items()}, backbones)
    store = Store(options.out or Path("results") / suite.name)
    pending = pending_cells(plan, store, backbones)
    if options.dry_run:
        return _show_plan(plan, pending)
    execute = _executor(options, backbones) if pending else None
    store.extend(_manifest(suite, plan))
    tally = run_cells(plan, store, backbones, execute) if execute else Tally(found=len(plan), scored=0, failed=0)
    show_report(store, anew=False)
    logging.info(
        "%d cells: %d scored now, %d found finished, %d failed", len(plan), tally.scored, tally.found, tally.failed
    )
    return SOME_FAILED if tally.failed else FINE


def _suite(options: argparse.Namespace) -> Suite:
    return (
        read_config(options.config, FAMILIES)
        .suite(options.suite)
        .select(tasks=options.task, strategies=options.strategy, fractions=options.fraction, seeds=options.seeds)
    )


def _executor(options: argparse.Namespace, backbones: Mapping[str, BackboneCard]) -> Execute:
    device = resolve_device(options.device)
    largest = max(card.parameters for card in backbones.values())
    workers = options.workers or default_workers(device, parameters=largest)
    if workers == 1:
        return partial(execute_here, cache=default_cache(), device=device)
    return partial(execute_in_processes, workers=workers, cache=default_cache(), device=device)


def _manifest(suite: Suite, plan: Sequence[PlannedCell]) -> Manifest:
    return Manifest(
        suite=suite.name,
        tasks={
            entry.task: TaskEntry(card=task.card, metric=task.target.metric, label=task.target.label)
            for entry in suite.entries
            for task in [FAMILIES[entry.family]]
        },
        backbones=catalog.describe_all(name for entry in suite.entries for name in entry.backbones),
        strategies={
            strategy.name: StrategyEntry(name=strategy.name, depth=strategy.depth, pretrained=strategy.pretrained)
            for entry in suite.entries
            for strategy in entry.strategies
        },
        cells={planned.cell: planned.key for planned in plan},
    )


def _show_plan(plan: Sequence[PlannedCell], pending: Sequence[PlannedCell]) -> int:
    for planned in pending:
        print(planned.cell)
    print(f"{len(plan)} cells, {len(plan) - len(pending)} finished, {len(pending)} to run")
    return FINE
