"""The comparison as JSON, for programs.

    format          3; raised when a key changes its meaning or goes
    passed          whether the exit code is 0
    verdict         "regression", "improvement", "no change" or "not decided": of the scores of all tasks
    reasons         why it did not pass, a list of phrases
    tolerance       of skill
    baseline, current       folder, n_planned, n_scored
    tasks           of each: task, verdict, n_blocks (independent parts of its test split), whole, strategies.
                    A judgement (whole, each of the strategies, and each of their cells) has verdict, mean, lower,
                    upper, p, adjusted (real if at most .04), smallest (the drop of skill that would have been found in
                    80 % of nights), basis ("seeds and test blocks", or "seeds" where the test split has too few parts
                    to speak of other examples), same (whether all scores are), n_seeds, n_pairs; strategies add
                    backbone, strategy, another_recipe, recipe_changes, precision_change and cells, and these budget
    not_compared    task, backbone, strategy, reason
    missing, added, unmatched       cells: task, backbone, strategy, budget, seed, varied
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

from bench.cell import Failure, cell_record
from bench.gate.comparison import Comparison
from bench.gate.judging import TaskJudgement

FORMAT: Final = 3


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
        "missing": [cell_record(cell) for cell in matched.missing],
        "added": [cell_record(cell) for cell in matched.added],
        "unmatched": [cell_record(cell) for cell in matched.unmatched],
        "new_failures": [_failure(failure) for failure in matched.new_failures],
        "old_failures": [_failure(failure) for failure in matched.old_failures],
        "costs": [asdict(cost) for cost in comparison.costs],
    }


def _task(comparison: Comparison, task: TaskJudgement) -> dict[str, Any]:
    parts = zip(comparison.rows[task.task], comparison.budgets[task.task], task.rows, task.cells, strict=True)
    changed = comparison.matched.other_recipes
    return {
        "task": task.task,
        "verdict": task.verdict,
        "n_blocks": comparison.n_blocks[task.task],
        "whole": asdict(task.whole),
        "strategies": [
            {
                "backbone": row.backbone,
                "strategy": row.strategy,
                "another_recipe": row in changed,
                "recipe_changes": changed.get(row, ""),
                "precision_change": comparison.matched.other_precisions.get(row, ""),
                **asdict(judgement),
                "cells": [{"budget": str(budget), **asdict(cell)} for budget, cell in zip(budgets, cells, strict=True)],
            }
            for row, budgets, judgement, cells in parts
        ],
    }


def _failure(failure: Failure) -> dict[str, Any]:
    return {**cell_record(failure.cell), "reason": failure.reason}


def _known(value: Any) -> Any:  # noqa: ANN401 - anything that JSON has
    """Return the value with None for what is not a number."""
    if isinstance(value, Mapping):
        return {name: _known(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_known(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
