"""Forecasting tasks on series that the user names: all series of a table share one model."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final, final

import numpy as np

from bench.card import TaskCard
from bench.config.data import DataSpec
from bench.domains.options import DataOptions
from bench.domains.series.raw import Series, Values, typical_change
from bench.domains.series.tables import NAMED, Table, read_series
from bench.errors import DataError
from bench.runtime.cache import Cache
from bench.targets.forecast import Forecast
from bench.task import Split, Task
from bench_tasks.forecasts.windowing import (
    Bounds,
    Shape,
    bounds_by_counts,
    bounds_by_share,
    cut_split,
)

CONSTANT: Final = 1e-9
"""A unit that is a smaller share of the largest value is rounding, not change."""


@final
class Forecasting(Task):
    """Forecasts of one series or several, from windows of their own past."""

    target: Forecast

    def __init__(
        self,
        card: TaskCard,
        target: Forecast,
        *,
        series: Sequence[Series],
        bounds: Sequence[Bounds],
        units: Sequence[float],
        shape: Shape,
    ) -> None:
        """`series` have no gaps; each has its `bounds` of training and test, and the unit of its errors."""
        self.card = card
        self.target = target
        self._series = tuple(series)
        self._bounds = tuple(bounds)
        self._units = tuple(units)
        self._shape = shape

    def split(self, fold: int, cache: Cache) -> Split:
        return cut_split(self._series, self._bounds, self._units, self._shape)


def open_forecasting(name: str, spec: DataSpec, cache: Cache) -> Forecasting:
    """Return the task `name` on the series of a table, `csv:PATH` (also of a tsv, parquet or jsonl file).

    Raises `DataError` if the table cannot be read, or its series are broken, too short or constant.
    """
    options = spec.options
    if spec.kind != "csv":
        raise DataError(f"series are read from csv:PATH, got {spec.address!r}")
    path = Path(spec.place).expanduser()
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}; {spec.address!r} is to name a file") from error
    table = read_series(path, content, options)
    shape = Shape(options.context, options.horizon, options.season or table.calendar.season)
    where = str(path)
    bounds = _bounds(where, table, options, shape)
    series = _complete(where, table, bounds, fill=options.fill)
    units = [_unit(where, one, limit, options, shape) for one, limit in zip(series, bounds, strict=True)]
    n_train = sum(limit.train_end - shape.length + 1 for limit in bounds)
    remarks = (*table.remarks, *_filled(table), *_unused(series, bounds))
    card = TaskCard(
        name=name,
        title=options.title or name,
        domain="series",
        description=_describe(table, shape),
        source=options.source or spec.address,
        licence=options.licence,
        citation=options.citation,
        version=1,
        sha256=_content_hash(content, table, options, shape),
        pinned=False,
        n_train=n_train,
        amount=float(sum(limit.train_end for limit in bounds)),
        remarks=remarks,
    )
    target = Forecast(options.horizon, error=options.error)
    return Forecasting(card, target, series=series, bounds=bounds, units=units, shape=shape)


def _bounds(where: str, table: Table, options: DataOptions, shape: Shape) -> list[Bounds]:
    """Return the split of each series. Raises `DataError` for those that are too short for it."""
    if options.counts is not None:
        limits = [bounds_by_counts(options.counts, shape.context) for _ in table.series]
        _refuse_counts(options.counts, shape)
        needed = sum(options.counts)
        how = f"counts = {list(options.counts)} ask for {needed}"
    else:
        limits = [bounds_by_share(len(one), options.share_tested) for one in table.series]
        needed = _steps_needed(options.share_tested, shape)
        how = (
            f"test_share = {options.share_tested:g} with windows of {shape.context} + {shape.horizon} steps on both "
            f"sides needs {needed}"
        )
    short = [one for one in table.series if len(one) < needed]
    if short:
        named = ", ".join(f"{one.name!r} has {len(one)}" for one in short[:NAMED])
        raise DataError(
            f"{where}: {len(short)} of {len(table.series)} series are too short ({named} steps): {how}; lower context "
            "or horizon, or leave them out"
        )
    shortest = min(limit.train_end for limit in limits)
    if shape.season >= shortest:
        raise DataError(
            f"{where}: {shortest} training steps are less than one season of {shape.season} and a step: set `season`"
        )
    if shape.season > shape.context:
        raise DataError(
            f"{where}: a context of {shape.context} steps is less than one season of {shape.season}, which the "
            f"seasonal naive forecast repeats: set context = {shape.season} or more, or another `season`"
        )
    return limits


def _refuse_counts(counts: tuple[int, int, int], shape: Shape) -> None:
    """Raise `DataError` if windows do not fit into the counts."""
    train, _, test = counts
    if train < shape.length or test < shape.horizon:
        raise DataError(
            f"counts = {list(counts)} leave no window: training needs {shape.context} + {shape.horizon} steps, got "
            f"{train}, and the test {shape.horizon}, got {test}"
        )


def _steps_needed(test_share: float, shape: Shape) -> int:
    """Return the fewest steps of which either side of the split has a window."""
    steps = int(shape.length / max(test_share, 1 - test_share))
    while True:
        bounds = bounds_by_share(steps, test_share)
        if min(bounds.train_end, steps - bounds.test_start) >= shape.length:
            return steps
        steps += 1


def _complete(where: str, table: Table, bounds: Sequence[Bounds], *, fill: bool) -> list[Series]:
    """Return the series without gaps. Raises `DataError` if there are any and they are not to be filled."""
    missing = table.missing
    if missing.values and not fill:
        absent = f", {missing.absent} of them for want of a row" if missing.absent else ""
        raise DataError(
            f"{where} lacks {missing.values} values{absent}, the first {', '.join(missing.first)}: complete them, or "
            "interpolate them with --fill (fill = true)"
        )
    return [_interpolated(where, one, limit.train_end) for one, limit in zip(table.series, bounds, strict=True)]


def _interpolated(where: str, series: Series, train_end: int) -> Series:
    """Return the series with lines in its gaps, drawn in the training steps and in the rest separately."""
    parts = []
    for part, values in (("training", series.values[:train_end]), ("other", series.values[train_end:])):
        known = np.flatnonzero(~np.isnan(values))
        if len(values) and not len(known):
            raise DataError(f"{where}: series {series.name!r} has no value in its {len(values)} {part} steps")
        parts.append(np.interp(np.arange(len(values)), known, values[known]) if len(values) else values)
    return Series(series.name, np.concatenate(parts), series.moments)


def _unit(where: str, series: Series, bounds: Bounds, options: DataOptions, shape: Shape) -> float:
    """Return the unit of a series' errors, from its training steps. Raises `DataError` if it is 0."""
    history: Values = series.values[: bounds.train_end]
    spread = float(history.std())
    unit = typical_change(history, shape.season, options.error)
    size = CONSTANT * float(np.abs(history).max())
    if spread <= size:
        raise DataError(
            f"{where}: series {series.name!r} is constant, {history[0]:g} in all {len(history)} training steps: leave "
            "it out, with `values` or its rows"
        )
    if unit <= size:
        raise DataError(
            f"{where}: series {series.name!r} repeats itself exactly every {shape.season} steps, so that MASE has no "
            "unit: set metric = 'mse'"
        )
    return unit


