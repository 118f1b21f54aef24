"""`run`: measure a suite, as far as it is not measured yet."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from bench.analysis.wording import counted
from bench.commands.exports import choose_exports, choose_refits, estimate, show_exports, show_refit
from bench.commands.options import RunOptions
from bench.commands.report import show_report
from bench.commands.selection import Selection, select
from bench.errors import ConfigError
from bench.execution.executors.starting import EngineSettings
from bench.execution.rescoring import Rescored, rescore
from bench.execution.runner import Execute, Tally, count_found, find_unscored, pending_cells, run_cells
from bench.planning.plan import PlannedCell
from bench.prediction.exported import holds, make_room
from bench.registry import EXECUTORS, TRACKERS, load_function, refuse_unknown
from bench.results.manifest import Curve, Manifest, StrategyEntry, TaskEntry
from bench.results.store import Store
from bench.runtime.arithmetic import PrecisionRequest, WantedPrecision
from bench.runtime.cache import Cache, default_cache
from bench.runtime.device import default_decoders, default_workers, resolve_device
from bench.targets.registered import target_record
from bench.task import Task, WholeTask
from bench.tracking.tracking import start_tracking

FINE: Final = 0
SOME_FAILED: Final = 1
NOTHING_RAN: Final = Tally(found=0, scored=0, failed=0)


def main(options: RunOptions) -> int:
    """Run what is pending of a suite, show the report, and return the exit code: 1 if some cell failed."""
    for tracker in options.trackers:
        refuse_unknown(TRACKERS, tracker)
    if options.executor:
        refuse_unknown(EXECUTORS, options.executor)
    cache = default_cache()
    selection = select(options.selection, cache, variance=options.variance, shifts=options.shifts)
    plan, backbones = selection.plan, selection.backbones
    if not plan:
        raise ConfigError("nothing is left to be run, see above: ask for other budgets, such as --budget all")
    store = Store(options.out or Path("results") / selection.suite.name)
    if options.refit and not options.export:
        raise ConfigError("--refit all is about a model that is kept: say where with --export DIR")
    exports = choose_exports(plan, options.export) if options.export and not options.refit else {}
    refits = choose_refits(plan, options.export, selection.tasks) if options.export and options.refit else {}
    again = [key for key, folder in exports.items() if not holds(folder, key)]
    rescored = Rescored([], []) if options.dry_run else rescore(store, plan, selection.tasks)
    once_more = [*again, *rescored.lost]
    scorable = [planned for planned in plan if planned.key not in rescored.failed or planned.key in again]
    pending = pending_cells(scorable, store, backbones, again=once_more)
    if options.dry_run:
        return _show_plan(plan, pending)
    request = PrecisionRequest(options.precision, store.choices)
    execute = _executor(options, selection, cache, {key: exports[key] for key in again}, request) if pending else None
    manifest = _manifest(selection)
    tracking = start_tracking(options.trackers if pending else (), store.root, manifest, plan)
    for folder in (*exports.values(), *refits.values()):
        make_room(folder)
    _announce_other_data(store, manifest)
    store.extend(manifest)
    _announce_precision(options.precision, plan, store)
    tally = NOTHING_RAN
    if execute:
        _announce(again, store)
        if options.trackers and (found := count_found(plan, pending)):
            logging.info("--track logs what runs now; finished before, and not logged: %s", counted(found, "cell"))
        units = {name: task.target.unit for name, task in selection.tasks.items()}
        tally = run_cells(scorable, store, backbones, execute, again=once_more, follow=tracking.follow, units=units)
    show_report(store, anew=False)
    show_exports(plan, exports)
    _refit(options, selection, cache, refits, store)
    return _conclude(tally, plan, pending, store)


def _conclude(tally: Tally, plan: Sequence[PlannedCell], pending: Sequence[PlannedCell], store: Store) -> int:
    """Say how a plan went and return the exit code: what was kept without a score has failed like what ran now."""
    unscored = find_unscored(plan, pending, store)
    for reason, count in Counter(failure.reason for failure in unscored).items():
        logging.warning("%s without a score: %s", counted(count, "finished cell"), reason)
    found, failed = count_found(plan, pending) - len(unscored), tally.failed + len(unscored)
    total = counted(len(plan), "cell")
    logging.info("%s: %d scored now, %d found finished, %d failed", total, tally.scored, found, failed)
    return SOME_FAILED if failed else FINE


def _executor(
    options: RunOptions, selection: Selection, cache: Cache, exports: Mapping[str, Path], request: PrecisionRequest
) -> Execute:
    device = resolve_device(options.compute.device)
    largest = max(card.parameters for card in selection.backbones.values())
    workers = options.workers or default_workers(device, parameters=largest)
    settings = replace(_settings(options, cache, request, workers), exports=exports)
    execute = load_function(EXECUTORS, options.executor or ("here" if workers == 1 else "processes"))
    return partial(execute, workers=workers, settings=settings)


def _settings(options: RunOptions, cache: Cache, request: PrecisionRequest, workers: int) -> EngineSettings:
    return EngineSettings(
        cache_root=cache.root,
        cache_limit_bytes=cache.limit_bytes,
        device=resolve_device(options.compute.device),
        memory_bytes=options.compute.memory_bytes,
        decoders=default_decoders(workers),
        trust_remote_code=options.selection.suite.trust_remote_code,
        request=request,
    )


def _refit(options: RunOptions, selection: Selection, cache: Cache, refits: Mapping[str, Path], store: Store) -> None:
    """Train what was tested on every label, into folders by the keys of its cells of seed 0, and say what is there."""
    cells = {planned.key: planned for planned in selection.plan}
    settings = _settings(options, cache, PrecisionRequest(options.precision, store.choices), workers=1)
    for planned, folder in ((cells[key], folder) for key, folder in refits.items()):
        known = estimate(planned, selection.plan, store)
        if known is None:
            logging.warning("%s: no cell of it has a score, so that no model is kept", planned.cell)
            continue
        if not holds(folder, known.key):
            from bench.execution.refitting import refit  # noqa: PLC0415 (with the tensor library, seconds)

            task = selection.tasks[planned.cell.task]
            assert isinstance(task, WholeTask), "others were refused when refits were chosen"
            refit(planned, task, known, folder, settings)
        show_refit(folder)


def _announce(again: Sequence[str], store: Store) -> None:
    """Say which finished cells are trained once more, which is what an export of them takes."""
    for result in filter(None, map(store.get, again)):
        logging.info(
            "%s: finished with %.4f, trained again for its model, which no run keeps", result.cell, result.score
        )


def _announce_other_data(store: Store, manifest: Manifest) -> None:
    """Say which cells leave the tables of the folder, since their task has other data now."""
    for curve, cells in store.outdated(manifest).items():
        before, now = (one.tasks[curve.task].card.folds for one in (store.manifest, manifest))
        logging.warning(
            "%s: the folder has %s of %s on other data%s, which leave its tables: run this strategy on these data too, "
            "or name another folder with --out",
            curve.task,
            counted(len(cells), "cell"),
            f"{curve.strategy} ({curve.backbone})",
            "" if before == now else f" ({counted(before, 'fold')}, now {now})",
        )


def _announce_precision(wanted: WantedPrecision, plan: Sequence[PlannedCell], store: Store) -> None:
    """Say how many finished cells were trained in another precision than the one asked for, which they stay in."""
    if wanted == "auto":
        return
    found = filter(None, map(store.get, {planned.key for planned in plan}))
    other = sum(result.steps > 0 and result.precision != wanted for result in found)
    if other:
        logging.info(
            "--precision %s: %s finished in another precision before and kept; to train all in %s, name another folder "
            "with --out",
            wanted,
            counted(other, "cell"),
            wanted,
        )


def _manifest(selection: Selection) -> Manifest:
    return Manifest(
        suite=selection.suite.name,
        tasks={name: _task_entry(task) for name, task in selection.tasks.items()},
        backbones=selection.backbones,
        strategies={
            strategy.name: StrategyEntry(
                name=strategy.name,
                kind=strategy.kind,
                start=strategy.start,
                trained_fraction=strategy.trained_fraction,
            )
            for entry in selection.suite.entries
            for strategy in entry.strategies
        },
        cells={planned.cell: planned.key for planned in selection.plan},
        recipes={
            Curve(entry.task, entry.backbone, strategy.name): strategy.recipe()
            for entry in selection.suite.entries
            for strategy in entry.strategies
        },
        tuned={
            Curve(entry.task, entry.backbone, strategy.name): entry.tuned[strategy.name]
            for entry in selection.suite.entries
            for strategy in entry.strategies
            if strategy.name in entry.tuned
        },
        left_out=selection.left_out,
        need_labels=selection.need_labels,
    )


def _task_entry(task: Task) -> TaskEntry:
    target = task.target
    cards = tuple(metric.card for metric in target.metrics)
    return TaskEntry(
        card=task.card,
        metric=cards[0],
        metrics=cards,
        baseline=target.guess,
        unit=target.unit,
        target=target_record(target),
    )


def _show_plan(plan: Sequence[PlannedCell], pending: Sequence[PlannedCell]) -> int:
    for planned in pending:
        print(planned.cell)
    found = count_found(plan, pending)
    print(f"{counted(len(plan), 'cell')}, {found} finished, {len(plan) - found} to run")
    return FINE
