"""Results folders to compare: the example of the reports with more test examples, and other nights of it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from bench.cell import Cell, Failure, Outcome, Result
from bench.gate.matching import Run
from bench.results.manifest import Manifest
from bench.results.store import Store
from tests.bench.analysis.example import BACKBONES, BUDGETS, PREDICTIONS, READS, STRATEGIES, TASKS, outcome, scored

N_TEST: Final = 10_000
Change = Callable[[Result], Outcome | None]

HARM: Final = "a`b|c<script>alert(1)</script>\"'&\n=cmd()\x00\x1b[31m]]>"
"""A name that would act as markup in one format or another, with letters that XML does not have."""


def unchanged(result: Result) -> Outcome | None:
    """Return the result as it is."""
    return result


def worse(task: str, by: float) -> Change:
    """Return a change that makes a task's scores worse, for each seed by a little more or less than `by`."""

    def change(result: Result) -> Outcome | None:
        sign = 1 if task == "series" else -1  # an error is worse the larger it is
        lost = by * (1 + 0.1 * (result.cell.seed - 1))
        return scored(result, result.score + sign * lost) if result.cell.task == task else result

    return change


def where(change: Change, **values: object) -> Change:
    """Return a change of those results alone whose cells have these values."""
    return lambda result: (
        change(result) if all(getattr(result.cell, name) == value for name, value in values.items()) else result
    )


def with_fields(**values: Any) -> Change:  # noqa: ANN401 - those of a result
    """Return a change of fields of a result."""
    return lambda result: replace(result, **values)


def lost(_: Result) -> Outcome | None:
    """Return nothing: the cell was not run."""


def failed(reason: str) -> Change:
    """Return a change that makes a cell fail."""
    return lambda result: Failure(cell=result.cell, key=result.key, reason=reason, traceback="")


def night(
    change: Change = unchanged,
    *,
    manifest: Callable[[Manifest], Manifest] = lambda manifest: manifest,
    rekeyed: Mapping[str, str] | None = None,
    seeds: int = 3,
) -> Run:
    """Return a run whose outcomes were changed; `rekeyed` maps strategies to what their keys begin with."""
    cells = [
        Cell(task, reader, strategy, budget, seed)
        for task in sorted(TASKS)
        for reader in READS[task]
        for strategy in sorted(STRATEGIES)
        for budget in BUDGETS
        for seed in range(seeds)
    ]
    keys = {cell: f"{(rekeyed or {}).get(cell.strategy, '')}{number:024x}" for number, cell in enumerate(cells)}
    planned = Manifest(
        suite="example",
        tasks=TASKS,
        backbones=BACKBONES,
        strategies=STRATEGIES,
        cells=keys,
    )
    outcomes = {cell: change(replace(outcome(cell, key), n_test=N_TEST)) for cell, key in keys.items()}
    return Run("results/example", manifest(planned), outcomes)


def harmful(run: Run) -> Run:
    """Return the pictures of a run with names of task, backbone and strategies that mean harm."""

    def renamed(cell: Cell) -> Cell:
        return replace(cell, task=HARM, backbone=HARM, strategy=HARM + cell.strategy)

    cells = {cell: key for cell, key in run.manifest.cells.items() if cell.task == "pictures"}
    outcomes = {cell: run.outcomes[cell] for cell in cells}
    return Run(
        HARM,
        Manifest(
            suite=HARM,
            tasks={HARM: run.manifest.tasks["pictures"]},
            backbones={HARM: run.manifest.backbones["bundled:eyes"]},
            strategies={HARM + name: entry for name, entry in run.manifest.strategies.items()},
            cells={renamed(cell): key for cell, key in cells.items()},
        ),
        {renamed(cell): one and replace(one, cell=renamed(cell)) for cell, one in outcomes.items()},
    )


def stored(run: Run, root: Path) -> Path:
    """Write a run into a results folder and return it."""
    store = Store(root)
    store.extend(run.manifest)
    for one in run.outcomes.values():
        if one is not None:
            store.put(one, PREDICTIONS if isinstance(one, Result) else None)
    return root
