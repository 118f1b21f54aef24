"""Impossible pairs: strategies that lack something on a task and a backbone, as cards and targets tell.

Nothing has to be loaded for it, so that no cell fails for what the plan can see.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, NamedTuple

from bench.budget import NONE
from bench.card import BackboneCard
from bench.config.suite import Suite
from bench.errors import ConfigError
from bench.results.manifest import Curve
from bench.strategy import BACKBONE, BROUGHT_HEAD, LABELS_OR_HEAD, SOURCE, UNLABELLED, Strategy
from bench.target import Target
from bench.task import Task

BESIDE: Final[Mapping[str, str]] = {UNLABELLED: "unlabelled", SOURCE: "source"}
"""What strategies require of a split beside labelled examples, and what a task's card calls it."""


class Possible(NamedTuple):
    """A suite without what cannot be, and what was left out of it, with why: a clause.

    Of what is in `need_labels` that is a budget without labels alone.
    """

    suite: Suite
    left_out: Mapping[Curve, str]
    need_labels: Mapping[Curve, str]


def leave_out_impossible(suite: Suite, tasks: Mapping[str, Task], backbones: Mapping[str, BackboneCard]) -> Possible:
    """Return a suite without the strategies that cannot be on a task and a backbone.

    A strategy that cannot be without labels is left out only of a budget without any. `tasks` and `backbones` map their
    names to what they are. A backbone of another domain is not looked at here: it is a mistake of the config. Raises
    `ConfigError`, with all reasons, if nothing is left.
    """
    left_out: dict[Curve, str] = {}
    need_labels: dict[Curve, str] = {}
    entries = []
    for entry in suite.entries:
        task, backbone = tasks[entry.task], backbones[entry.backbone]
        kept = []
        for strategy in entry.strategies:
            curve = Curve(entry.task, entry.backbone, strategy.name)
            if reason := _reason(strategy, task, backbone):
                left_out[curve] = reason
            elif NONE in suite.budgets and (reason := _needs_labels(strategy, task, backbone)):
                need_labels[curve] = reason
            if curve not in left_out and (curve not in need_labels or set(suite.budgets) != {NONE}):
                kept.append(strategy)
        if kept:
            entries.append(replace(entry, strategies=tuple(kept)))
    if (left_out or need_labels) and not entries:
        raise ConfigError(f"nothing is left to be run: {'; '.join(tell_left_out(left_out, need_labels))}")
    return Possible(replace(suite, entries=tuple(entries)), left_out, need_labels)


def tell_left_out(left_out: Mapping[Curve, str], need_labels: Mapping[Curve, str]) -> list[str]:
    """Return a line for each task and reason, with the strategies that it is the reason for."""
    strategies: dict[tuple[str, str], dict[str, None]] = {}
    for one, reason in left_out.items():
        strategies.setdefault((one.task, reason), {})[one.strategy] = None
    for one, reason in need_labels.items():
        strategies.setdefault((one.task, f"at a budget of {NONE} {reason}"), {})[one.strategy] = None
    return [f"{task}: left out {', '.join(names)}: {reason}" for (task, reason), names in strategies.items()]


def tell_unused_heads(suite: Suite, tasks: Mapping[str, Task], backbones: Mapping[str, BackboneCard]) -> list[str]:
    """Return a line for each task whose backbone comes with a head, but with none for this target."""
    return [
        f"{entry.task}: {entry.backbone} was pretrained with a head for {', '.join(map(_plainly, brings))}, which does "
        f"not serve {_plainly(target.identity)}: heads are learnt from nothing"
        for entry in suite.entries
        for target, brings in [(tasks[entry.task].target, backbones[entry.backbone].brings)]
        if brings and not target.among(brings)
    ]


def _plainly(identity: str) -> str:
    """Return a target's identity as people read it: "Forecast (steps: 24)"."""
    name, _, said = identity.rpartition(".")[2].partition(" ")
    return f"{name} ({said.strip('{}').replace(chr(39), '')})" if said else name


def _reason(strategy: Strategy, task: Task, backbone: BackboneCard) -> str:
    """Return why a strategy cannot be on a task and a backbone of its domain, or nothing."""
    if backbone.domain != task.card.domain:
        return ""
    for needed, called in BESIDE.items():
        if needed in strategy.requires and called not in task.card.beside:
            return f"it needs {needed}, and the task has none"
    if BROUGHT_HEAD in strategy.requires and not task.target.among(backbone.brings):
        return f"it needs {BROUGHT_HEAD}, and {backbone.name} brings none for {task.target.name}"
    if BACKBONE in strategy.requires and (reason := _misread(task.target, backbone)):
        return reason
    return strategy.lacks(task.target, task.card.domain)


def _needs_labels(strategy: Strategy, task: Task, backbone: BackboneCard) -> str:
    """Return why a strategy cannot be without labels on a task and a backbone of its domain, or nothing."""
    if backbone.domain != task.card.domain:
        return ""
    if LABELS_OR_HEAD in strategy.requires and not task.target.among(backbone.brings):
        return f"there are no labels to learn from, and {backbone.name} brings no head for this target"
    return "there are no labels to learn from" if strategy.learns(task.target, task.card.domain) else ""


def _misread(target: Target, backbone: BackboneCard) -> str:
    """Return why a backbone cannot be read as a target has to read it, or nothing."""
    readout, stages = target.readout, len(backbone.stages)
    if readout.kind not in backbone.readouts:
        return (
            f"{target.name} needs {readout.kind} features, but {backbone.name} offers only "
            f"{' and '.join(backbone.readouts)} ones"
        )
    if not all(-stages <= stage < stages for stage in readout.stages):
        named = ", ".join(map(str, readout.stages))
        return f"{target.name} reads the stages {named}, but {backbone.name} has {stages} of them"
    return ""
