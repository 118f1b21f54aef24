"""Owns the command line: run, report, list, pretrain and cache. A user's mistake becomes one line and exit code 2."""

import argparse
import importlib
import logging
import signal
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from types import FrameType, ModuleType
from typing import Final

from bench import __version__
from bench.backbones import catalog
from bench.cache import default_cache
from bench.config import Config, Suite, read_config
from bench.device import default_workers, resolve_device
from bench.errors import BenchError
from bench.executors.in_process import execute_here
from bench.executors.processes import execute_in_processes
from bench.plan import PlannedCell, plan_cells
from bench.runner import Execute, pending_cells, run_cells
from bench.store import Manifest, Store, StrategyEntry, TaskEntry
from tasks import FAMILIES

FINE: Final = 0
SOME_FAILED: Final = 1
USERS_MISTAKE: Final = 2
INTERRUPTED: Final = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 fine, 1 some cell failed, 2 the user's mistake, 130 interrupted."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    signal.signal(signal.SIGTERM, _interrupt)
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return USERS_MISTAKE
    except KeyboardInterrupt:
        kept = "; what was finished is kept, the same command goes on from there" if command is _run else ""
        print(f"bench: interrupted{kept}", file=sys.stderr)
        return INTERRUPTED


def _run(options: argparse.Namespace) -> int:
    suite = _suite(options)
    backbones = catalog.describe_all(name for entry in suite.entries for name in entry.backbones)
    plan = plan_cells(suite, {name: task.card for name, task in FAMILIES.items()}, backbones)
    store = Store(options.out or Path("results") / suite.name)
    if options.dry_run:
        return _show_plan(plan, pending_cells(plan, store, backbones))
    device = resolve_device(options.device)
    largest = max(card.parameters for card in backbones.values())
    workers = options.workers or default_workers(device, parameters=largest)
    store.extend(_manifest(suite, plan))
    execute: Execute = (
        partial(execute_here, cache=default_cache(), device=device)
        if workers == 1
        else partial(execute_in_processes, workers=workers, cache=default_cache(), device=device)
    )
    tally = run_cells(plan, store, backbones, execute)
    _write_report(store)
    logging.info(
        "%d cells: %d scored now, %d found finished, %d failed", len(plan), tally.scored, tally.found, tally.failed
    )
    return SOME_FAILED if tally.failed else FINE


def _report(options: argparse.Namespace) -> int:
    _write_report(Store(options.folder))
    return FINE


def _list(options: argparse.Namespace) -> int:
    config = _config(options)
    tables: dict[str, list[tuple[str, str]]] = {
        "suites": [(name, table.description) for name, table in config.suites.items()],
        "tasks": [(name, _about_task(config, name)) for name in config.tasks],
        "backbones": [(name, _about_backbone(name)) for name in catalog.names()],
        "strategies": [
            (name, f"trains {table.depth:.0%} of the stages, {'pretrained' if table.pretrained else 'from scratch'}")
            for name, table in config.strategies.items()
        ],
    }
    for heading in [options.what] if options.what else tables:
        print(f"{heading}")
        for name, about in tables[heading]:
            print(f"  {name:<16} {about}" if len(name) <= 16 else f"  {name}\n  {'':<16} {about}")
    return FINE


def _pretrain(options: argparse.Namespace) -> int:
    _late("bench.pretraining.pretrain").pretrain(options.name, resolve_device(options.device))
    return FINE


def _cache(options: argparse.Namespace) -> int:
    cache = default_cache()
    if options.clear:
        cache.clear()
    entries = list(cache.entries())
    for entry in reversed(entries):
        print(f"{entry.size_bytes / 2**20:9.1f} MiB  {entry.description}")
    total = sum(entry.size_bytes for entry in entries) / 2**20
    print(f"{total:9.1f} MiB  in {len(entries)} entries of at most {cache.limit_bytes / 2**20:.0f} MiB: {cache.root}")
    return FINE


def _config(options: argparse.Namespace) -> Config:
    return read_config(options.config, FAMILIES)


def _suite(options: argparse.Namespace) -> Suite:
    return (
        _config(options)
        .suite(options.suite)
        .select(tasks=options.task, strategies=options.strategy, fractions=options.fraction, seeds=options.seeds)
    )


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


def _write_report(store: Store) -> None:
    """Write the report and print its leaderboard."""
    terminal, writing = _late("bench.report.terminal"), _late("bench.report.writing")
    print(terminal.leaderboard(writing.write_report(store)))
    print(f"\nreport: {store.root / 'report.md'}")


def _about_task(config: Config, name: str) -> str:
    table = config.tasks[name]
    task = FAMILIES[table.family or name]
    return f"{task.card.domain}, {task.target.metric.title}: {task.card.title}"


def _about_backbone(name: str) -> str:
    card = catalog.describe(name)
    return f"{card.domain}, {card.parameters / 1e6:.1f} M parameters, {len(card.stages)} stages: {card.title}"


def _late(module: str) -> ModuleType:
    """Import a module that takes long to load, where it is needed: `--help` and `list` answer without it."""
    return importlib.import_module(module)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="What is a pretrained backbone worth, at your number of labels?"
    )
    parser.add_argument("--version", action="version", version=f"bench {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    run = commands.add_parser("run", help="measure a suite; the same command again finishes what is missing")
    run.add_argument("--suite", default="all", metavar="S", help="which suite of the config (default: all)")
    _add_config(run)
    run.add_argument("--task", action="append", default=[], metavar="T", help="only this task; may be repeated")
    run.add_argument("--strategy", action="append", default=[], metavar="S", help="only this strategy; may be repeated")
    run.add_argument(
        "--fraction", action="append", default=[], type=float, metavar="F", help="only this share of labels, in (0, 1]"
    )
    run.add_argument("--seeds", type=_positive, default=0, metavar="N", help="number of seeds (default: the config's)")
    _add_device(run)
    run.add_argument("--workers", type=_positive, default=0, metavar="N", help="processes (default: one per core)")
    run.add_argument("--out", type=Path, metavar="DIR", help="results folder (default: results/SUITE)")
    run.add_argument("--dry-run", action="store_true", help="show what would be run")
    run.set_defaults(command=_run)

    report = commands.add_parser("report", help="rebuild tables and charts from the cells of a results folder")
    report.add_argument("folder", type=Path, metavar="DIR")
    report.set_defaults(command=_report)

    listing = commands.add_parser("list", help="show what there is")
    listing.add_argument("what", nargs="?", choices=("suites", "tasks", "backbones", "strategies"))
    _add_config(listing)
    listing.set_defaults(command=_list)

    pretrain = commands.add_parser("pretrain", help="remake a bundled backbone")
    pretrain.add_argument("name", choices=catalog.BUNDLED)
    _add_device(pretrain)
    pretrain.set_defaults(command=_pretrain)

    cache = commands.add_parser("cache", help="show what is kept between runs, and clear it")
    cache.add_argument("--clear", action="store_true", help="remove everything")
    cache.set_defaults(command=_cache)
    return parser


def _add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, default=Path("bench.toml"), metavar="FILE", help="default: bench.toml")


def _add_device(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="default: auto, a GPU if any")


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {value}")
    return value