def _filled(table: Table) -> tuple[str, ...]:
    missing = table.missing
    told = (
        f"{missing.values} missing values are interpolated, the first {', '.join(missing.first)}; those among test "
        "steps are scored like measured ones"
    )
    return (told,) if missing.values else ()


def _unused(series: Sequence[Series], bounds: Sequence[Bounds]) -> tuple[str, ...]:
    unused = max(len(one) - limit.test_end for one, limit in zip(series, bounds, strict=True))
    return (f"steps after those that `counts` names are not used, {unused} of the longest series",) if unused else ()


def _describe(table: Table, shape: Shape) -> str:
    lengths = sorted(len(one) for one in table.series)
    count = "1 series" if len(lengths) == 1 else f"{len(lengths)} series"
    length = f"{lengths[0]}" if lengths[0] == lengths[-1] else f"{lengths[0]} to {lengths[-1]}"
    return (
        f"{count} of {length} {table.calendar.title}: {shape.context} of them forecast the next {shape.horizon}; "
        f"season {shape.season}."
    )


def _content_hash(content: bytes, table: Table, options: DataOptions, shape: Shape) -> str:
    """Return the sha256 of the file and of all that decides what is made of it."""
    split = options.counts or options.share_tested
    names = [one.name for one in table.series]
    made = [names, options.time, options.series, table.calendar.frequency, shape, split, options.error, options.fill]
    return hashlib.sha256(content + json.dumps(made).encode()).hexdigest()
