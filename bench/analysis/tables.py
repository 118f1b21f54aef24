"""The tables of a report: outcomes become one row per cell, cells become curves, curves become areas."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bench import stats
from bench.analysis.costs import Costs, add_up
from bench.analysis.leaderboard import Leaderboard, rank_strategies
from bench.analysis.points import Point, Points, replicate_points
from bench.analysis.shift_rows import orders_of, tabulate_shifts
from bench.cell import ALL_STREAMS, CELL_FIELDS, Cell, Failure, Outcome, Provenance, Result
from bench.results.manifest import Manifest, TaskEntry
from bench.results.store import Store

SCORED: Final = "scored"
FAILED: Final = "failed"
NOT_RUN: Final = "not run"

CURVE: Final = ["task", "backbone", "strategy"]

NESTED: Final = frozenset(
    {
        "cell",
        "key",
        "shared",
        "shifted",
        "losses",
        "provenance",
        "scores",
        "baselines",
        "trivial",
        "block_sizes",
        "metric_files",
    }
)
NO_COLUMNS: Final = NESTED | {"tested", "zero"}  # the names of files, and of a baseline
RESULT_FIELDS: Final = tuple(field for field in fields(Result) if field.name not in NO_COLUMNS)
METRIC_PREFIX: Final = "metric_"
"""What the column of a metric's values begins with; its name follows. `metric` says which of them is `score`."""

CHARGED_SECONDS: Final = ("frozen_seconds", "head_seconds")
"""Shared work that a cell is charged beside its own. Loading is the cold start of a process, and no cell's."""

SHARED_SECONDS: Final = ("loading_seconds", *CHARGED_SECONDS)
PROVENANCE_FIELDS: Final = tuple(field.name for field in fields(Provenance))
CELL_COLUMNS: Final = (
    *CELL_FIELDS,
    "domain",
    "metric",
    "scored_by",
    "status",
    *(field.name for field in RESULT_FIELDS),
    *SHARED_SECONDS,
    *PROVENANCE_FIELDS,
    "key",
    "reason",
)
"""The columns of every table of cells; after `score` come those of the metrics that its tasks have.

`scored_by` says what is scored as one, which `n_test` counts; it is missing where each example is scored.
"""

_fields = attrgetter(*(field.name for field in RESULT_FIELDS), *SHARED_SECONDS)
_provenance = attrgetter(*PROVENANCE_FIELDS)


@dataclass(frozen=True, slots=True)
class Tables:
    """All that a report says in numbers.

    `cells` has a row per planned cell, scored or not; `curves` a row per task, backbone, strategy and budget;
    `leaderboard` the areas under the curves; `costs` the seconds spent; `shifts` a row per scored cell and shift. Rows
    of the first two are in the order of the manifest. `points` has the replicates behind `curves` and `shifts`.
    """

    manifest: Manifest
    cells: pd.DataFrame
    curves: pd.DataFrame
    leaderboard: Leaderboard
    costs: Costs
    shifts: pd.DataFrame
    points: Points


def read_tables(store: Store) -> Tables:
    """Return the tables of a results folder; every outcome is read once."""
    manifest, outcomes = store.manifest, store.outcomes()
    cells = tabulate_cells(manifest, outcomes)
    points = replicate_points(manifest, outcomes)
    curves = average_seeds(manifest, cells, points)
    done = {outcome.key: outcome for outcome in outcomes.values() if isinstance(outcome, Result)}
    costs = add_up(done.values())
    kinds = {name: entry.target.get("kind", entry.metric.title) for name, entry in manifest.tasks.items()}
    board = rank_strategies(ordinary_cells(cells), curves, points, kinds)
    return Tables(manifest, cells, curves, board, costs, tabulate_shifts(manifest, outcomes), points)


def tabulate_cells(manifest: Manifest, outcomes: Mapping[Cell, Outcome | None]) -> pd.DataFrame:
    """Return a row per planned cell with `CELL_COLUMNS`; where there is no result, its columns are missing.

    A column per metric is missing too where the task has no such metric, or its test examples do not define it.
    """
    identify = attrgetter(*CELL_FIELDS)
    rows = [
        (*identify(cell), *_of_task(manifest.tasks[cell.task]), *_said(outcome)) for cell, outcome in outcomes.items()
    ]
    cells = pd.DataFrame.from_records(rows, columns=list(CELL_COLUMNS))
    dtypes: dict[Any, Any] = {int: "Int64", float: "float64", float | None: "float64"}
    of_fields = {field.name: dtypes[field.type] for field in RESULT_FIELDS if field.type in dtypes}
    cells["budget"] = cells["budget"].map(str)
    cells = cells.astype({**of_fields, **dict.fromkeys(SHARED_SECONDS, "float64")})
    after_score = CELL_COLUMNS.index("score") + 1
    for place, name in enumerate(metric_names(manifest)):
        cells.insert(after_score + place, f"{METRIC_PREFIX}{name}", _values(name, outcomes))
    for column, names in orders_of(manifest).items():
        cells[column] = pd.Categorical(cells[column], categories=list(names), ordered=True)
    return cells.sort_values(list(CELL_FIELDS), kind="stable", ignore_index=True)


