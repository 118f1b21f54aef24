"""Drops planted in results that were published without predictions.

How many answers are right in each block follows exactly from the accuracy with it and without it; right ones are turned
wrong, whichever, and the result is scored anew. The errors of a forecast are made larger, all by one factor.
"""

from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from bench.cell import Cell, Outcome, Result, Scores
from bench.gate.matching import Run, read_run
from bench.metric import MetricCard
from bench.results.store import Store

REFERENCE: Final = Path(__file__).parents[3] / "results" / "reference"


def reference() -> Run:
    """Return the published run."""
    return read_run(Store(REFERENCE))


def wrong(one: Result, metric: MetricCard, points: float, generator: np.random.Generator) -> Result:
    """Return a result of which `points` of 100 answers that were right are wrong."""
    sizes = np.array(one.block_sizes)
    right = one.score * one.n_test - np.array(one.scores.without[metric.name], dtype=np.float64) * (one.n_test - sizes)
    counts = np.rint(right).astype(np.int64)
    assert np.abs(right - counts).max() < 0.05, "accuracies are shares of whole answers"
    counts -= generator.multivariate_hypergeometric(counts, round(points / 100 * one.n_test))
    total = int(counts.sum())
    return _scored(one, metric, total / one.n_test, (total - counts) / (one.n_test - sizes))


def larger(one: Result, metric: MetricCard, factor: float) -> Result:
    """Return a result whose errors are so many times as large."""
    without = factor * np.array(one.scores.without[metric.name], dtype=np.float64)
    return _scored(one, metric, factor * one.score, without)


def _scored(one: Result, metric: MetricCard, score: float, without: np.ndarray) -> Result:
    scores = Scores({metric.name: score}, {metric.name: tuple(without.tolist())})
    return replace(one, score=score, scores=scores)


def planted(
    run: Run, task: str, *, points: float, factor: float, generator: np.random.Generator
) -> tuple[Run, list[Cell]]:
    """Return a run with a drop in full fine-tuning at the largest budget of a task, in all seeds, and these cells."""
    metric = run.manifest.tasks[task].metric
    several = [one for cell, one in run.outcomes.items() if (cell.task, cell.strategy) == (task, "full")]
    results = [one for one in several if isinstance(one, Result)]
    most = max(one.amount for one in results)
    changed: dict[Cell, Outcome | None] = {
        one.cell: wrong(one, metric, points, generator) if metric.higher_is_better else larger(one, metric, factor)
        for one in results
        if one.amount == most
    }
    return run._replace(outcomes={**run.outcomes, **changed}), list(changed)
