"""Kept results scored by metrics that they lack, from what was predicted: nothing is trained for another metric.

A function of a user's that has changed since is another metric, though its name is the same.
"""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from bench.analysis.wording import counted
from bench.cell import Result, Scores
from bench.column import Column
from bench.errors import DataError, StoreError
from bench.execution.evaluation import Scorable, score_units
from bench.metric import Metric, files_of
from bench.planning.plan import PlannedCell
from bench.results.store import Store
from bench.results.tested import PLAIN, Tested
from bench.task import Task

Metrics = tuple[Metric, ...]

log = logging.getLogger(__name__)


class Rescored(NamedTuple):
    """The keys of planned results that still lack a metric.

    Too little is kept of the `lost`: their cells have to be run again. On those that `failed` a metric itself did: they
    would not have its score if they were run again.
    """

    lost: list[str]
    failed: list[str]


def rescore(store: Store, plan: Sequence[PlannedCell], tasks: Mapping[str, Task]) -> Rescored:
    """Score the results of a folder by the metrics of their tasks that they lack.

    These are the results of a plan, and those that the folder holds of its tasks besides, since one table has both.
    """
    planned = dict.fromkeys(one.key for one in plan)
    held = (key for cell, key in store.planned_cells().items() if cell.task in tasks)
    rescorers = {name: _Rescorer(store, task) for name, task in tasks.items()}
    scored, lost = 0, []
    failed: dict[str, str] = {}
    for key in dict.fromkeys((*planned, *held)):
        result = store.unranked(key)
        if result is None or not (lacking := rescorers[result.cell.task].lacking(result)):
            continue
        try:
            store.rescore(rescorers[result.cell.task].scored_by(lacking, result))
            scored += 1
        except StoreError as error:
            log.info("%s: cannot be scored by another metric, %s", result.cell, error)
            lost += [key] if key in planned else []
        except DataError as error:
            failed[key] = str(error)
    if scored:
        log.info("%d results scored by further metrics from their predictions; nothing was trained", scored)
    for reason, count in Counter(failed.values()).items():
        log.warning("%s not scored by further metrics: %s", counted(count, "result"), reason)
    return Rescored(lost, [key for key in failed if key in planned])


class _Rescorer:
    """The kept results of one task, scored from their predictions and what these belong to."""

    def __init__(self, store: Store, task: Task) -> None:
        self._store = store
        self._target = task.target
        self._metrics = task.target.metrics
        self._card = task.card
        self._baselines: dict[tuple[int, str, str, str, Metrics], Scores] = {}

    def lacking(self, result: Result) -> Metrics:
        """Return the metrics of the task that a result was not scored by, as they are now."""
        return tuple(
            metric
            for metric in self._metrics
            if metric.card.name not in result.scores.values
            or metric.card.sha256 != result.metric_files.get(metric.card.name, "")
        )

    def scored_by(self, metrics: Metrics, result: Result) -> Result:
        """Return a result with its scores by further metrics. Raises `StoreError` if too little is kept for that."""
        if result.data_sha256 != self._card.sha256 and not self._card.pinned:
            raise StoreError("it was tested on other data than the task has now")
        if result.folds != self._card.folds:
            raise StoreError("the fold that it was tested on is not known any more")
        tested = self._store.tested(result)

        def scores(kept: Scores, shift: str) -> Scores:
            predictions = self._store.predictions(result.key, shift)
            return _joined(kept, self._score(metrics, predictions, tested, shift, result.data_sha256))

        def baselines(kept: Scores, shift: str) -> Scores:
            name = (result.fold, result.data_sha256, result.tested, shift, metrics)
            if name not in self._baselines:
                predictions = tested.baselines[shift]
                self._baselines[name] = self._score(metrics, predictions, tested, shift, result.data_sha256)
            return _joined(kept, self._baselines[name])

        return replace(
            result,
            scores=scores(result.scores, PLAIN),
            baselines=baselines(result.baselines, PLAIN),
            metric_files=_files(metrics, result),
            shifted=tuple(
                replace(one, scores=scores(one.scores, one.shift), baselines=baselines(one.baselines, one.shift))
                for one in result.shifted
            ),
        )

    def _score(self, metrics: Metrics, predictions: Column, tested: Tested, shift: str, content: str) -> Scores:
        """Return the scores of predictions under a shift, or of the test split as it is."""
        labels, facts, rows = tested.truth(shift, len(predictions))
        groups, units = rows.values.get("group"), rows.values.get("unit")
        blocks = self._target.sampling.blocks(labels, facts, groups, content)
        return score_units(self._target, metrics, predictions, Scorable(labels, facts, blocks, units))


def _files(metrics: Metrics, result: Result) -> dict[str, str]:
    """Return the hashes of the files of a result's metrics, some of which it is scored by now."""
    now = {metric.card.name for metric in metrics}
    return {name: sha256 for name, sha256 in result.metric_files.items() if name not in now} | files_of(metrics)


def _joined(kept: Scores, further: Scores) -> Scores:
    return Scores({**kept.values, **further.values}, {**kept.without, **further.without})