def _of_task(entry: TaskEntry) -> tuple[str, str, str | None]:
    """Return what a row says of its task: domain, the metric that ranks, and what examples are scored as one by."""
    return entry.card.domain, entry.metric.name, entry.card.scored.name if entry.card.scored else None


def metric_names(manifest: Manifest) -> list[str]:
    """Return the names of all metrics of a folder's tasks, each once."""
    return list(dict.fromkeys(metric.name for entry in manifest.tasks.values() for metric in entry.metrics))


def ordinary_cells(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the cells in which every random stream follows the seed: only they count in curves and comparisons."""
    return cells[cells["varied"] == ALL_STREAMS]


def average_seeds(manifest: Manifest, cells: pd.DataFrame, points: Points) -> pd.DataFrame:
    """Return the learning curves: a row per task, backbone, strategy and budget, averaged over seeds.

    `lower` and `upper` are the 95 % interval of the mean, over other budgets and other test examples; missing where
    nothing is known of the latter. `margin` is half its width, `skill` the mean on a scale from `chance` to `perfect`.

    `n_seeds` is how many seeds were scored, `n_seeds_failed` how many failed and `n_seeds_planned` how many were asked
    for; without any score, the mean is missing. A budget is the same for every strategy: a point that failed has its
    amount from another.
    """
    ordinary = ordinary_cells(cells)
    ordinary = ordinary.assign(failed=ordinary["status"] == FAILED)
    curves = ordinary.groupby([*CURVE, "budget"], observed=True, sort=True, as_index=False).agg(
        amount=("amount", "max"),
        mean=("score", "mean"),
        n_seeds=("score", "count"),
        n_seeds_failed=("failed", "sum"),
        n_seeds_planned=("seed", "count"),
        chance=("chance", "mean"),
    )
    metrics = {name: entry.metric for name, entry in manifest.tasks.items()}
    names = curves["task"].astype(str)
    curves["perfect"] = names.map({name: metric.perfect for name, metric in metrics.items()})
    curves["metric"] = names.map({name: metric.name for name, metric in metrics.items()})
    by_budget = curves.groupby(["task", "budget"], observed=True)
    curves["amount"] = by_budget["amount"].transform("max")
    curves["chance"] = curves["chance"].fillna(curves.groupby("task", observed=True)["chance"].transform("max"))
    folded = names.map(_chance_of_folds(manifest, ordinary)).astype("float64")
    curves["chance"] = folded.fillna(curves["chance"])
    ends = [points.estimate(Point(*row), metrics[str(row[0])])[1:3] for row in _rows(curves)]
    curves["lower"], curves["upper"] = np.array(ends, dtype=np.float64).reshape(-1, 2).T
    curves["margin"] = (curves["upper"] - curves["lower"]) / 2
    curves["skill"] = stats.skill(curves["mean"], chance=curves["chance"], perfect=curves["perfect"])
    return curves


def _rows(table: pd.DataFrame) -> Iterator[tuple[str, ...]]:
    """Return the names of the points of a table's rows."""
    return (tuple(map(str, row)) for row in table[list(Point._fields)].itertuples(index=False))


def _chance_of_folds(manifest: Manifest, cells: pd.DataFrame) -> dict[str, float]:
    """Return the mean score of chance over the folds of each task that has several, of which each has its own.

    It is the same for all curves of a task, also for those of which a seed has no score.
    """
    by_fold = cells.groupby(["task", "fold"], observed=True)["chance"].max().reset_index()
    means = by_fold.groupby("task", observed=True)["chance"].mean()
    return {str(task): float(mean) for task, mean in means.items() if manifest.tasks[str(task)].card.folds > 1}


def _said(outcome: Outcome | None) -> tuple[Any, ...]:
    """Return the columns from "status" on."""
    nothing = (None,) * (len(RESULT_FIELDS) + len(SHARED_SECONDS) + len(PROVENANCE_FIELDS))
    if outcome is None:
        return (NOT_RUN, *nothing, None, None)
    if isinstance(outcome, Failure):
        return (FAILED, *nothing, outcome.key, outcome.reason)
    return (SCORED, *_fields(outcome), *_provenance(outcome.provenance), outcome.key, None)


def _values(metric: str, outcomes: Mapping[Cell, Outcome | None]) -> NDArray[np.float64]:
    """Return the values of a metric [n_cells], nan where there is none."""
    results = (outcome if isinstance(outcome, Result) else None for outcome in outcomes.values())
    values = (None if result is None else result.scores.values.get(metric) for result in results)
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
