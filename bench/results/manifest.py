"""The manifest of a results folder: what was asked for, and what a report must know of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from bench.budget import NONE
from bench.card import BackboneCard, TaskCard, read_card
from bench.cell import Cell, cell_of, cell_record
from bench.metric import MetricCard
from bench.runtime.arithmetic import PrecisionChoice
from bench.strategy import Start


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskEntry:
    """What a report must know of a task.

    `metric` ranks, `metrics` are all that are scored, that one among them. `baseline` is what the prediction without
    skill is called, `unit` what labels are counted in, in the plural. `target` has what is predicted as plain values,
    such as the names of classes in the order of kept logits; older folders do not say.
    """

    card: TaskCard
    metric: MetricCard
    metrics: tuple[MetricCard, ...]
    baseline: str
    unit: str
    target: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyEntry:
    """What a report must know of a strategy, see `bench.strategy.Strategy`.

    One that starts from "nothing" has no network: it is a rival of the others, and the same on every backbone.
    """

    name: str
    kind: str
    start: Start
    trained_fraction: float


class Curve(NamedTuple):
    """A strategy on a backbone and a task: what has one recipe."""

    task: str
    backbone: str
    strategy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a results folder was asked for. `cells` maps every planned cell to the key of its result.

    `recipes` has the settings of each strategy as plain values, none where they are not known. `choices` are those of
    the precision to train in, by their keys, as far as they were made by timing. `left_out` says why there are no cells
    of a strategy that cannot be on a task and a backbone, `need_labels` why there are none without labels: a clause.
    `tuned` says of recipes that were tuned how that was done: `on` which tasks, with which budgets and how many seeds,
    when, and with `labels` of the task itself beside every budget.
    `other_data` has the label budgets of cells that are left out, being of other data than their task has now.
    Tasks, backbones and strategies are in the order of the config, which is the order of every table and chart.
    """

    suite: str
    tasks: Mapping[str, TaskEntry]
    backbones: Mapping[str, BackboneCard]
    strategies: Mapping[str, StrategyEntry]
    cells: Mapping[Cell, str] = field(default_factory=dict)
    recipes: Mapping[Curve, Mapping[str, Any]] = field(default_factory=dict)
    tuned: Mapping[Curve, Mapping[str, Any]] = field(default_factory=dict)
    choices: Mapping[str, PrecisionChoice] = field(default_factory=dict)
    left_out: Mapping[Curve, str] = field(default_factory=dict)
    need_labels: Mapping[Curve, str] = field(default_factory=dict)
    other_data: Mapping[Curve, str] = field(default_factory=dict)

    def merged(self, newer: "Manifest") -> "Manifest":
        """Return this manifest with what a newer plan says laid over it: an amended run adds to a folder.

        But scores of other data do not stand in one table: where the data of a task changed, its cells of before are
        dropped and `other_data` says so, until their strategy is planned again. And a choice once made stays, so that
        all cells of a folder and machine are trained alike.
        """
        outdated = {curve: _budgets_of(cells) for curve, cells in self.outdated(newer).items()}
        kept = {cell: key for cell, key in self.cells.items() if not self._has_other_data(newer, cell.task)}
        without_labels = {Curve(one.task, one.backbone, one.strategy) for one in newer.cells if one.budget == NONE}
        return Manifest(
            suite=newer.suite,
            tasks={**self.tasks, **newer.tasks},
            backbones={**self.backbones, **newer.backbones},
            strategies={**self.strategies, **newer.strategies},
            cells={**kept, **newer.cells},
            recipes={curve: said for curve, said in self.recipes.items() if curve not in outdated}
            | dict(newer.recipes),
            tuned={curve: card for curve, card in self.tuned.items() if curve not in {*outdated, *newer.recipes}}
            | dict(newer.tuned),
            choices={**newer.choices, **self.choices},
            left_out={curve: why for curve, why in self.left_out.items() if curve not in newer.recipes}
            | dict(newer.left_out),
            other_data={curve: budgets for curve, budgets in self.other_data.items() if curve not in newer.recipes}
            | outdated
            | dict(newer.other_data),
            need_labels={curve: why for curve, why in self.need_labels.items() if curve not in without_labels}
            | dict(newer.need_labels),
        )

    def outdated(self, newer: "Manifest") -> dict[Curve, list[Cell]]:
        """Return the cells that a newer plan, with other data of their task, does not have, by their curves."""
        found: dict[Curve, list[Cell]] = {}
        for cell in self.cells:
            if cell not in newer.cells and self._has_other_data(newer, cell.task):
                found.setdefault(Curve(cell.task, cell.backbone, cell.strategy), []).append(cell)
        return found

    def _has_other_data(self, newer: "Manifest", task: str) -> bool:
        """Whether a newer plan has other data of a task, by what the keys of results have of its card."""
        if task not in newer.tasks or task not in self.tasks:
            return False
        before, now = self.tasks[task].card, newer.tasks[task].card
        return (before.version, before.sha256, before.folds) != (now.version, now.sha256, now.folds)


