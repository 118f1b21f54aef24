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
from bench.files.scripts import run_script
from bench.metric import Metric, MetricCard
from bench.registry import METRICS, load_instance, names
from bench.runtime.cache import file_sha256

PREFIX: Final = "python:"


def is_own(text: str) -> bool:
    """Return whether this names a metric of others: `python:FILE:FUNCTION`, or one of an installed package."""
    return text.startswith(PREFIX) or text in names(METRICS)


def find_metric(text: str) -> Metric:
    """Return a metric of others: see `is_own`. Raises like `load_metric`, and `PluginError` for what is no metric."""
    return load_metric(text) if text.startswith(PREFIX) else load_instance(METRICS, text, Metric)


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
    return Metric(replace(_card(function, where), sha256=sha256), _checked(function, where))


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


def _checked(function: Callable[..., Any], where: str) -> Callable[[Column, Column, Column | None], float | None]:
    """Return a function of a user's that is refused where it returns no number."""

    def compute(predictions: Column, labels: Column, facts: Column | None) -> float | None:
        value = function(predictions, labels, facts)
        if value is not None and not isinstance(value, int | float | np.integer | np.floating):
            raise DataError(f"{where} is to return a number, or None where there is none: got {type(value).__name__}")
        if value is not None and math.isinf(value):
            raise DataError(f"{where} is to return a finite number, or None where there is none: got {value}")
        return None if value is None or math.isnan(value) else float(value)

    return compute
