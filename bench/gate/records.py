"""Owns the comparison as JSON, for programs.

    format          1; raised when a key changes its meaning or goes
    passed          whether the exit code is 0
    verdict         "regression", "improvement", "no change" or "not decided": of the scores of all tasks
    reasons         why it did not pass, a list of phrases
    tolerance       of skill
    baseline, current       folder, n_planned, n_scored
    tasks           of each: task, verdict, whole, strategies, budgets. A judgement (whole, and each of the others) has
                    verdict, mean, lower, upper, p, adjusted, n_seeds, n_pairs; strategies add backbone, strategy,
                    another_recipe, recipe_changes, precision_change; budgets add fraction
    not_compared    task, backbone, strategy, reason
    missing, added, unmatched       cells: task, backbone, strategy, fraction, seed, varied
    new_failures, old_failures      cells with their reason
    costs           measure ("time" or "memory"), scope (a task, or null for all), verdict ("dearer", "cheaper",
                    "alike" or "not compared"), ratio, lower, upper, n_cells, reason

A number that there is none of is null.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from bench.cell import Failure
from bench.gate.comparison import Comparison
from bench.gate.judging import TaskJudgement

FORMAT: Final = 1


def to_json(comparison: Comparison) -> str:
    """Return the comparison as JSON, in letters that every reader of it takes."""
    return json.dumps(_known(_record(comparison)), indent=1, allow_nan=False) + "\n"


def _record(comparison: Comparison) -> dict[str, Any]:
    matched = comparison.matched
    return {
        "format": FORMAT,
        "passed": not comparison.reasons,
        "verdict": comparison.verdict,
        "reasons": comparison.reasons,
        "tolerance": comparison.tolerance,
        "baseline": asdict(comparison.baseline),
        "current": asdict(comparison.current),
        "tasks": [_task(comparison, task) for task in comparison.tasks],
        "not_compared": [{**row._asdict(), "reason": reason} for row, reason in matched.not_compared.items()],
        "missing": [asdict(cell) for cell in matched.missing],
        "added": [asdict(cell) for cell in matched.added],
        "unmatched": [asdict(cell) for cell in matched.unmatched],
        "new_failures": [_failure(failure) for failure in matched.new_failures],
        "old_failures": [_failure(failure) for failure in matched.old_failures],
        "costs": [asdict(cost) for cost in comparison.costs],
    }


def _task(comparison: Comparison, task: TaskJudgement) -> dict[str, Any]:
    rows, fractions = comparison.rows[task.task], comparison.fractions[task.task]
    changed = comparison.matched.other_recipes
    return {
        "task": task.task,
        "verdict": task.verdict,
        "whole": asdict(task.whole),
        "strategies": [
            {
                "backbone": row.backbone,
                "strategy": row.strategy,
                "another_recipe": row in changed,
                "recipe_changes": changed.get(row, ""),
                "precision_change": comparison.matched.other_precisions.get(row, ""),
                **asdict(judgement),
            }
            for row, judgement in zip(rows, task.rows, strict=True)
        ],
        "budgets": [
            {"fraction": fraction, **asdict(judgement)}
            for fraction, judgement in zip(fractions, task.budgets, strict=True)
        ],
    }


def _failure(failure: Failure) -> dict[str, Any]:
    return {**asdict(failure.cell), "reason": failure.reason}


def _known(value: Any) -> Any:  # noqa: ANN401 - anything that JSON has
    """Return the value with None for what is not a number."""
    if isinstance(value, Mapping):
        return {name: _known(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_known(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
