"""What trackers are told of an outcome: whatever is kept of it in words is a parameter, in numbers a metric."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from bench import stats
from bench.cell import Failure, Outcome, cell_record, to_record
from bench.planning.plan import PlannedCell
from bench.results.manifest import Manifest
from bench.tracking.tracker import Point, TrackedCell, Value

KEY_LETTERS: Final = 8  # of a cell's key, enough to tell cells of one name and different recipes apart


def describe(outcome: Outcome, planned: PlannedCell, manifest: Manifest) -> TrackedCell:
    """Return what trackers are told of an outcome of a planned cell."""
    failed = isinstance(outcome, Failure)
    record = to_record(outcome)
    return TrackedCell(
        name=str(outcome.cell),
        path=_path(record["cell"], outcome.key),
        strategy=planned.strategy.name,
        parameters={**_asked(planned, manifest), **({} if failed else _words(record))},
        metrics={} if failed else metrics(record, perfect=manifest.tasks[outcome.cell.task].metric.perfect),
        curves={} if failed else curves(record),
        seconds=record.get("seconds", 0.0),
        reason=record.get("reason"),
    )


def metrics(record: Mapping[str, Any], *, perfect: float) -> dict[str, float]:
    """Return every number of a result's record, and its skill.

    The values of all metrics are there as `metric.NAME`, its scores under shifts as `score.SHIFT`.
    """
    found = {name: value for name, value in record.items() if isinstance(value, int | float)}
    found["skill"] = float(stats.skill(record["score"], chance=record["chance"], perfect=perfect))
    for name, value in record["scores"]["values"].items():
        if value is not None:
            found[f"metric.{name}"] = value
    for shifted in record["shifted"]:
        found[f"score.{shifted['shift']}"] = shifted["score"]
        found[f"chance.{shifted['shift']}"] = shifted["chance"]
    return found


def curves(record: Mapping[str, Any]) -> dict[str, Sequence[Point]]:
    """Return the training loss of a result's record over its steps, if it was trained: values are evenly spaced."""
    losses = record["losses"]
    points = [
        Point(step=round(place * record["steps"] / len(losses)), value=value)
        for place, value in enumerate(losses, start=1)
    ]
    return {"loss": points} if points else {}


def _asked(planned: PlannedCell, manifest: Manifest) -> dict[str, Value]:
    """Return what a cell was asked for: itself, its recipe, and the cards of its task and backbone."""
    cell, strategy = planned.cell, planned.strategy
    entry = manifest.tasks[cell.task]
    nested = {
        "suite": manifest.suite,
        **cell_record(cell),
        "key": planned.key,
        "strategy_card": asdict(manifest.strategies[cell.strategy]),
        "recipe": strategy.recipe(),
        "task_card": {**asdict(entry.card), "metric": entry.metric.name},
        "backbone_card": asdict(manifest.backbones[cell.backbone]),
    }
    return dict(_flat(nested))


def _words(record: Mapping[str, Any]) -> dict[str, Value]:
    """Return what a result's record says in words: where it ran, and under which versions."""
    words = {name: value for name, value in record.items() if isinstance(value, str) and name not in {"kind", "key"}}
    return dict(_flat({**words, "provenance": record["provenance"]}))


def _flat(nested: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Value]]:
    """Yield the values of nested mappings under dotted names; several values become one, what is missing none."""
    for name, value in nested.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        elif isinstance(value, list | tuple):
            yield f"{prefix}{name}", ", ".join(map(str, value))
        elif value is not None:
            yield f"{prefix}{name}", value


def _path(cell: Mapping[str, Any], key: str) -> str:
    """Return folders for task, backbone and strategy, and a name for the rest of the cell.

    Names are of letters, digits and a few signs; no one of them leads out of its folder.
    """
    folders = [cell["task"], cell["backbone"], cell["strategy"]]
    safe = [re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.") or "unnamed" for name in folders]
    return "/".join([*safe, f"{cell['budget']}-seed{cell['seed']}-{key[:KEY_LETTERS]}"])
