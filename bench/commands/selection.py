"""What a command is asked to measure: a suite of the config, or data and backbones named on the command line."""

import logging
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench_tasks.opening import guess_family, open_task
from pydantic import ValidationError

from bench.analysis.wording import tell_folds
from bench.backbones.descriptions import describe_all
from bench.budget import Asked, Count
from bench.card import BackboneCard
from bench.commands.options import OwnDataOptions, SelectionOptions, SuiteOptions
from bench.config.data import problems_of, separate_own
from bench.config.reading import CONFIG, Config, TaskTable, default_config, explain, listing, read_config
from bench.config.suite import Suite
from bench.domains.registered import domain_of
from bench.errors import ConfigError
from bench.planning.pairs import leave_out_impossible, tell_left_out, tell_unused_heads
from bench.planning.plan import PlannedCell, plan_cells
from bench.registry import TASKS, names
from bench.results.manifest import Curve
from bench.runtime.cache import Cache
from bench.subsets.subset import budget_size
from bench.task import Task

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Selection:
    """A suite with its tasks opened and its backbones described, by name, and the cells these make.

    `left_out` is what the suite names and cannot be, with why, and `need_labels` what cannot be without labels.
    """

    suite: Suite
    tasks: Mapping[str, Task]
    backbones: Mapping[str, BackboneCard]
    plan: Sequence[PlannedCell]
    left_out: Mapping[Curve, str]
    need_labels: Mapping[Curve, str]


def select(options: SelectionOptions, cache: Cache, *, variance: bool = False, shifts: bool = False) -> Selection:
    """Return what is to be measured. Raises `BenchError` for what cannot be."""
    suite = choose_suite(options, cache, shifts=shifts)
    tasks = {entry.task: open_task(entry.task, entry.spec, cache) for entry in suite.entries}
    for name, task in tasks.items():
        for remark in task.card.remarks:
            log.warning("%s: %s", name, remark)
    names = (entry.backbone for entry in suite.entries)
    backbones = describe_all(names, cache, trust_remote_code=options.suite.trust_remote_code)
    for name, task in tasks.items():
        if task.card.folds > 1:
            log.info("%s: %s", name, tell_folds(suite.seeds_of(task.card), task.card.folds))
    suite, left_out, need_labels = leave_out_impossible(suite, tasks, backbones)
    for line in (*tell_left_out(left_out, need_labels), *tell_unused_heads(suite, tasks, backbones)):
        log.info("%s", line)
    tasks = {entry.task: tasks[entry.task] for entry in suite.entries}
    backbones = {entry.backbone: backbones[entry.backbone] for entry in suite.entries}
    cards = {name: task.card for name, task in tasks.items()}
    targets = {name: task.target for name, task in tasks.items()}
    plan = plan_cells(suite, cards, backbones, targets=targets, need_labels=need_labels, variance=variance)
    learnable = plan if options.budgets else _learnable(plan, tasks)
    return Selection(suite, tasks, backbones, learnable, left_out, need_labels)


def choose_suite(options: SelectionOptions, cache: Cache, *, shifts: bool) -> Suite:
    """Return the suite that is asked for, narrowed to what is asked of it; no data are looked at but to tell a family.

    Raises `ConfigError` or `UnknownNameError`.
    """
    wanted = options.suite
    if wanted.own_data.address:
        config, name = _with_data(wanted, wanted.own_data.address, cache)
    else:
        config, name = _config(wanted.config, needed=True), wanted.name or "all"
        _refuse_data_options(wanted.own_data)
    suite = config.suite(name).select(
        tasks=wanted.tasks,
        backbones=() if wanted.own_data.address else wanted.backbones,
        strategies=options.strategies,
        budgets=options.budgets,
        seeds=options.seeds,
        shifts=shifts,
    )
    return suite.with_folds()


def _config(path: Path | None, *, needed: bool) -> Config:
    """Return the config that is named or lies here; that of no file if there is none and none is needed."""
    if path or needed or CONFIG.exists():
        return read_config(path or CONFIG, names(TASKS))
    return default_config()


def _with_data(options: SuiteOptions, address: str, cache: Cache) -> tuple[Config, str]:
    """Return the config with the data of the command line as a task, and the name of that task and its suite."""
    if options.name:
        raise ConfigError(f"--data and --suite {options.name}: one or the other; put data into a suite in bench.toml")
    data, name = options.own_data, _name_of(address)
    said: dict[str, Any] = dict(_option(text) for text in data.settings)
    family = data.family or guess_family(address, said, cache)
    domain = domain_of(family)
    said |= {"family": family, "data": address}
    said |= {"skip_bad": True} if data.skip_bad else {}
    said |= {"fill": True} if data.fill else {}
    said |= {"backbones": options.backbones or [domain.backbone]}
    said, wrong = separate_own(family, said)
    if wrong:
        raise ConfigError(listing("--option", wrong))
    try:
        table = TaskTable.model_validate(said)
    except ValidationError as error:
        problems = [explain(one, ("tasks", name)) for one in error.errors()]
        raise ConfigError(listing("--option", problems)) from error
    problems = list(problems_of(table.spec(name)))
    if problems:
        raise ConfigError(listing("--data", problems))
    return _config(options.config, needed=False).with_own_data(name, table), name


def _refuse_data_options(data: OwnDataOptions) -> None:
    given = {"--family": data.family, "--option": data.settings, "--skip-bad": data.skip_bad, "--fill": data.fill}
    for flag, value in given.items():
        if value:
            raise ConfigError(f"{flag} is about data named by --data: for a task of the config, set it there")


def _option(text: str) -> tuple[str, Any]:
    """Return key and value of `KEY=VALUE`; the value is read as TOML, and as a string where it is none."""
    key, equals, value = text.partition("=")
    if not equals:
        raise ConfigError(f"--option takes KEY=VALUE, such as horizon=48 or label=queue: got {text!r}")
    try:
        return key.strip(), tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return key.strip(), value


def _name_of(address: str) -> str:
    """Return a name for data: the last part of where they are, as far as a name may hold it."""
    place = address.partition(":")[2].rstrip("/")
    stem = place.rpartition("/")[2].partition(".")[0]
    return re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-._") or "data"


def _learnable(plan: Sequence[PlannedCell], tasks: Mapping[str, Task]) -> Sequence[PlannedCell]:
    """Return the cells without those of budgets that the user's data do not have or cannot be learnt from: told.

    Of sixty pictures one in a hundred is none and a thousand are not there, and nobody asked for these by name.
    """
    unfit: dict[tuple[str, Asked], str] = {}
    kept = []
    for planned in plan:
        name, budget = planned.cell.task, planned.cell.budget
        problem = "" if tasks[name].card.pinned else _problem(budget, tasks[name])
        if problem:
            unfit[name, budget] = problem
        else:
            kept.append(planned)
    for (name, budget), problem in unfit.items():
        log.info("%s: left out a budget of %s, %s", name, budget, problem)
    return kept


def _problem(budget: Asked, task: Task) -> str:
    """Return why a task whose number of training examples is known cannot have a budget, or nothing.

    What examples amount to in another unit is known only once the data are loaded, where their card does not say it.
    """
    if not task.target.sampling.counts_examples:
        there, more = task.card.amount, isinstance(budget, Count) and budget.of > task.card.amount
        return f"more than its {there:g} {task.target.unit}" if there and more else ""
    size, total, unit = budget_size(budget, task.card.n_train), task.card.n_train, task.target.unit
    if size > total:
        return f"more than its {total} {unit}"
    needed, why = task.target.sampling.fewest(None)
    return f"too few of its {total} {unit} for {why}" if 0 < size < needed else ""
