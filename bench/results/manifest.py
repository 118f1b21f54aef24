"""Owns the manifest of a results folder: what was asked for, and what a report must know of it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from bench.card import BackboneCard, TaskCard, read_card
from bench.cell import Cell
from bench.runtime.arithmetic import PrecisionChoice
from bench.target import Metric


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskEntry:
    """What a report must know of a task: its card, its metric and what a label is."""

    card: TaskCard
    metric: Metric
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyEntry:
    """What a report must know of a strategy.

    A classical model of the domain stands in a backbone's place: it is neither pretrained nor trained from scratch.
    """

    name: str
    depth: float
    pretrained: bool
    classical: bool = False


class Curve(NamedTuple):
    """A strategy on a backbone and a task: what has one recipe."""

    task: str
    backbone: str
    strategy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a results folder was asked for. `cells` maps every planned cell to the key of its result.

    `recipes` has the fields of `bench.strategy.Recipe` as plain values, none where that is not known.
    `choices` are those of the precision to train in, by their keys, as far as they were made by timing.
    Tasks, backbones and strategies are in the order of the config, which is the order of every table and chart.
    """

    suite: str
    tasks: Mapping[str, TaskEntry]
    backbones: Mapping[str, BackboneCard]
    strategies: Mapping[str, StrategyEntry]
    cells: Mapping[Cell, str] = field(default_factory=dict)
    recipes: Mapping[Curve, Mapping[str, Any]] = field(default_factory=dict)
    choices: Mapping[str, PrecisionChoice] = field(default_factory=dict)

    def merged(self, newer: "Manifest") -> "Manifest":
        """Return this manifest with what a newer plan says laid over it: an amended run adds to a folder.

        But a choice once made stays, so that all cells of a folder and machine are trained alike.
        """
        return Manifest(
            suite=newer.suite,
            tasks={**self.tasks, **newer.tasks},
            backbones={**self.backbones, **newer.backbones},
            strategies={**self.strategies, **newer.strategies},
            cells={**self.cells, **newer.cells},
            recipes={**self.recipes, **newer.recipes},
            choices={**newer.choices, **self.choices},
        )


def manifest_record(manifest: Manifest, *, store_format: int) -> dict[str, Any]:
    """Return the manifest as plain values for JSON."""
    return {
        "format": store_format,
        "suite": manifest.suite,
        "tasks": {name: asdict(entry) for name, entry in manifest.tasks.items()},
        "backbones": {name: asdict(card) for name, card in manifest.backbones.items()},
        "strategies": {name: asdict(entry) for name, entry in manifest.strategies.items()},
        "recipes": [{**curve._asdict(), "recipe": recipe} for curve, recipe in manifest.recipes.items()],
        "choices": [asdict(choice) for choice in manifest.choices.values()],
        "cells": [{**asdict(cell), "key": key} for cell, key in sorted(manifest.cells.items())],
    }


def manifest_of(record: Mapping[str, Any]) -> Manifest:
    """Return the manifest of a record made by `manifest_record`.

    Raises `KeyError`, `TypeError` or `AttributeError` if the record is not one.
    """
    return Manifest(
        suite=record["suite"],
        tasks={
            name: TaskEntry(
                card=read_card(TaskCard, entry["card"]), metric=Metric(**entry["metric"]), label=entry["label"]
            )
            for name, entry in record["tasks"].items()
        },
        backbones={name: read_card(BackboneCard, card) for name, card in record["backbones"].items()},
        strategies={name: StrategyEntry(**entry) for name, entry in record["strategies"].items()},
        cells={Cell(**{k: v for k, v in row.items() if k != "key"}): row["key"] for row in record["cells"]},
        recipes={Curve(row["task"], row["backbone"], row["strategy"]): row["recipe"] for row in record["recipes"]},
        choices={row["key"]: PrecisionChoice(**row) for row in record.get("choices", ())},  # older folders have none
    )
