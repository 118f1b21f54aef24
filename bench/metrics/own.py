"""Metrics of others: functions in a Python file of a user's, and those of installed packages."""

import inspect
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench.column import Column
from bench.errors import DataError, unknown_name
from bench.files.scripts import describe_raised, run_script
from bench.metric import Metric, MetricCard
from bench.registry import METRICS, load_instance, names
from bench.runtime.cache import file_sha256

PREFIX: Final = "python:"


def is_own(text: str) -> bool:
    """Return whether this names a metric of others: `python:FILE:FUNCTION`, or one of an installed package."""
    return text.startswith(PREFIX) or text in names(METRICS)


def find_metric(text: str) -> Metric:
    """Return a metric of others: see `is_own`. Raises like `load_metric`, and `PluginError` for what is no metric."""
    if text.startswith(PREFIX):
        return load_metric(text)
    metric = load_instance(METRICS, text, Metric)
    return replace(metric, compute=_checked(metric.compute, f"the metric {text}"))


def load_metric(text: str) -> Metric:
    """Return the metric that is a function in a Python file, `python:FILE:FUNCTION`; the file is run.

    The function is given predictions, labels and facts (None where the target has none) as columns, and returns a
    number, or None or nan where the examples do not define one. Attributes of it may say more: `higher_is_better`
    (True), `perfect` (1, or 0 where lower is better) and `title` (its name).

    Its card has the hash of the file: kept predictions are scored anew by a function that has changed.

    Raises `DataError` if the file cannot be run or the function is no metric, and `UnknownNameError` if there is none
    of this name.
    """
    file, colon, name = text.removeprefix(PREFIX).rpartition(":")
    if not text.startswith(PREFIX) or not colon or not name.isidentifier():
        raise DataError(f"a metric of your own is python:FILE:FUNCTION, such as python:mine.py:cost: got {text!r}")
    sha256 = file_sha256(Path(file)) if Path(file).is_file() else ""  # before it is run: what is newer is noticed later
    module = run_script(Path(file))
    found = dict(inspect.getmembers(module, inspect.isfunction))
    if name not in found:
        raise unknown_name(f"function in {file}", name, (known for known in found if not known.startswith("_")))
    function = found[name]
    try:
        inspect.signature(function).bind(None, None, None)
    except TypeError as error:
        raise DataError(f"{name} in {file} is to take predictions, labels and facts: {error}") from error
    where = f"{name} in {file}"
    return Metric(replace(_card(function, where), sha256=sha256), _checked(function, where, Path(file)))


def _card(function: Callable[..., Any], where: str) -> MetricCard:
    """Return what the attributes of a function say of it as a metric."""
    name = function.__name__
    higher_is_better = getattr(function, "higher_is_better", True)
    if not isinstance(higher_is_better, bool):
        raise DataError(f"{where}: higher_is_better is to be True or False: got {higher_is_better!r}")
    perfect = getattr(function, "perfect", 1.0 if higher_is_better else 0.0)
    if isinstance(perfect, bool) or not isinstance(perfect, int | float) or not math.isfinite(perfect):
        raise DataError(f"{where}: perfect is to be the score of a faultless prediction, a number: got {perfect!r}")
    title = getattr(function, "title", name.replace("_", " "))
    return MetricCard(name, str(title), higher_is_better=higher_is_better, perfect=float(perfect))


def _checked(
    function: Callable[..., Any], where: str, file: Path | None = None
) -> Callable[[Column, Column, Column | None], float | None]:
    """Return a function of others' that cannot change what it is given, and is refused where it returns no number."""

    def compute(predictions: Column, labels: Column, facts: Column | None) -> float | None:
        try:
            value = function(_copy(predictions), _copy(labels), None if facts is None else _copy(facts))
        except (Exception, SystemExit) as error:  # somebody else's code: it is what has to be named
            raise DataError(f"{where} raised {describe_raised(error, file)}") from error
        return _number(value, where)

    return compute


def _copy(column: Column) -> Column:
    """Return a copy of a column: other metrics are given the same one, and it is kept on disk."""
    return column.take(np.arange(len(column)))


def _number(value: object, where: str) -> float | None:
    """Return what a function returned as a score. Raises `DataError` if it is none."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise DataError(f"{where} is to return a number, or None where there is none: got {type(value).__name__}")
    try:
        number = float(value)
    except OverflowError:  # of an integer
        number = math.inf
    if math.isinf(number):
        raise DataError(f"{where} is to return a finite number, or None where there is none: got {number}")
    return None if math.isnan(number) else number
