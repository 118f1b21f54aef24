"""Owns what a command is asked to measure: a suite of the config, or data and backbones named on the command line."""

import argparse
import logging
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bench_tasks import FAMILIES
from bench_tasks.opening import guess_family, open_task
from pydantic import ValidationError

from bench.backbones import catalog
from bench.card import BackboneCard
from bench.config.data import DOMAINS, problems_of
from bench.config.reading import CONFIG, Config, TaskTable, default_config, explain, listing, read_config
from bench.config.suite import Suite
from bench.errors import ConfigError, unknown_name
from bench.planning.plan import PlannedCell, plan_cells
from bench.planning.subset import budget_size
from bench.runtime.cache import Cache
from bench.task import Task

log = logging.getLogger(__name__)

USUAL_BACKBONES: Final[Mapping[str, str]] = {
    "image_classification": "timm:resnet18.a1_in1k",
    "text_classification": catalog.MINILM.name,
    "audio_classification": "bundled:spoken-words",
    "forecasting": "bundled:series",
}
"""What data are seen through that are named without a backbone."""


@dataclass(frozen=True, slots=True)
class Selection:
    """A suite with its tasks opened and its backbones described, by name, and the cells these make."""

    suite: Suite
    tasks: Mapping[str, Task]
    backbones: Mapping[str, BackboneCard]
    plan: Sequence[PlannedCell]


def select(options: argparse.Namespace, cache: Cache) -> Selection:
    """Return what is to be measured. Raises `BenchError` for what cannot be."""
    suite = choose_suite(options, cache)
    tasks = {entry.task: open_task(entry.task, entry.spec, cache) for entry in suite.entries}
    for name, task in tasks.items():
        for remark in task.card.remarks:
            log.warning("%s: %s", name, remark)
    names = (entry.backbone for entry in suite.entries)
    backbones = catalog.describe_all(names, cache, trust_remote_code=options.trust_remote_code)
    cards = {name: task.card for name, task in tasks.items()}
    plan = plan_cells(suite, cards, backbones, variance=options.variance)
    return Selection(suite, tasks, backbones, plan if options.fraction else _learnable(plan, tasks))


def choose_suite(options: argparse.Namespace, cache: Cache) -> Suite:
    """Return the suite that is asked for, narrowed to what is asked of it; no data are looked at but to tell a family.

    Raises `ConfigError` or `UnknownNameError`.
    """
    if options.data:
        config, name = _with_data(options, cache)
    else:
        config, name = _config(options, needed=True), options.suite or "all"
        _refuse_options(options)
    return config.suite(name).select(
        tasks=options.task,
        backbones=() if options.data else options.backbone,
        strategies=options.strategy,
        fractions=options.fraction,
        seeds=options.seeds,
        shifts=options.shifts,
    )


def _config(options: argparse.Namespace, *, needed: bool) -> Config:
    """Return the config that is named or lies here; that of no file if there is none and none is needed."""
    if options.config or needed or CONFIG.exists():
        return read_config(options.config or CONFIG, FAMILIES)
    return default_config()


def _with_data(options: argparse.Namespace, cache: Cache) -> tuple[Config, str]:
    """Return the config with the data of the command line as a task, and the name of that task and its suite."""
    if options.suite:
        raise ConfigError(f"--data and --suite {options.suite}: one or the other; put data into a suite in bench.toml")
    name = _name_of(options.data)
    said: dict[str, Any] = dict(_option(text) for text in options.option)
    family = options.family or guess_family(options.data, said, cache)
    if family not in DOMAINS:
        raise unknown_name("task family", family, DOMAINS)
    said |= {"family": family, "data": options.data}
    said |= {"skip_bad": True} if options.skip_bad else {}
    said |= {"fill": True} if options.fill else {}
    said |= {"backbones": options.backbone or [USUAL_BACKBONES.get(family, "")]}
    try:
        table = TaskTable.model_validate(said)
    except ValidationError as error:
        problems = [explain(one, ("tasks", name)) for one in error.errors()]
        raise ConfigError(listing("--option", problems)) from error
    problems = list(problems_of(table.spec(name)))
    if problems:
        raise ConfigError(listing("--data", problems))
    return _config(options, needed=False).with_task(name, table), name


def _refuse_options(options: argparse.Namespace) -> None:
    for flag in ("family", "option", "skip_bad", "fill"):
        if getattr(options, flag):
            raise ConfigError(
                f"--{flag.replace('_', '-')} is about data named by --data: for a task of the config, set it there"
            )


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
    """Return the cells without those of budgets too small for the user's data, which are told.

    Fractions are shares: of sixty pictures one in a hundred is none, and nobody asked for it by name.
    """
    small: dict[tuple[str, float], None] = {}
    kept = []
    for planned in plan:
        task, fraction = tasks[planned.cell.task], planned.cell.fraction
        if not task.card.pinned and budget_size(fraction, task.card.n_train) < task.target.smallest_budget:
            small[planned.cell.task, fraction] = None
        else:
            kept.append(planned)
    for name, fraction in small:
        log.info("%s: %g of its training examples are too few to learn from, left out", name, fraction)
    return kept
