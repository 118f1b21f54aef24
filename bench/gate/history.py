"""The history of nights: areas under learning curves by task and strategy, and from which night they changed.

The area of a row (a task, backbone and strategy) is taken for each seed, on the scale of skill; its night has their
mean, with the interval over seeds and test examples. That of a task is the mean over its rows. A row without a score at
every budget of some seed has no area that night: over fewer budgets it would be another quantity.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.analysis.points import replicate_skill
from bench.budget import Asked
from bench.cell import Cell, Result
from bench.errors import StoreError
from bench.gate.matching import Run, changed, precision_change, read_run
from bench.gate.steps import Step, find_steps
from bench.metric import MetricCard
from bench.results.manifest import Curve, Manifest
from bench.results.store import Store
from bench.stats import NO_REPLICATES, Replicates, area_of_replicates, combine, uncertainty

OTHER_RECIPE: Final = "another recipe"
OTHER_CELLS: Final = "other budgets or seeds"


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """A results folder of the history. Names of nights are unique."""

    name: str
    folder: str
    n_planned: int
    n_scored: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A row over the nights, or the mean of a task's rows, whose backbone and strategy are None.

    `areas` and `margins` (half of a 95 % interval) have an element per night, nan where there is none; `changes` says
    by night what measures something else than the night before, such as other data.
    """

    task: str
    backbone: str | None
    strategy: str | None
    areas: tuple[float, ...]
    margins: tuple[float, ...]
    changes: Mapping[int, str]
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Nights, oldest first, with a series per task and, after it, per row of it."""

    nights: tuple[Night, ...]
    series: tuple[Series, ...]

    @property
    def tasks(self) -> tuple[Series, ...]:
        """The series of whole tasks."""
        return tuple(one for one in self.series if one.strategy is None)


@dataclass(frozen=True, slots=True)
class _Measured:
    """A night as measured: the cards, and of each row the area, the keys of its cells and their precisions."""

    manifest: Manifest
    areas: Mapping[Curve, Replicates]
    keys: Mapping[Curve, Mapping[Cell, str]]
    precisions: Mapping[Curve, tuple[str, ...]]


def find_nights(folders: Sequence[Path]) -> list[Path]:
    """Return the results folders that are meant, oldest first: as given, or those in a given folder, by name.

    Raises `StoreError` for a folder that is no results folder and holds none.
    """
    found = []
    for folder in folders:
        if (folder / "manifest.json").exists():
            found.append(folder)
            continue
        inside = sorted(path.parent for path in folder.glob("*/manifest.json"))
        if not inside:
            raise StoreError(f"{folder} is no results folder and holds none: name folders that `run` wrote")
        found += inside
    return found


def read_history(folders: Sequence[Path]) -> History:
    """Read one results folder per night. Raises `StoreError` if one cannot be read."""
    return history_of((name, read_run(Store(folder))) for name, folder in zip(_names(folders), folders, strict=True))


def history_of(runs: Iterable[tuple[str, Run]]) -> History:
    """Return the history of named runs, oldest first; each is let go before the next is taken."""
    nights, measured = [], []
    for name, run in runs:
        nights.append(Night(name=name, folder=run.folder, n_planned=len(run.outcomes), n_scored=run.n_results))
        measured.append(_measure(run))
    tasks: dict[str, list[Curve]] = {}
    for row in dict.fromkeys(row for night in measured for row in night.keys):
        tasks.setdefault(row.task, []).append(row)
    n_series = sum(1 + len(rows) for rows in tasks.values())
    series = []
    for task, rows in tasks.items():
        series.append(_series(measured, task, rows, n_series))
        if len(rows) > 1:
            series += [_series(measured, task, [row], n_series, row) for row in rows]
    return History(nights=tuple(nights), series=tuple(series))


def _names(folders: Sequence[Path]) -> list[str]:
    """Return what to call each night: its folder's name, with those above it where that is not unique."""
    names = [folder.resolve().name for folder in folders]
    return names if len(set(names)) == len(names) else [str(folder) for folder in folders]


def _measure(run: Run) -> _Measured:
    keys: dict[Curve, dict[Cell, str]] = {}
    seeds: dict[Curve, dict[int, list[Result | None]]] = {}  # at all budgets
    for cell, outcome in run.outcomes.items():
        row = Curve(cell.task, cell.backbone, cell.strategy)
        keys.setdefault(row, {})[cell] = run.manifest.cells[cell]
        result = outcome if isinstance(outcome, Result) else None
        seeds.setdefault(row, {}).setdefault(cell.seed, []).append(result)
    whole = {
        row: [one for results in of_seeds.values() if None not in results for one in results if one is not None]
        for row, of_seeds in seeds.items()
    }
    return _Measured(
        run.manifest,
        {row: _area(results, run.manifest.tasks[row.task].metric) for row, results in whole.items()},
        keys,
        {
            row: tuple(one.precision for results in of_seeds.values() for one in results if one is not None)
            for row, of_seeds in seeds.items()
        },
    )


def _area(results: Sequence[Result], metric: MetricCard) -> Replicates:
    """Return the area under the curve of a row, on the scale of skill, of seeds that have every budget."""
    points: dict[Asked, list[Result]] = {}
    for one in results:
        points.setdefault(one.cell.budget, []).append(one)
    if not points:
        return NO_REPLICATES
    # of a share, folds that differ by an example have slightly different amounts
    curve = sorted((max(one.amount for one in several), budget) for budget, several in points.items())
    skills = [replicate_skill(points[budget], metric) for _, budget in curve]
    return area_of_replicates([amount for amount, _ in curve], skills)


def _series(
    measured: Sequence[_Measured], task: str, rows: Sequence[Curve], n_series: int, row: Curve | None = None
) -> Series:
    """Return the series of a task's rows, or of one `row` of several."""
    nights = [_mean(night, [one for one in rows if one in night.keys]) for night in measured]
    areas, margins = [area for area, _ in nights], [margin for _, margin in nights]
    return Series(
        task=task,
        backbone=None if row is None else row.backbone,
        strategy=None if row is None else row.strategy,
        areas=tuple(areas),
        margins=tuple(margins),
        changes=_changes(measured, rows),
        steps=tuple(find_steps(areas, margins, n_series=n_series)),
    )


def _mean(night: _Measured, rows: Sequence[Curve]) -> tuple[float, float]:
    """Return the mean area of rows in a night, over seeds that all of them have, with its margin."""
    areas = [night.areas[row] for row in rows]
    if not areas:
        return float("nan"), float("nan")
    found = uncertainty(combine(areas, [1 / len(areas)] * len(areas)))
    return found.mean, found.margin()


def _changes(measured: Sequence[_Measured], rows: Iterable[Curve]) -> dict[int, str]:
    """Return by night what differs from the last night before that had the row."""
    found: dict[int, dict[str, None]] = {}
    for row in rows:
        last: _Measured | None = None
        for index, night in enumerate(measured):
            if row not in night.keys:
                continue
            said = "" if last is None else _change(last, night, row)
            if said:
                found.setdefault(index, {})[said] = None
            last = night
    return {index: "; ".join(said) for index, said in sorted(found.items())}


def _change(before: _Measured, after: _Measured, row: Curve) -> str:
    said = changed(before.manifest, after.manifest, row)
    if said:
        return said
    ours, theirs = before.keys[row], after.keys[row]
    if ours.keys() != theirs.keys():
        return OTHER_CELLS
    return OTHER_RECIPE if ours != theirs else precision_change(before.precisions[row], after.precisions[row])
