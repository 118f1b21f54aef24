"""The published run held against itself: alike where nothing was done to it, and a drop in one of its cells is seen."""

from functools import lru_cache

import numpy as np
import pytest

from bench.cell import Cell
from bench.gate.comparison import Comparison, compare
from bench.gate.judging import Verdict
from bench.gate.matching import Run
from bench.gate.text import to_text
from bench.stats import FEWEST_BLOCKS
from tests.bench.gate.planted import planted, reference

N_DRAWS = 10


@lru_cache(maxsize=1)
def published() -> Run:
    """Return the published run, read once."""
    return reference()


def with_drop(task: str, *, seed: int, points: float = 5.0, factor: float = 1.16) -> tuple[Comparison, list[Cell]]:
    """Return the comparison of a task as published with the same one with a drop, and the cells that have it."""
    run = published().narrowed([task])
    worse, cells = planted(run, task, points=points, factor=factor, generator=np.random.default_rng(seed))
    return compare(run, worse), cells


def test_the_published_run_is_identical_with_itself() -> None:
    comparison = compare(published(), published())
    assert comparison.reasons == ()
    assert all(cell.same for task in comparison.tasks for row in task.cells for cell in row)


@pytest.mark.parametrize("task", sorted(published().manifest.tasks))
def test_a_drop_in_one_cell_is_caught_and_named_and_nothing_else_is(task: str) -> None:
    for seed in range(N_DRAWS):
        comparison, (cell, *_) = with_drop(task, seed=seed)
        assert comparison.reasons == ("regression in 1 of 1 task",)
        judged = [one for row in comparison.tasks[0].cells for one in row]
        assert [one.verdict for one in judged].count(Verdict.REGRESSION) == 1
        assert sum(one.same for one in judged) == len(judged) - 1
        assert f"  full at {'all labels' if str(cell.budget) == 'all' else cell.budget}" in to_text(comparison)


def test_tasks_with_few_blocks_say_what_was_tested() -> None:
    few = [task for task in published().manifest.tasks if _n_blocks(task) < FEWEST_BLOCKS]
    for task in few:
        said = " ".join(to_text(with_drop(task, seed=0)[0]).split())
        assert f"the test split has {_n_blocks(task)} independent part" in said
        assert "of these very test examples, by Student's t test over seeds." in said


def _n_blocks(task: str) -> int:
    comparison = compare(*[published().narrowed([task])] * 2)
    return comparison.n_blocks[task]