def _budgets_of(cells: Sequence[Cell]) -> str:
    return ", ".join(map(str, sorted({cell.budget for cell in cells})))


def manifest_record(manifest: Manifest, *, store_format: int) -> dict[str, Any]:
    """Return the manifest as plain values for JSON."""
    return {
        "format": store_format,
        "suite": manifest.suite,
        "tasks": {name: asdict(entry) for name, entry in manifest.tasks.items()},
        "backbones": {name: asdict(card) for name, card in manifest.backbones.items()},
        "strategies": {name: asdict(entry) for name, entry in manifest.strategies.items()},
        "recipes": [{**curve._asdict(), "recipe": recipe} for curve, recipe in manifest.recipes.items()],
        "tuned": [{**curve._asdict(), "card": card} for curve, card in manifest.tuned.items()],
        "left_out": [{**curve._asdict(), "reason": reason} for curve, reason in manifest.left_out.items()],
        "need_labels": [{**curve._asdict(), "reason": reason} for curve, reason in manifest.need_labels.items()],
        "other_data": [{**curve._asdict(), "budgets": budgets} for curve, budgets in manifest.other_data.items()],
        "choices": [asdict(choice) for choice in manifest.choices.values()],
        "cells": [{**cell_record(cell), "key": key} for cell, key in sorted(manifest.cells.items())],
    }


def manifest_of(record: Mapping[str, Any]) -> Manifest:
    """Return the manifest of a record made by `manifest_record`.

    Raises `KeyError`, `TypeError`, `ValueError` or `AttributeError` if the record is not one.
    """
    return Manifest(
        suite=record["suite"],
        tasks={
            name: TaskEntry(
                card=read_card(TaskCard, entry["card"]),
                metric=MetricCard(**entry["metric"]),
                metrics=tuple(MetricCard(**metric) for metric in entry["metrics"]),
                baseline=entry["baseline"],
                unit=entry["unit"],
                target=entry.get("target", {}),
            )
            for name, entry in record["tasks"].items()
        },
        backbones={name: read_card(BackboneCard, card) for name, card in record["backbones"].items()},
        strategies={name: StrategyEntry(**entry) for name, entry in record["strategies"].items()},
        cells={cell_of({k: v for k, v in row.items() if k != "key"}): row["key"] for row in record["cells"]},
        recipes={Curve(row["task"], row["backbone"], row["strategy"]): row["recipe"] for row in record["recipes"]},
        tuned={Curve(row["task"], row["backbone"], row["strategy"]): row["card"] for row in record.get("tuned", ())},
        choices={row["key"]: PrecisionChoice(**row) for row in record.get("choices", ())},  # older folders have none
        left_out=_reasons(record.get("left_out", ())),
        need_labels=_reasons(record.get("need_labels", ())),  # older folders have none
        other_data={
            Curve(row["task"], row["backbone"], row["strategy"]): row["budgets"] for row in record.get("other_data", ())
        },
    )


def _reasons(rows: Iterable[Mapping[str, str]]) -> dict[Curve, str]:
    return {Curve(row["task"], row["backbone"], row["strategy"]): row["reason"] for row in rows}
