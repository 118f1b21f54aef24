"""Impossible pairs: strategies that lack something on a task and a backbone, as cards and targets tell.

Nothing has to be loaded for it, so that no cell fails for what the plan can see.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, NamedTuple

from bench.card import BackboneCard
from bench.config.suite import Suite
from bench.errors import ConfigError
from bench.results.manifest import Curve
from bench.strategy import BACKBONE, BROUGHT_HEAD, SOURCE, UNLABELLED, Strategy
from bench.target import Target
from bench.task import Task

BESIDE: Final[Mapping[str, str]] = {UNLABELLED: "unlabelled", SOURCE: "source"}
"""What strategies require of a split beside labelled examples, and what a task's card calls it."""


class Possible(NamedTuple):
    """A suite without what cannot be, and what was left out of it, with why: a clause."""

    suite: Suite
    left_out: Mapping[Curve, str]


def leave_out_impossible(suite: Suite, tasks: Mapping[str, Task], backbones: Mapping[str, BackboneCard]) -> Possible:
    """Return a suite without the strategies that cannot be on a task and a backbone.

    `tasks` and `backbones` map their names to what they are. A backbone of another domain is not looked at here: it is
    a mistake of the config. Raises `ConfigError`, with all reasons, if nothing is left.
    """
    left_out: dict[Curve, str] = {}
    entries = []
    for entry in suite.entries:
        reasons = {one.name: _reason(one, tasks[entry.task], backbones[entry.backbone]) for one in entry.strategies}
        left_out |= {Curve(entry.task, entry.backbone, name): reason for name, reason in reasons.items() if reason}
        if strategies := tuple(one for one in entry.strategies if not reasons[one.name]):
            entries.append(replace(entry, strategies=strategies))
    if left_out and not entries:
        raise ConfigError(f"nothing is left to be run: {'; '.join(tell_left_out(left_out))}")
    return Possible(replace(suite, entries=tuple(entries)), left_out)


def tell_left_out(left_out: Mapping[Curve, str]) -> list[str]:
    """Return a line for each task and reason, with the strategies that it is the reason for."""
    strategies: dict[tuple[str, str], dict[str, None]] = {}
    for one, reason in left_out.items():
        strategies.setdefault((one.task, reason), {})[one.strategy] = None
    return [f"{task}: left out {', '.join(names)}: {reason}" for (task, reason), names in strategies.items()]


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
